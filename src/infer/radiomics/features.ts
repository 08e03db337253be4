import type { Image, LabelMap } from '../image.ts'
import { type Aggregated, type Aggregation, aggregations, dimensionOf, type TextureAggregation } from './aggregation.ts'
import { type CatalogueEntry, catalogue, type Family, type UnitKind } from './catalogue.ts'
import { cooccurrenceFeatures } from './cooccurrence.ts'
import type { Discretisation } from './discretisation.ts'
import { distributionOf, meanOf } from './distribution.ts'
import { type FilterName, filterName } from './filter-name.ts'
import { greyLevels } from './grey-levels.ts'
import {
  histogramFeatures,
  intensitiesOf,
  intensityFeatures,
  type VolumeHistogramDiscretisation,
  volumeHistogramDiscretisation,
  volumeHistogramFeatures,
} from './intensity.ts'
import { localIntensityFeatures, peakRadius } from './local-intensity.ts'
import { morphologicalFeatures } from './morphology.ts'
import { dependenceFeatures, toneDifferenceFeatures } from './neighbourhood.ts'
import { prepareRegion, type Region, type RegionOptions } from './region.ts'
import { runLengthFeatures } from './run-length.ts'
import { distanceZoneFeatures, sizeZoneFeatures } from './zones.ts'

/** One radiomics feature, as the Image Biomarker Standardisation Initiative defines it. */
export interface Feature {
  family: Family
  /** IBSI's permanent identifier of the feature: its code in DICOM's coding scheme IBSI. */
  code: string
  /** IBSI's name. */
  name: string
  /** Short name, of its own for each feature of an answer: `morph_volume`, `cm_contrast_3D_comb`, `log_1.5_3D_stat_mean`. */
  tag: string
  /** NaN where the feature has no value for the region. */
  value: number
  /** UCUM. */
  unit: string
  /** How texture matrices were put together, and IBSI's identifier of it. */
  aggregation?: { name: Aggregation; code: string }
  /** The filter whose response was measured, in words, and IBSI's identifier of its kind. */
  filter?: { name: string; code: string }
}

/** How features of one image are computed: image processing first, then what each family needs. */
export interface FeatureOptions extends Omit<RegionOptions, 'margin'> {
  /** Default: all. */
  families?: readonly Family[]
  /** How texture matrices of several directions and slices become one value; default `3D-merged`. */
  aggregation?: readonly TextureAggregation[]
  /** For the intensity histogram and texture; default 32 bins. */
  discretisation?: Discretisation
  /** For the intensity-volume histogram; default `auto`. */
  volumeHistogram?: VolumeHistogramDiscretisation
  /** Chebyshev distance for co-occurrence, tone difference and dependence matrices, voxels; default 1. */
  distance?: number
  /** Largest difference of grey levels that still counts as dependent (NGLDM); default 0. */
  coarseness?: number
  /** Points of the Fourier transform for Moran's I and Geary's C; regions that need more go without. Default 2^24, 300 MB. */
  autocorrelationLimit?: number
  /** UCUM unit of the intensities, `[hnsf'U]` for CT; default `1`. */
  intensityUnit?: string
}

/** The short names of aggregations in IBSI's tables. */
const aggregationTags: Readonly<Record<Aggregation, string>> = {
  '2D-averaged': '2D_avg',
  '2D-slice-merged': '2D_comb',
  '2.5D-direction-merged': '2_5D_avg',
  '2.5D-merged': '2_5D_comb',
  '3D-averaged': '3D_avg',
  '3D-merged': '3D_comb',
  '2D': '2D',
  '2.5D': '2_5D',
  '3D': '3D',
}

/** Families that need the grey levels. */
const textureFamilies = [
  'co-occurrence',
  'run-length',
  'size-zone',
  'distance-zone',
  'tone-difference',
  'dependence',
] as const satisfies readonly Family[]

/** What is taken where an option is left out. */
export const featureDefaults = {
  aggregation: ['3D-merged'],
  discretisation: { bins: 32 },
  volumeHistogram: 'auto',
  distance: 1,
  coarseness: 0,
  autocorrelationLimit: 2 ** 24,
  intensityUnit: '1',
} as const satisfies FeatureOptions

type Settings = FeatureOptions & Required<Pick<FeatureOptions, keyof typeof featureDefaults>>

/**
 * The radiomics features of a region of interest (IBSI-1 reference manual, chapters 2 and 3), of the image or of its response to one filter
 * (IBSI-2). Slices are the planes of the grid's first two axes. Shape is measured on the mask as it was drawn, everything else on what
 * re-segmentation leaves of it.
 * @throws RadiomicsError different-grids, empty-region, not-discrete, too-many-grey-levels, invalid-options
 */
