import { InferError } from '../error.ts'
import type { Grid, Image } from '../image.ts'
import type { Collector } from './collector.ts'
import type { Feeder } from './feeder.ts'
import type { RunOf } from './options.ts'
import type { ChannelSource, Region } from './pack.ts'
import type { Predict } from './predictor.ts'

/** What a way of running has at hand. */
export interface Run {
  feeder: Feeder
  predict: Predict
  collector: Collector
  /** Grid of the images that results are shown on, where it is known. */
  source: Grid | undefined
  /** Part of the work that is done, 0 to 1. */
  progress(fraction: number): void
}

/** Everything at once. */
export async function runWhole({ feeder, predict, collector }: Run): Promise<void> {
  const results = await predict(feeder.whole())
  collector.put(results, { regions: [wholeRegion(feeder)], batch: 1, whole: true })
}

function wholeRegion({ reference }: Feeder): Region {
  return { from: [0, 0, 0], size: reference.grid.size }
}

/** A plane, or several, over the whole of it. */
export function planes({ reference }: Feeder, k: number, count: number): Region {
  const [nx, ny] = reference.grid.size
  return { from: [0, 0, k], size: [nx, ny, count] }
}

/** Regions as a batch of the size that the model takes: the last one again where there are too few. */
export function filled(feeder: Feeder, regions: readonly Region[]): Region[] {
  const missing = Math.max(0, (feeder.fixedBatch ?? 0) - regions.length)
  return [...regions, ...Array.from({ length: missing }, () => regions[regions.length - 1] as Region)]
}

/** Slice by slice, each with its neighbours as channels: from the lowest plane to the highest, all channels of one before the next. */
export async function runSlices(run: Run, options: RunOf<'slices'>): Promise<void> {
  const { feeder, predict, collector } = run
  feeder.checkSameSize()
  const { neighbours, ends } = options
  const channelsOf = (image: Image): { channels: ChannelSource[] } => {
    const shifts = Array.from({ length: 2 * neighbours + 1 }, (_, at) => at - neighbours)
    const own = Array.from({ length: image.channels }, (_, channel) => channel)
    return { channels: shifts.flatMap((shift) => own.map((channel) => ({ channel, shift }))) }
  }
  const slices = feeder.reference.grid.size[2]
  for (let k = 0; k < slices; k += options.batch) {
    const count = Math.min(options.batch, slices - k)
    const regions = Array.from({ length: count }, (_, at) => planes(feeder, k + at, 1))
    const given = filled(feeder, regions)
    const outside = ends === 'repeat' ? 'repeat' : 0
    const results = await predict(feeder.feeds({ regions: given, outside, channelsOf }))
    collector.put(results, { regions, batch: given.length })
    run.progress((k + count) / slices)
  }
}

/** Slab by slab, each with more slices on either side, whose results do not count. */
export async function runSlabs(run: Run, { slab, halo }: RunOf<'slabs'>): Promise<void> {
  const { feeder, predict, collector } = run
  feeder.checkSameSize()
  const slices = feeder.reference.grid.size[2]
  for (let start = 0; start < slices; start += slab) {
    const end = Math.min(slices, start + slab)
    const from = Math.max(0, start - halo)
    const to = Math.min(slices, end + halo)
    const region = planes(feeder, from, to - from)
    const results = await predict(feeder.feeds({ regions: [region], outside: 0 }))
    collector.put(results, { regions: [region], batch: 1, crop: { first: start - from, count: end - start } })
    run.progress(end / slices)
  }
}

/** Steps of a sequence of images, which are its channels. */
export function stepsOf({ channels }: Image, perStep: number): number {
  if (channels % perStep !== 0)
    throw new InferError('wrong-shape', `a sequence of ${channels} channels has no whole number of steps of ${perStep}`)
  return channels / perStep
}
