import type { RadiomicsOptions } from './radiomics.ts'

const everywhere = [
  '2D-averaged',
  '2D-slice-merged',
  '2.5D-direction-merged',
  '2.5D-merged',
  '3D-averaged',
  '3D-merged',
] as const

/** What the two configurations in slices have in common. */
const planar = {
  aggregation: ['2D-averaged', '2D-slice-merged', '2.5D-direction-merged', '2.5D-merged'],
  resegmentation: { lower: -500, upper: 400 },
  volumeHistogram: 'none',
} as const satisfies RadiomicsOptions

/** What the three in space have in common. */
const spatial = {
  aggregation: ['3D-averaged', '3D-merged'],
  resampling: { spacing: [2, 2, 2], method: 'linear', round: true },
} as const satisfies RadiomicsOptions

/**
 * The image processing of IBSI-1's reference values (reference manual, chapter 5): the digital phantom as it is, and the configurations
 * A to E of the chest CT. Intensities are HU.
 */
export const configurations = {
  'ibsi-phantom': { aggregation: everywhere, discretisation: 'none', volumeHistogram: 'none' },
  'ibsi-a': { ...planar, discretisation: { width: 25 } },
  'ibsi-b': {
    ...planar,
    resampling: { spacing: [2, 2, null], method: 'linear', round: true },
    discretisation: { bins: 32 },
  },
  'ibsi-c': {
    ...spatial,
    resegmentation: { lower: -1000, upper: 400 },
    discretisation: { width: 25 },
    volumeHistogram: { width: 2.5 },
  },
  'ibsi-d': {
    ...spatial,
    resegmentation: { outliers: 3 },
    discretisation: { bins: 32 },
    volumeHistogram: 'none',
  },
  'ibsi-e': {
    ...spatial,
    resampling: { ...spatial.resampling, method: 'cubic' },
    resegmentation: { lower: -1000, upper: 400, outliers: 3 },
    discretisation: { bins: 32 },
    volumeHistogram: { bins: 1000 },
  },
} as const satisfies Readonly<Record<string, RadiomicsOptions>>

/** A configuration of IBSI-1, by name. */
export type ConfigurationName = keyof typeof configurations
