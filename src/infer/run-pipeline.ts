import { setImmediate as turn } from 'node:timers/promises'
import type { CanonicalGrid } from '../dicom/geometry.ts'
import { InferError } from './error.ts'
import type { Inference, InferredMeasurement, InferredSegment, Refusal, SourceVolume } from './inference.ts'
import { label, type Work } from './labels.ts'
import { findLungs } from './lungs.ts'
import type { MeasurementManifest, Pipeline, SegmentManifest } from './manifest.ts'
import {
  type DensityHistogram,
  densityHistogram,
  fractionBelow,
  meanDensity,
  percentileDensity,
  sumHistograms,
} from './measure.ts'
import { openModel } from './session.ts'
import { runSlabs } from './slabs.ts'
import type { InferTask } from './task.ts'
import { type ReadVolume, readVolume } from './volume.ts'

export interface RunOptions {
  onProgress?: (stage: string, fraction: number) => void
}

/** What part of the work each stage is, roughly. */
const parts = { read: 0.4, model: 0.25, lungs: 0.35 }

/** Labels of the segments that `postprocessing: lungs` gives. */
const segmentLabels: Readonly<Record<string, number>> = { 'left-lung': label.leftLung, 'right-lung': label.rightLung }

/**
 * Runs a pipeline on the series of a task: reads and decodes the instances, checks them, runs the model, post-processes and measures.
 * @returns what was found, or the pipeline's own refusal of the input
 * @throws {InferError} when an instance cannot be read or decoded, or no execution provider takes the model
 */
export async function runPipeline(
  task: Pick<InferTask, 'inputs' | 'providers' | 'threads'>,
  pipeline: Pipeline,
  options: RunOptions = {},
): Promise<Inference | Refusal> {
  const log: string[] = []
  try {
    return await infer(task, pipeline, { log, progress: options.onProgress ?? (() => {}) })
  } catch (error) {
    if (error instanceof InferError && error.code === 'refused') return { kind: 'refused', reason: error.message, log }
    throw error
  }
}

async function infer(
  task: Pick<InferTask, 'inputs' | 'providers' | 'threads'>,
  pipeline: Pipeline,
  note: { log: string[]; progress: (stage: string, fraction: number) => void },
): Promise<Inference> {
  const { log, progress } = note
  const limits = pipeline.inputs[0] as Pipeline['inputs'][number]
  const input = task.inputs[limits.name]
  if (!input) throw new InferError('unreadable-input', `the task has no input ${limits.name}`)
  progress('read', 0)
  const read = await readVolume(input, limits, {
    log,
    onProgress: (fraction) => progress('read', fraction * parts.read),
  })
  const { provider, labels } = await runModel(read, task, pipeline, note)
  const work: Work = {
    extent: { size: read.grid.size, spacing: read.grid.spacing },
    density: read.density,
    labels,
    log,
  }
  await findLungs(work, pipeline.postprocessing, async (done) => {
    progress('lungs', parts.read + parts.model + done * parts.lungs)
    await turn()
  })
  const histograms = new Map(
    pipeline.outputs.segments.map(({ id }) => [id, densityHistogram(read.density, labels, segmentLabels[id] ?? -1)]),
  )
  const [x, y, z] = read.grid.spacing
  progress('lungs', 1)
  return {
    kind: 'inference',
    provider,
    log,
    source: read.source,
    segments: pipeline.outputs.segments.map((segment, index) => segmentOf(segment, index + 1, { ...read, labels })),
    measurements: pipeline.outputs.measurements.map((m) => measurementOf(m, histograms, (x * y * z) / 1e6)),
  }
}

async function runModel(
  read: ReadVolume,
  task: Pick<InferTask, 'providers' | 'threads'>,
  pipeline: Pipeline,
  note: { log: string[]; progress: (stage: string, fraction: number) => void },
): Promise<{ provider: string; labels: Uint8Array }> {
  const model = await openModel(pipeline.modelFile, task)
  note.log.push(...model.fallbacks, `inference ran on ${model.provider}`)
  try {
    const volume = { size: read.grid.size, density: read.density }
    const labels = await runSlabs(model.session, volume, pipeline.inference, (fraction) =>
      note.progress('model', parts.read + fraction * parts.model),
    )
    return { provider: model.provider, labels }
  } finally {
    await model.session.release()
  }
}

/** A segment's masks, slice by slice of the source grid: the canonical grid's voxels in the source's order. */
function segmentOf(
  segment: SegmentManifest,
  number: number,
  from: { source: SourceVolume; grid: CanonicalGrid; labels: Uint8Array },
): InferredSegment {
  const { source, grid, labels } = from
  const wanted = segmentLabels[segment.id] ?? -1
  const { rows, columns } = source
  /** Calls `visit` with the place, in the slice, of every voxel of the segment. */
  const eachOf = (sliceIndex: number, visit: (place: number) => void): void => {
    for (let row = 0, i = 0; row < rows; row++) {
      let at = grid.start + sliceIndex * grid.steps.slice + row * grid.steps.row
      for (let column = 0; column < columns; column++, i++, at += grid.steps.column) if (labels[at] === wanted) visit(i)
    }
  }
  const counts = source.slices.map((_, index) => {
    let count = 0
    eachOf(index, () => {
      count++
    })
    return count
  })
  const maskOf = (sliceIndex: number): Uint8Array | null => {
    if (!counts[sliceIndex]) return null
    const mask = new Uint8Array(rows * columns)
    eachOf(sliceIndex, (place) => {
      mask[place] = 1
    })
    return mask
  }
  const most = counts.reduce((best, count, index) => (count > (counts[best] as number) ? index : best), 0)
  const { id, ...definition } = segment
  const voxels = counts.reduce((sum, count) => sum + count, 0)
  return { id, number, definition, voxels, maskOf, bestSlice: voxels > 0 ? most : null }
}

/** @param litres of one voxel */
function measurementOf(
  { id, name, code, unit, quantity, parameter = 0, segment, derivation, site }: MeasurementManifest,
  histograms: ReadonlyMap<string, DensityHistogram>,
  litres: number,
): InferredMeasurement {
  const own = segment === undefined ? undefined : histograms.get(segment)
  const histogram = own ?? sumHistograms([...histograms.values()])
  const values = {
    volume: () => histogram.voxels * litres,
    'mean-density': () => meanDensity(histogram),
    'percentile-density': () => percentileDensity(histogram, parameter),
    'fraction-below': () => fractionBelow(histogram, parameter),
  }
  return {
    id,
    name,
    code,
    unit,
    value: values[quantity](),
    segment: segment ?? null,
    derivation: derivation ?? null,
    site: site ?? null,
  }
}
