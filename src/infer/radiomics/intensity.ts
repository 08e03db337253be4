import { type Discretisation, discretise, intensityRange } from './discretisation.ts'
import { type Distribution, meanOf, statisticsOf } from './distribution.ts'
import { RadiomicsError } from './error.ts'
import type { Region } from './region.ts'

/** The intensities of the intensity mask. */
export function intensitiesOf({ intensities, intensityMask }: Region): Float32Array {
  const found = new Float32Array(intensityMask.reduce((sum, inside) => sum + (inside === 0 ? 0 : 1), 0))
  let next = 0
  for (let i = 0; i < intensities.length; i++) if (intensityMask[i] !== 0) found[next++] = intensities[i] as number
  return found
}

/** Intensity-based statistics (IBSI 3.3), in the order of the catalogue. */
export function intensityFeatures(distribution: Distribution): number[] {
  const meanSquare = meanOf(distribution, (x) => x * x)
  return [...Object.values(statisticsOf(distribution)), meanSquare * distribution.total, Math.sqrt(meanSquare)]
}

/** Intensity histogram features (IBSI 3.4), in the order of the catalogue. */
export function histogramFeatures(region: Region, discretisation: Discretisation, intensities: Distribution): number[] {
  const { levelOf, levels } = discretise(region, discretisation)
  const histogram = new Float64Array(levels)
  for (let i = 0; i < intensities.values.length; i++) {
    const level = levelOf(intensities.values[i] as number)
    histogram[level - 1] = (histogram[level - 1] as number) + (intensities.counts[i] as number)
  }
  const present = [...histogram.keys()].filter((level) => (histogram[level] as number) > 0)
  const distribution: Distribution = {
    values: Float64Array.from(present, (index) => index + 1),
    counts: Float64Array.from(present, (index) => histogram[index] as number),
    total: intensities.total,
  }
  const s = statisticsOf(distribution)
  const probabilities = distribution.counts.map((count) => count / distribution.total)
  return [
    s.mean,
    s.variance,
    s.skewness,
    s.kurtosis,
    s.median,
    s.minimum,
    s.percentile10,
    s.percentile90,
    s.maximum,
    modeOf(distribution, s.mean),
    s.interquartileRange,
    s.range,
    s.meanAbsoluteDeviation,
    s.robustMeanAbsoluteDeviation,
    s.medianAbsoluteDeviation,
    s.coefficientOfVariation,
    s.quartileCoefficientOfDispersion,
    -probabilities.reduce((sum, p) => sum + p * Math.log2(p), 0),
    probabilities.reduce((sum, p) => sum + p * p, 0),
    ...gradientFeatures(histogram),
  ]
}

/** The most frequent grey level; of several, that nearest to the mean. */
function modeOf({ values, counts }: Distribution, mean: number): number {
  const most = counts.reduce((a, b) => Math.max(a, b), 0)
  return [...values]
    .filter((_, index) => counts[index] === most)
    .reduce((best, value) => (Math.abs(value - mean) < Math.abs(best - mean) ? value : best))
}

/** Largest gradient of the histogram and its grey level, then the smallest: central differences, one-sided at the ends. */
function gradientFeatures(histogram: Float64Array): [number, number, number, number] {
  const last = histogram.length - 1
  if (last === 0) return [0, 1, 0, 1]
  const at = (index: number): number => histogram[index] as number
  const gradient = Array.from(histogram, (_, i) => {
    if (i === 0) return at(1) - at(0)
    return i === last ? at(last) - at(last - 1) : (at(i + 1) - at(i - 1)) / 2
  })
  const extreme = (better: (a: number, b: number) => boolean): number =>
    gradient.reduce((best, value, index) => (better(value, gradient[best] as number) ? index : best), 0)
  const steepest = extreme((a, b) => a > b)
  const lowest = extreme((a, b) => a < b)
  return [gradient[steepest] as number, steepest + 1, gradient[lowest] as number, lowest + 1]
}

