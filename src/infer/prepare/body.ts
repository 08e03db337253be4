import { findComponents } from '../components.ts'
import type { Image } from '../image.ts'
import type { IndexBox } from './fit.ts'
import { gather, nearestOffsets, type Size, sameType } from './gather.ts'
import { extrema } from './parts.ts'

/** The body is looked for on at most this many voxels an axis: its outline is far larger than they are. */
const coarsest = 160

/**
 * The box around the largest connected part of the first channel above a threshold, found on a coarser grid and therefore larger by up to a
 * coarse voxel on each side.
 * @param threshold left out: Otsu's
 * @returns null where nothing is above
 */
export function bodyBox(image: Image, threshold: number | undefined): IndexBox | null {
  const { size, spacing } = image.grid
  const steps = size.map((length) => Math.max(1, Math.ceil(length / coarsest))) as unknown as Size
  const coarse = size.map((length, axis) => Math.ceil(length / (steps[axis] as number))) as unknown as Size
  const values = sameType(image.data, coarse[0] * coarse[1] * coarse[2])
  const axes = ([0, 1, 2] as const).map((axis) => ({ axis, start: 0, step: steps[axis] }))
  gather({ source: image.data, from: 0 }, { target: values, to: 0 }, nearestOffsets(axes, coarse, size, true), 0)
  const limit = threshold ?? otsu(values)
  const labels = new Uint8Array(values.length)
  for (let i = 0; i < labels.length; i++) labels[i] = (values[i] as number) > limit ? 1 : 0
  const extent = {
    size: coarse,
    spacing: [0, 1, 2].map((a) => (spacing[a] as number) * (steps[a] as number)) as unknown as Size,
  }
  const { list } = findComponents(extent, { labels, value: 1 }, { connectivity: 6 })
  if (list.length === 0) return null
  const body = list.reduce((a, b) => (b.voxels > a.voxels ? b : a))
  return {
    low: ([0, 1, 2] as const).map((a) => Math.max(0, (body.low[a] - 1) * steps[a] + 1)) as [number, number, number],
    high: ([0, 1, 2] as const).map((a) => Math.min(size[a] - 1, body.high[a] * steps[a] - 1)) as [
      number,
      number,
      number,
    ],
  }
}

/** The threshold between two classes that are farthest apart (Otsu 1979), from a histogram of 256 bins. */
export function otsu(data: Image['data']): number {
  const [low, high] = extrema(data, { from: 0, to: data.length })
  if (high <= low) return low
  const bins = new Float64Array(256)
  const perBin = 256 / (high - low)
  for (let i = 0; i < data.length; i++) {
    const bin = Math.min(255, (((data[i] as number) - low) * perBin) | 0)
    bins[bin] = (bins[bin] as number) + 1
  }
  const total = bins.reduce((sum, count, bin) => sum + count * bin, 0)
  let below = 0
  let sumBelow = 0
  let best = -1
  let cut = 0
  for (let bin = 0; bin < 255; bin++) {
    below += bins[bin] as number
    sumBelow += bin * (bins[bin] as number)
    const above = data.length - below
    if (below === 0 || above === 0) continue
    const apart = sumBelow / below - (total - sumBelow) / above
    const variance = below * above * apart * apart
    if (variance > best) {
      best = variance
      cut = bin
    }
  }
  return low + (cut + 1) / perBin
}
