import type { Image, LabelMap } from '../image.ts'
import type { Family } from './catalogue.ts'
import { type ConfigurationName, configurations } from './configurations.ts'
import { computeFeatures, type Feature, type FeatureOptions } from './features.ts'
import type { Filter } from './filter.ts'

/** How features are computed, of an image and of its responses to filters. */
export interface RadiomicsOptions extends Omit<FeatureOptions, 'filter'> {
  /** Takes what is not given here from a configuration of IBSI-1. */
  configuration?: ConfigurationName
  /** Features are computed of the response to each of them as well, but for shape and local peaks. */
  filters?: readonly Filter[]
  /** False leaves out the features of the image itself; default true. */
  unfiltered?: boolean
}

/** Families that say something of a filter's response: its values have no place of their own, and the shape is the mask's. */
const ofResponses: ReadonlySet<Family> = new Set<Family>([
  'intensity',
  'intensity-histogram',
  'intensity-volume-histogram',
  'co-occurrence',
  'run-length',
  'size-zone',
  'distance-zone',
  'tone-difference',
  'dependence',
])

/** The options of one image: what stands in the configuration that they name, and over it what they say themselves. */
export function withConfiguration(options: RadiomicsOptions): FeatureOptions {
  const { configuration, filters: _filters, unfiltered: _unfiltered, ...own } = options
  return configuration ? { ...configurations[configuration], ...own } : own
}

/**
 * The radiomics features of a region of interest, as the Image Biomarker Standardisation Initiative defines them (IBSI-1 reference manual,
 * IBSI-2 filters). Slices are the planes of the grid's first two axes.
 * @param mask on the image's grid; not 0, or `options.label`, is inside
 * @returns the features of the image, then those of each filter's response, by family in the order that was asked for
 * @throws RadiomicsError different-grids, empty-region, not-discrete, too-many-grey-levels, invalid-options
 */
export function radiomics(image: Image, mask: LabelMap | Uint8Array, options: RadiomicsOptions = {}): Feature[] {
  const { filters = [], unfiltered = true } = options
  const settings = withConfiguration(options)
  const labels: LabelMap = mask instanceof Uint8Array ? { grid: image.grid, labels: mask } : mask
  const features = unfiltered ? computeFeatures(image, labels, settings) : []
  const families = (settings.families ?? [...ofResponses]).filter((family) => ofResponses.has(family))
  for (const filter of filters)
    if (families.length > 0) features.push(...computeFeatures(image, labels, { ...settings, families, filter }))
  return features
}