/** How the intensity-volume histogram is made; `auto` takes whole numbers as they are, and anything else in 1000 bins. */
export type VolumeHistogramDiscretisation = Discretisation | 'auto'

/**
 * What `auto` comes to.
 * @throws RadiomicsError not-discrete, where `none` meets intensities that are no whole numbers
 */
export function volumeHistogramDiscretisation(
  asked: VolumeHistogramDiscretisation,
  { values }: Distribution,
): Discretisation {
  const whole = values.every((value) => Number.isInteger(value))
  if (asked === 'none' && !whole)
    throw new RadiomicsError(
      'not-discrete',
      'the intensities are no whole numbers: the intensity-volume histogram needs a discretisation',
    )
  const countable = (values.at(-1) as number) - (values[0] as number) < 1e6
  return asked !== 'auto' ? asked : whole && countable ? 'none' : { bins: 1000 }
}

/** Intensity-volume histogram features (IBSI 3.5), in the order of the catalogue; with `bins` their intensities are numbers of bins. */
export function volumeHistogramFeatures(
  region: Region,
  discretisation: Discretisation,
  intensities: Distribution,
): number[] {
  const { axis, fractions } = volumeHistogram(region, discretisation, intensities)
  const lowest = axis(0)
  const highest = axis(fractions.length - 1)
  const last = fractions.length - 1
  const intensityFraction = (bin: number): number =>
    highest === lowest ? 1 : (axis(bin) - lowest) / (highest - lowest)
  // What is meant to be equal may differ by the rounding of the fraction.
  const volumeAt = (fraction: number): number => {
    const bin = fractions.findIndex((_, index) => intensityFraction(index) >= fraction - 1e-9)
    return bin < 0 ? 0 : (fractions[bin] as number)
  }
  const intensityAt = (fraction: number): number => {
    const bin = fractions.findIndex((volume) => volume <= fraction + 1e-12)
    return axis(bin < 0 ? last + 1 : bin)
  }
  const [v10, v90, i10, i90] = [volumeAt(0.1), volumeAt(0.9), intensityAt(0.1), intensityAt(0.9)]
  let area = 0
  for (let bin = 0; bin < last; bin++)
    area +=
      (((fractions[bin] as number) + (fractions[bin + 1] as number)) / 2) *
      (intensityFraction(bin + 1) - intensityFraction(bin))
  return [v10, v90, i10, i90, v10 - v90, i10 - i90, area]
}

/** For each bin its intensity, and the fraction of the voxels at or above it. */
function volumeHistogram(
  region: Region,
  discretisation: Discretisation,
  intensities: Distribution,
): { axis: (bin: number) => number; fractions: Float64Array } {
  const { lowest, highest } = intensityRange(region)
  let bins: number
  let axis: (bin: number) => number
  let binOf: (intensity: number) => number
  if (discretisation === 'none') {
    const from = region.range.lower ?? lowest
    bins = (region.range.upper ?? highest) - from + 1
    axis = (bin) => from + bin
    binOf = (intensity) => Math.ceil(intensity - from)
  } else {
    const { levelOf, levels, start, width } = discretise(region, discretisation)
    const fixedWidth = 'width' in discretisation
    const upper = fixedWidth ? region.range.upper : undefined
    bins = upper === undefined ? levels : Math.ceil((upper - start) / width)
    axis = fixedWidth ? (bin) => start + (bin + 0.5) * width : (bin) => bin + 1
    binOf = (intensity) => levelOf(intensity) - 1
  }
  const fractions = new Float64Array(Math.max(1, Math.ceil(bins)))
  for (let i = 0; i < intensities.values.length; i++) {
    const bin = Math.min(binOf(intensities.values[i] as number), fractions.length - 1)
    fractions[bin] = (fractions[bin] as number) + (intensities.counts[i] as number) / intensities.total
  }
  for (let bin = fractions.length - 2; bin >= 0; bin--)
    fractions[bin] = (fractions[bin] as number) + (fractions[bin + 1] as number)
  return { axis, fractions }
}