export function computeFeatures(image: Image, mask: LabelMap, options: FeatureOptions = {}): Feature[] {
  const settings: Settings = { ...featureDefaults, ...options }
  const families = options.families ?? (Object.keys(catalogue) as Family[])
  const margin = families.includes('local-intensity') ? peakRadius : 0
  const region = prepareRegion(image, mask, { ...options, margin })
  return [...wholeFeatures(region, families, settings), ...textureFeatures(region, families, settings)]
}

/** Families that have one value a feature. */
function wholeFeatures(region: Region, families: readonly Family[], settings: Settings): Feature[] {
  const intensities = distributionOf(intensitiesOf(region))
  const volumeHistogram = families.includes('intensity-volume-histogram')
    ? volumeHistogramDiscretisation(settings.volumeHistogram, intensities)
    : 'none'
  const compute: Partial<Record<Family, () => readonly number[]>> = {
    morphology: () =>
      morphologicalFeatures(
        region,
        meanOf(intensities, (x) => x),
        settings.autocorrelationLimit,
      ),
    'local-intensity': () => localIntensityFeatures(region, intensities.values.at(-1) as number),
    intensity: () => intensityFeatures(intensities),
    'intensity-histogram': () => histogramFeatures(region, settings.discretisation, intensities),
    'intensity-volume-histogram': () => volumeHistogramFeatures(region, volumeHistogram, intensities),
  }
  const inImageUnits = describer(settings)
  // With a fixed number of bins the intensities of this family are numbers of bins.
  const inBins = describer({ ...settings, intensityUnit: '1' })
  const ofVolumeHistogram = typeof volumeHistogram === 'object' && 'bins' in volumeHistogram ? inBins : inImageUnits
  return families.flatMap((family) => {
    const describe = family === 'intensity-volume-histogram' ? ofVolumeHistogram : inImageUnits
    const values = compute[family]?.()
    return values ? catalogue[family].map((entry, index) => describe(family, entry, values[index])) : []
  })
}

function textureFeatures(region: Region, families: readonly Family[], settings: Settings): Feature[] {
  const wanted = textureFamilies.filter((family) => families.includes(family))
  if (wanted.length === 0) return []
  const { distance, coarseness, aggregation } = settings
  const dimensions = [...new Set(aggregation.map(dimensionOf))]
  const asked: ReadonlySet<Aggregation> = new Set([...aggregation, ...dimensions])
  const describe = describer(settings)
  const levels = greyLevels(region, settings.discretisation, distance)
  const compute: Record<(typeof textureFamilies)[number], () => Aggregated> = {
    'co-occurrence': () => cooccurrenceFeatures(levels, dimensions, distance),
    'run-length': () => runLengthFeatures(levels, dimensions),
    'size-zone': () => sizeZoneFeatures(levels, dimensions),
    'distance-zone': () => distanceZoneFeatures(levels, dimensions),
    'tone-difference': () => toneDifferenceFeatures(levels, dimensions, distance),
    dependence: () => dependenceFeatures(levels, dimensions, { distance, coarseness }),
  }
  return wanted.flatMap((family) => {
    const values = compute[family]()
    return (Object.keys(aggregations) as Aggregation[])
      .filter((one) => asked.has(one) && values[one])
      .flatMap((one) => catalogue[family].map((entry, index) => describe(family, entry, values[one]?.[index], one)))
  })
}

type Describe = (family: Family, entry: CatalogueEntry, value: number | undefined, aggregation?: Aggregation) => Feature

function describer({ filter, intensityUnit }: Settings): Describe {
  const named: FilterName | undefined = filter && filterName(filter)
  return (family, { code, name, tag, unit }, value, aggregation) => ({
    family,
    code,
    name,
    tag: `${named ? `${named.tag}_` : ''}${tag}${aggregation ? `_${aggregationTags[aggregation]}` : ''}`,
    value: value ?? Number.NaN,
    unit: unitOf(unit, intensityUnit),
    ...(aggregation && { aggregation: { name: aggregation, code: aggregations[aggregation] } }),
    ...(named && { filter: { name: named.name, code: named.code } }),
  })
}

function unitOf(kind: UnitKind, intensity: string): string {
  switch (kind) {
    case 'none':
      return '1'
    case 'per-mm':
      return '/mm'
    case 'intensity':
      return intensity
    case 'intensity2':
      return intensity === '1' ? '1' : `${intensity}2`
    case 'intensity-mm3':
      return intensity === '1' ? 'mm3' : `${intensity}.mm3`
    default:
      return kind
  }
}
