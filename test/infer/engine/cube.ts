import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { SOP } from '../../../src/dicom/sop-class.ts'
import { loadPipeline, type Pipeline } from '../../../src/infer/load-pipelines.ts'
import { sha256OfFile } from '../../../src/infer/manifest/digest.ts'
import type { InferOutcome, InferTask } from '../../../src/infer/task.ts'
import { runTask } from '../../../src/worker-parts/run-task.ts'
import { type OnnxGraph, writeOnnx } from '../../support/onnx-file.ts'
import { writeInstance } from '../read/instances.ts'

/** Voxels along each axis of the series, and of the bright cube in its middle. */
export const size = 16
export const cube = { from: 5, to: 11 }

/** A coded concept for what tests do not look at. */
export const code = '{ value: x, scheme: 99TEST, meaning: something }'

export interface SeriesOptions {
  /** Last part of the series' UID. */
  series?: number
  study?: number
  /** mm by which every position is shifted. */
  shift?: number
  /** Value of the cube; what is around it is 0. */
  value?: number
  elements?: Record<string, unknown>
}

/** Writes an axial MR of 16 x 16 x 16 voxels of 2 x 2 x 3 mm with a bright cube, and gives what a task says of it. */
export function writeSeries(folder: string, options: SeriesOptions = {}): InferTask['inputs'][string] {
  const { series = 1, study = 1, shift = 0, value = 1000, elements = {} } = options
  const own = path.join(folder, `series-${study}-${series}`)
  mkdirSync(own)
  const files = Array.from({ length: size }, (_, k) => {
    const pixels = new Uint16Array(size * size)
    const inside = (n: number): boolean => n >= cube.from && n < cube.to
    for (let i = 0; i < pixels.length; i++)
      if (inside(i % size) && inside(Math.floor(i / size)) && inside(k)) pixels[i] = value
    const header = {
      SOPClassUID: SOP.mrImage,
      StudyInstanceUID: `2.25.100.${study}`,
      SeriesInstanceUID: `2.25.200.${series}`,
      StudyDate: study === 1 ? '20240701' : '20240101',
      Modality: 'MR',
      Rows: size,
      Columns: size,
      BitsStored: 12,
      HighBit: 11,
      PatientID: 'P1',
      PatientAge: '040Y',
      PatientSex: 'F',
      SliceThickness: '3',
      PixelSpacing: ['2', '2'],
      InstanceNumber: String(k + 1),
      ImagePositionPatient: [String(shift), '0', String(k * 3)],
      ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
      ...elements,
    }
    return writeInstance(own, `${k}.dcm`, header, pixels)
  })
  return {
    seriesInstanceUID: `2.25.200.${series}`,
    files,
    ...(study === 1 ? {} : { studyInstanceUID: `2.25.100.${study}` }),
  }
}

const float = 'float32' as const
const volume = ['n', 'c', 'd', 'h', 'w']

/** Models of one operation on [N, C, D, H, W]. */
export const graphs = {
  identity: {
    inputs: { input: [float, volume] },
    outputs: { output: [float, volume] },
    nodes: [{ op: 'Identity', inputs: ['input'], outputs: ['output'] }],
  },
  /** 0 / 0. */
  notANumber: {
    inputs: { input: [float, volume] },
    outputs: { output: [float, volume] },
    nodes: [
      { op: 'Sub', inputs: ['input', 'input'], outputs: ['zero'] },
      { op: 'Div', inputs: ['zero', 'zero'], outputs: ['output'] },
    ],
  },
  /** Planes, rows and columns in one dimension. */
  flattened: {
    inputs: { input: [float, volume] },
    outputs: { output: [float, ['a', 'b']] },
    nodes: [{ op: 'Flatten', inputs: ['input'], outputs: ['output'], attributes: { axis: 2 } }],
  },
  /** The mean of each channel: a vector of one number, here between 0 and 1. */
  mean: {
    inputs: { input: [float, volume] },
    outputs: { output: [float, volume] },
    nodes: [{ op: 'GlobalAveragePool', inputs: ['input'], outputs: ['output'] }],
  },
} as const satisfies Record<string, OnnxGraph>

/** Writes a pipeline folder: a manifest of `body` under a common head, with `SHA` replaced by the model's digest. */
export async function writePipeline(
  folder: string,
  body: string,
  graph: OnnxGraph = graphs.identity,
): Promise<Pipeline> {
  const own = path.join(folder, 'pipeline')
  mkdirSync(own, { recursive: true })
  const model = path.join(own, 'model.onnx')
  await writeOnnx(model, graph)
  const head = `schema: 2
name: test
version: 1.0.0
title: Test
manufacturer: Hilum
description: A test.
intendedUse: Tests.
limits: None.
`
  writeFileSync(path.join(own, 'pipeline.yaml'), head + body.replaceAll('SHA', await sha256OfFile(model)))
  const { pipeline, problems } = await loadPipeline(own)
  if (!pipeline) throw new Error(problems.join('\n'))
  return pipeline
}

/** Runs a task, and writes its results into a folder of its own. */
export async function run(
  folder: string,
  pipeline: Pipeline,
  inputs: InferTask['inputs'],
  more: Partial<InferTask> = {},
): Promise<InferOutcome & { outFolder: string }> {
  const outFolder = path.join(folder, `out-${Math.random().toString(36).slice(2)}`)
  mkdirSync(outFolder)
  const task: InferTask = {
    jobId: 'job',
    at: '2025-01-02T03:04:05Z',
    pipelineFolder: pipeline.folder,
    pipelineDigest: pipeline.digest,
    studyInstanceUID: '2.25.100.1',
    revision: 1,
    inputs,
    predecessors: [],
    outFolder,
    providers: ['cpu'],
    threads: 1,
    ...more,
  }
  return { ...(await runTask(task, async () => pipeline)), outFolder }
}
