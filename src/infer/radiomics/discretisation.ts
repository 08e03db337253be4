import { RadiomicsError } from './error.ts'
import type { Region } from './region.ts'

/**
 * How intensities become grey levels (IBSI 2.7).
 * - `none`: the intensities are whole numbers from 1 already
 * - `bins`: a fixed number of bins over the range of the region
 * - `width`: bins of a fixed width, from the lower end of the re-segmentation range, or else from the lowest intensity of the region
 */
export type Discretisation = 'none' | { bins: number } | { width: number }

/** From an intensity inside the region to its grey level, 1 to `levels`. */
export interface Levels {
  levelOf(intensity: number): number
  levels: number
  /** Where bin 1 begins, and how wide a bin is. */
  start: number
  width: number
}

/** The lowest and highest intensity of the intensity mask. */
export function intensityRange({ intensities, intensityMask }: Region): { lowest: number; highest: number } {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < intensities.length; i++) {
    if (intensityMask[i] === 0) continue
    const value = intensities[i] as number
    if (value < lowest) lowest = value
    if (value > highest) highest = value
  }
  return { lowest, highest }
}

/**
 * The grey levels of a region.
 * @throws RadiomicsError not-discrete, where `none` meets intensities that are no whole numbers from 1; invalid-options
 */
export function discretise(region: Region, discretisation: Discretisation): Levels {
  const { lowest, highest } = intensityRange(region)
  if (discretisation === 'none') {
    requireLevels(region)
    return { levelOf: (intensity) => intensity, levels: highest, start: 0.5, width: 1 }
  }
  if ('bins' in discretisation) {
    const { bins } = discretisation
    requirePositive(bins, 'number of bins')
    const width = (highest - lowest) / bins
    const levelOf = (intensity: number): number =>
      intensity >= highest ? bins : Math.min(bins, Math.floor((bins * (intensity - lowest)) / (highest - lowest)) + 1)
    return highest > lowest
      ? { levelOf, levels: bins, start: lowest, width }
      : { levelOf: () => 1, levels: 1, start: lowest, width: 1 }
  }
  const { width } = discretisation
  requirePositive(width, 'bin width')
  const start = region.range.lower ?? lowest
  const levelOf = (intensity: number): number => Math.max(1, Math.floor((intensity - start) / width) + 1)
  return { levelOf, levels: levelOf(highest), start, width }
}

function requirePositive(value: number, what: string): void {
  if (!(value > 0)) throw new RadiomicsError('invalid-options', `the ${what} is ${value}, it must be above 0`)
}

function requireLevels({ intensities, intensityMask }: Region): void {
  for (let i = 0; i < intensities.length; i++) {
    const value = intensities[i] as number
    if (intensityMask[i] !== 0 && (value < 1 || !Number.isInteger(value)))
      throw new RadiomicsError(
        'not-discrete',
        `the intensity ${value} is no whole number from 1, and no discretisation is asked for`,
      )
  }
}
