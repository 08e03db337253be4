import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { encodeOnnx, type OnnxGraph } from '../../support/onnx-file.ts'

/** Size of the series that the pipelines are made for: columns, rows, slices. */
export const size = [16, 16, 4] as const

const float = 'float32' as const
const volume = ['n', 'c', 'd', 'h', 'w']

/** The body of a loop that goes on for as long as it is counted, and gives what `node` makes of its state. */
function loop(
  body: OnnxGraph['nodes'][number],
  outputs: OnnxGraph['outputs'],
  more: OnnxGraph['constants'] = {},
): OnnxGraph {
  return {
    inputs: { iteration: ['int64', []], again: ['bool', []], state: [float, [1]] },
    outputs: { goes_on: ['bool', []], ...outputs },
    nodes: [{ op: 'Identity', inputs: ['again'], outputs: ['goes_on'] }, body],
    constants: more,
  }
}

const counted = { type: 'int64', dims: [], values: [2 ** 62] } as const
const start = { type: 'float32', dims: [1], values: [0] } as const
const onVolume = { inputs: { image: [float, volume] }, outputs: { result: [float, volume] } } as const

/** Models that do no good, on [N, C, D, H, W]. */
export const graphs = {
  good: { ...onVolume, nodes: [{ op: 'Identity', inputs: ['image'], outputs: ['result'] }] },
  hangs: {
    ...onVolume,
    nodes: [
      {
        op: 'Loop',
        inputs: ['count', '', 'start'],
        outputs: ['sum'],
        attributes: {
          body: { graph: loop({ op: 'Identity', inputs: ['state'], outputs: ['next'] }, { next: [float, [1]] }) },
        },
      },
      { op: 'Add', inputs: ['image', 'sum'], outputs: ['result'] },
    ],
    constants: { count: counted, start },
  },
  /** Each turn of the loop adds 64 MiB to what it gives. */
  grows: {
    ...onVolume,
    nodes: [
      {
        op: 'Loop',
        inputs: ['count', '', 'start'],
        outputs: ['sum', 'all'],
        attributes: {
          body: {
            graph: {
              ...loop(
                { op: 'Expand', inputs: ['state', 'large'], outputs: ['part'] },
                { next: [float, [1]], part: [float, [2 ** 24]] },
                { large: { type: 'int64', dims: [1], values: [2 ** 24] } },
              ),
              nodes: [
                { op: 'Identity', inputs: ['again'], outputs: ['goes_on'] },
                { op: 'Identity', inputs: ['state'], outputs: ['next'] },
                { op: 'Expand', inputs: ['state', 'large'], outputs: ['part'] },
              ],
            },
          },
        },
      },
      { op: 'ReduceMax', inputs: ['all'], outputs: ['most'], attributes: { keepdims: 0 } },
      { op: 'Add', inputs: ['image', 'most'], outputs: ['result'] },
    ],
    constants: { count: counted, start },
  },
  /** A tensor of 4 TiB. */
  wantsAll: {
    ...onVolume,
    nodes: [
      { op: 'ConstantOfShape', inputs: ['large'], outputs: ['zeros'] },
      { op: 'ReduceMax', inputs: ['zeros'], outputs: ['most'], attributes: { keepdims: 0 } },
      { op: 'Add', inputs: ['image', 'most'], outputs: ['result'] },
    ],
    constants: { large: { type: 'int64', dims: [2], values: [2 ** 20, 2 ** 20] } },
  },
  /** 0 / 0. */
  notANumber: {
    ...onVolume,
    nodes: [
      { op: 'Sub', inputs: ['image', 'image'], outputs: ['zero'] },
      { op: 'Div', inputs: ['zero', 'zero'], outputs: ['result'] },
    ],
  },
  flat: {
    inputs: onVolume.inputs,
    outputs: { result: [float, ['a', 'b']] },
    nodes: [{ op: 'Flatten', inputs: ['image'], outputs: ['result'], attributes: { axis: 2 } }],
  },
} as const satisfies Record<string, OnnxGraph>

/** The whole of an `infer` entry, without its name. */
export interface Entry {
  model: Record<string, unknown>
  layout: 'NCDHW' | 'NCHW'
  run: 'whole' | 'slices'
  output: string
  /** Files of the pipeline's folder. */
  files?: Record<string, Buffer>
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** A pipeline with a model in ONNX's format, or with what stands in its place. */
export function onnx(model: OnnxGraph | Buffer): Entry {
  const bytes = Buffer.isBuffer(model) ? model : encodeOnnx(model)
  return {
    model: { file: 'model.onnx', sha256: digest(bytes) },
    layout: 'NCDHW',
    run: 'whole',
    output: 'result',
    files: { 'model.onnx': bytes },
  }
}

const script = readFileSync(path.join(import.meta.dirname, 'program.mjs'))

/** A pipeline with a program that does what `mode` says. */
export function program(mode: string, options: Record<string, unknown> = {}): Entry {
  return {
    model: {
      runtime: 'command',
      command: [process.execPath, '{pipeline}/program.mjs', '{in}', '{out}', mode],
      files: { 'program.mjs': digest(script) },
      format: 'npy',
      onMissingIsolation: 'record',
      ...options,
    },
    layout: 'NCDHW',
    run: 'whole',
    output: 'result',
    files: { 'program.mjs': script },
  }
}

/** A pipeline with a model of a server. */
export function served(server: string, model: string, options: Record<string, unknown> = {}): Entry {
  return {
    model: { runtime: 'open-inference', server, model, ...options },
    layout: 'NCHW',
    run: 'slices',
    output: 'scaled',
  }
}

const concept = { value: 'x', scheme: '99TEST', meaning: 'something' }

/** Writes a pipeline's folder: one volume in, one derived series out, and the volume of all that the model gave. */
export function writePipeline(folder: string, name: string, { model, layout, run, output, files = {} }: Entry): void {
  const own = path.join(folder, name)
  mkdirSync(own, { recursive: true })
  for (const [file, bytes] of Object.entries(files)) writeFileSync(path.join(own, file), bytes)
  const manifest = {
    schema: 2,
    name,
    version: '1.0.0',
    title: 'Test',
    manufacturer: 'Hilum',
    description: 'A test.',
    intendedUse: 'Tests.',
    limits: 'None.',
    inputs: [{ name: 'ct', kind: 'volume', modality: 'CT' }],
    infer: [
      {
        name: 'model',
        model,
        inputs: { image: { from: 'ct', layout } },
        run: { kind: run },
        outputs: { [output]: 'derived' },
      },
    ],
    finish: { all: { from: 'derived', steps: [{ threshold: { minimum: -1e9 } }] } },
    segments: [
      { id: 'all', from: 'all', value: 1, label: 'all', category: concept, type: concept, colour: [255, 0, 0] },
    ],
    measure: [
      {
        id: 'volume',
        name: 'Volume',
        quantity: 'volume',
        segment: 'all',
        code: concept,
        unit: { value: 'mL', scheme: 'UCUM', meaning: 'mL' },
      },
    ],
    outputs: [
      {
        kind: 'derived-images',
        from: 'derived',
        description: 'derived',
        derivations: [{ value: '113087', scheme: 'DCM', meaning: 'Smoothing' }],
      },
    ],
  }
  // JSON is YAML.
  writeFileSync(path.join(own, 'pipeline.yaml'), JSON.stringify(manifest, null, 2))
}
