import { forEachLabelRun } from '../label-runs.ts'

/** Densities of Int16 from -32768: index into a histogram. */
const offset = 32768

/** How many voxels have each density. Everything that is measured comes from it, exactly. */
export interface DensityHistogram {
  /** Counts by HU + 32768. */
  counts: Float64Array
  voxels: number
}

/** The histogram of the voxels whose label is `label`. */
export function densityHistogram(density: Int16Array, labels: Uint8Array, label: number): DensityHistogram {
  const counts = new Float64Array(65536)
  let voxels = 0
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== label) continue
    const bin = (density[i] as number) + offset
    counts[bin] = (counts[bin] as number) + 1
    voxels++
  }
  return { counts, voxels }
}

/** The histograms of every label but 0 that occurs, by label; one pass over the voxels. */
export function densityHistograms(
  density: Int16Array | Uint8Array,
  labels: Uint8Array,
): readonly (DensityHistogram | undefined)[] {
  const found: (DensityHistogram | undefined)[] = []
  forEachLabelRun(labels, (label, start, end) => {
    const histogram = found[label] ?? { counts: new Float64Array(65536), voxels: 0 }
    found[label] = histogram
    histogram.voxels += end - start
    const { counts } = histogram
    for (let i = start; i < end; i++) {
      const bin = (density[i] as number) + offset
      counts[bin] = (counts[bin] as number) + 1
    }
  })
  return found
}

/** The histogram of several regions together. */
export function sumHistograms(histograms: readonly DensityHistogram[]): DensityHistogram {
  const counts = new Float64Array(65536)
  for (const histogram of histograms)
    for (let bin = 0; bin < counts.length; bin++)
      counts[bin] = (counts[bin] as number) + (histogram.counts[bin] as number)
  return { counts, voxels: histograms.reduce((sum, h) => sum + h.voxels, 0) }
}

/** Mean density, HU; NaN without voxels. */
export function meanDensity({ counts, voxels }: DensityHistogram): number {
  let sum = 0
  for (let bin = 0; bin < counts.length; bin++) sum += (counts[bin] as number) * (bin - offset)
  return sum / voxels
}

/** The lowest density, HU, at or below which at least `percent` per cent of the voxels are; NaN without voxels. */
export function percentileDensity({ counts, voxels }: DensityHistogram, percent: number): number {
  if (voxels === 0) return Number.NaN
  const wanted = (voxels * percent) / 100
  let below = 0
  for (let bin = 0; bin < counts.length; bin++) {
    below += counts[bin] as number
    if (below >= wanted && below > 0) return bin - offset
  }
  return Number.NaN
}

/** Per cent of the voxels whose density is below `limit` HU; NaN without voxels. */
export function fractionBelow({ counts, voxels }: DensityHistogram, limit: number): number {
  let below = 0
  const end = Math.min(counts.length, Math.ceil(limit) + offset)
  for (let bin = 0; bin < end; bin++) below += counts[bin] as number
  return (100 * below) / voxels
}
