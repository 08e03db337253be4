import type { Discretisation } from './discretisation.ts'
import { type FeatureOptions, featureDefaults } from './features.ts'
import { filterName } from './filter-name.ts'
import { type RadiomicsOptions, withConfiguration } from './radiomics.ts'
import type { Resampling, Resegmentation } from './region.ts'

/**
 * What the values of features depend on, one line each, in words: for the report that carries them (IBSI, reporting guidelines).
 */
export function radiomicsParameters(options: RadiomicsOptions): string[] {
  const settings: FeatureOptions = withConfiguration(options)
  const { discretisation, volumeHistogram, aggregation, distance, coarseness } = { ...featureDefaults, ...settings }
  const { configuration, filters = [] } = options
  return [
    'Radiomics features as defined by IBSI (reference manual of IBSI-1)',
    ...(configuration ? [`Configuration: ${configuration}`] : []),
    `Resampling: ${settings.resampling ? resampled(settings.resampling) : 'none'}`,
    `Re-segmentation: ${resegmented(settings.resegmentation ?? {})}`,
    `Discretisation: ${discretised(discretisation)}`,
    `Discretisation of the intensity-volume histogram: ${volumeHistogram === 'auto' ? 'whole numbers as they are, others in 1000 bins' : discretised(volumeHistogram)}`,
    `Aggregation of texture matrices: ${aggregation.join(', ')}; distance ${distance}, coarseness ${coarseness}`,
    ...filters.map((filter) => `Filter (IBSI-2): ${filterName(filter).name}`),
  ]
}

function resampled({ spacing, method, maskMethod = 'linear', maskThreshold = 0.5, round }: Resampling): string {
  const grid = spacing.map((mm) => mm ?? 'as it is').join(' x ')
  return `${grid} mm, ${method}${round ? ', rounded' : ''}; mask ${maskMethod}, inside from ${maskThreshold}`
}

function resegmented({ lower, upper, outliers }: Resegmentation): string {
  const parts = [
    ...(lower === undefined ? [] : [`from ${lower}`]),
    ...(upper === undefined ? [] : [`up to ${upper}`]),
    ...(outliers === undefined ? [] : [`within ${outliers} standard deviations of the mean`]),
  ]
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function discretised(discretisation: Discretisation): string {
  if (discretisation === 'none') return 'none'
  return 'bins' in discretisation ? `${discretisation.bins} bins` : `bins of ${discretisation.width}`
}
