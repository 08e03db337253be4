import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import type { Inference } from '../../src/infer/inference.ts'
import { loadPipeline } from '../../src/infer/load-pipelines.ts'
import type { Pipeline } from '../../src/infer/manifest/pipeline.ts'
import { runPipeline } from '../../src/infer/run-pipeline.ts'
import { repository } from '../support/data.ts'
import { type ChestPhantom, chestPhantom, type WritePhantomOptions, writePhantom } from '../support/phantom.ts'

/** The pipeline of this repository. */
export async function lungPipeline(): Promise<Pipeline> {
  const { pipeline, problems } = await loadPipeline(path.join(repository, 'models', 'ct-lung-density'))
  if (!pipeline) throw new Error(problems.join('\n'))
  return pipeline
}

/** A phantom small enough for a test to run in a second. Its spacings are written without rounding, whichever way it is sliced. */
export const smallPhantom = (): ChestPhantom =>
  chestPhantom({ slices: 110, rows: 192, columns: 192, spacing: { row: 1.875, column: 1.875, slice: 2.75 } })

/** Runs the lung pipeline on the files of a series. */
export async function runOnFiles(files: string[]): ReturnType<typeof runPipeline> {
  const inputs = { ct: { seriesInstanceUID: '2.25.1', files } }
  return runPipeline({ inputs, providers: ['cpu'], threads: 1 }, await lungPipeline())
}

/** Writes a phantom into a folder of its own, runs the lung pipeline on it, and removes it. */
export async function runOnPhantom(
  phantom: ChestPhantom,
  options: WritePhantomOptions = {},
): ReturnType<typeof runPipeline> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-phantom-'))
  try {
    return await runOnFiles(await writePhantom(folder, phantom, options))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function found(result: Awaited<ReturnType<typeof runPipeline>>): Inference {
  if (result.kind === 'refused') throw new Error(`refused: ${result.reason}`)
  return result
}

export function reasonOf(result: Awaited<ReturnType<typeof runPipeline>>): string {
  if (result.kind !== 'refused') throw new Error('a refusal was expected')
  return result.reason
}

/** Every measurement by its id. */
export function values(result: Inference): Record<string, number> {
  return Object.fromEntries(result.measurements.map(({ id, value }) => [id, value]))
}

/** The lossless transfer syntaxes that a phantom can be written in. */
export const losslessSyntaxes = [
  TS.implicitVRLittleEndian,
  TS.explicitVRBigEndian,
  TS.deflated,
  TS.rle,
  TS.jpegLossless,
  TS.jpegLSLossless,
  TS.jpeg2000Lossless,
  TS.htj2kLossless,
  TS.htj2kLosslessRPCL,
] as const
