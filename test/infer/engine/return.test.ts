import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SOP } from '../../../src/dicom/sop-class.ts'
import { runPipeline } from '../../../src/infer/run-pipeline.ts'
import type { InferTask } from '../../../src/infer/task.ts'
import { diceOf } from '../prepare/labels-back.ts'
import { writeInstance } from '../read/instances.ts'
import { code, graphs, writePipeline } from './cube.ts'

/** Voxels along each axis, of 2 mm, and the radius of a bright ball in their middle, mm. */
const size = 64
const radius = 46

/** The ball of a slice, row by row. */
function ballIn(k: number): Uint8Array {
  const from = (n: number): number => 2 * (n - (size - 1) / 2)
  return Uint8Array.from({ length: size * size }, (_, i) =>
    Math.hypot(from(i % size), from(Math.floor(i / size)), from(k)) < radius ? 1 : 0,
  )
}

/** A coronal series of the ball. */
function writeBall(folder: string): InferTask['inputs'][string] {
  mkdirSync(folder)
  const files = Array.from({ length: size }, (_, k) => {
    const header = {
      SOPClassUID: SOP.mrImage,
      Modality: 'MR',
      Rows: size,
      Columns: size,
      SliceThickness: '2',
      PixelSpacing: ['2', '2'],
      InstanceNumber: String(k + 1),
      ImagePositionPatient: ['0', String(2 * k), '0'],
      ImageOrientationPatient: ['1', '0', '0', '0', '0', '-1'],
    }
    return writeInstance(
      folder,
      `${k}.dcm`,
      header,
      Uint16Array.from(ballIn(k), (inside) => 1000 * inside),
    )
  })
  return { seriesInstanceUID: '2.25.1000', files }
}

describe('segments of a model whose grid is coarser than the images', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-return-'))
  let inputs: InferTask['inputs']
  beforeAll(() => {
    inputs = { t1: writeBall(path.join(folder, 'series')) }
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const model = '{ file: model.onnx, sha256: SHA }'
  const ways: Record<string, [string, string]> = {
    'by threshold': [
      `outputs: { output: probability }`,
      'finish:\n  mask: { from: probability, steps: [threshold: { minimum: 0.5 }, largest-component: {}] }',
    ],
    'by argmax of the slices along rows': [
      `run: { kind: slices, axis: j }\n    outputs: { output: { value: mask, kind: labels, reduce: argmax } }`,
      '',
    ],
    'by argmax of windows': [
      `run: { kind: sliding-window, size: [16, 16, 16] }\n    outputs: { output: { value: mask, kind: labels, reduce: argmax } }`,
      '',
    ],
  }

  it.each(Object.entries(ways))('are as fine as the images: %s', async (name, [run, finish]) => {
    // Two channels where argmax decides: what is not the ball, and the ball.
    const isArgmax = name.startsWith('by argmax of')
    const channels = isArgmax ? '[background, ball]' : 'ball'
    const layout = name.includes('slices') ? 'NCHW' : 'NCDHW'
    const body = `
inputs: [{ name: t1, kind: volume, modality: MR }]
prepare:
  ball: { from: t1, steps: [scale: { factor: 0.001 }, reorient: { axes: RAS }, resample: { spacing: 5, antiAlias: true }, pad: { multiple: 8 }] }
  background: { from: ball, steps: [scale: { factor: -1, offset: 1 }] }
  given: { from: ${channels}, steps: [clip: { minimum: 0, maximum: 1 }] }
infer:
  - name: same
    model: ${model}
    inputs: { input: { from: given, layout: ${layout} } }
    ${run}
${finish}
segments:
  - { id: ball, from: mask, value: 1, label: ball, category: ${code}, type: ${code}, colour: [255, 0, 0] }
outputs: [{ kind: segmentation }]
`
    const dims = layout === 'NCHW' ? ['n', 'c', 'h', 'w'] : ['n', 'c', 'd', 'h', 'w']
    const graph = {
      ...graphs.identity,
      inputs: { input: ['float32', dims] },
      outputs: { output: ['float32', dims] },
    } as const
    const found = await runPipeline(
      { inputs, providers: ['cpu'], threads: 1 },
      await writePipeline(folder, body, graph),
    )
    if (found.kind === 'refused') throw new Error(found.reason)
    const [segment] = found.segments
    const plane = size * size
    const drawn = new Uint8Array(size * plane)
    const mask = new Uint8Array(size * plane)
    for (let k = 0; k < size; k++) {
      drawn.set(ballIn(k), k * plane)
      mask.set(segment?.maskOf(k) ?? new Uint8Array(plane), k * plane)
    }
    expect(diceOf(mask, drawn, 1)).toBeGreaterThanOrEqual(0.99)
  })
})
