import { readFileSync } from 'node:fs'
import type { Image, LabelMap } from '../../src/infer/image.ts'
import type { FeatureOptions } from '../../src/infer/radiomics/features.ts'
import type { Filter } from '../../src/infer/radiomics/filter.ts'
import { sharedData } from './data.ts'
import { readNifti, readNiftiMask } from './nifti.ts'

/** A reference value of the Image Biomarker Standardisation Initiative. */
export interface Reference {
  tag: string
  value: number
  tolerance: number
}

/** Image and mask of a data set. */
export interface Sample {
  image: Image
  mask: LabelMap
}

/** Image and mask below a folder of IBSI's `data_sets`, or null where they are absent. */
function sample(imageParts: readonly string[], maskParts: readonly string[]): Sample | null {
  const image = sharedData('ibsi', ...imageParts)
  const mask = sharedData('ibsi', ...maskParts)
  return image && mask ? { image: readNifti(image), mask: readNiftiMask(mask) } : null
}

/** The digital phantom of IBSI-1, or null where it is absent. */
export function digitalPhantom(): Sample | null {
  const folder = ['ibsi_1_digital_phantom', 'nifti']
  return sample([...folder, 'image', 'phantom.nii.gz'], [...folder, 'mask', 'mask.nii.gz'])
}

/** The chest CT of configurations A to E (PAT1, GTV-1), in whole HU, or null where it is absent. */
export function chestPhantom(): Sample | null {
  const folder = ['ibsi_1_ct_radiomics_phantom', 'nifti']
  const found = sample([...folder, 'image', 'phantom.nii.gz'], [...folder, 'mask', 'mask.nii.gz'])
  return found && { ...found, image: { ...found.image, data: found.image.data.map(Math.round) } }
}

/** One of the phantoms of IBSI-2, or null where it is absent; its mask covers all of it. */
export function filterPhantom(name: 'checkerboard' | 'impulse' | 'pattern_1' | 'sphere'): Image | null {
  const path = sharedData('ibsi', 'ibsi_2_digital_phantom', 'nifti', name, 'image', `${name}.nii.gz`)
  return path === null ? null : readNifti(path)
}

/**
 * Reference values of IBSI-1, of image processing as well as of features; rows without consensus are left out.
 * @param name `dig_phantom`, `chest_config_a` and so on
 * @returns null where they are absent
 */
export function featureReferences(name: string): Reference[] | null {
  const path = sharedData('ibsi', 'ibsi_1_reference_values', `ibsi_1_${name}.csv`)
  if (path === null) return null
  return rows(path, ';').flatMap(([value, tolerance, tag]) => (value ? [reference(tag, value, tolerance)] : []))
}

/** Reference values of IBSI-2 on the chest CT, by filter, or null where they are absent. */
export function filterReferences(): Map<string, Reference[]> | null {
  const path = sharedData('ibsi', 'ibsi_2_reference_values', 'reference_feature_values', 'reference_values.csv')
  if (!path) return null
  const byFilter = new Map<string, Reference[]>()
  for (const [id = '', , tag, value = '', tolerance] of rows(path, ';'))
    byFilter.set(id, [...(byFilter.get(id) ?? []), reference(tag, value, tolerance)])
  return byFilter
}

function rows(path: string, separator: string): string[][] {
  const lines = readFileSync(path, 'utf8').trim().split(/\r?\n/).slice(1)
  return lines.map((line) => line.split(separator).map((cell) => cell.trim()))
}

function reference(tag = '', value = '', tolerance = ''): Reference {
  return { tag, value: Number(value), tolerance: Number(tolerance) }
}

/** True where a value, rounded to the three digits that IBSI publishes, lies within the tolerance. */
export function agrees(value: number, { value: wanted, tolerance }: Reference): boolean {
  return Math.abs(Number(value.toPrecision(3)) - wanted) <= tolerance * (1 + 1e-9) + Math.abs(wanted) * 1e-9
}

/** References of features: IBSI's tables begin with diagnostics of the image processing. */
export function ofFeatures(references: readonly Reference[]): Reference[] {
  return references.filter(
    ({ tag }) => /^(morph|loc|stat|ih|ivh|cm|rlm|szm|dzm|ngt|ngl)_/.test(tag) && !tag.endsWith('_roi'),
  )
}

const inSlices: FeatureOptions = { families: ['intensity'], resegmentation: { lower: -1000, upper: 400 } }
const inSpace: FeatureOptions = {
  ...inSlices,
  resampling: { spacing: [1, 1, 1], method: 'cubic', round: true },
}

/** Pairs of a filter in slices (A) and in space (B), as IBSI-2 applies them to the chest CT. */
const filters: Record<string, readonly [Filter, Filter]> = {
  2: [
    { kind: 'mean', support: 5, dimensions: 2 },
    { kind: 'mean', support: 5 },
  ],
  3: [
    { kind: 'laplacian-of-gaussian', sigma: 1.5, dimensions: 2 },
    { kind: 'laplacian-of-gaussian', sigma: 1.5 },
  ],
  4: [
    { kind: 'laws', kernels: 'L5E5', rotationInvariance: 'max', energyDistance: 7 },
    { kind: 'laws', kernels: 'L5E5E5', rotationInvariance: 'max', energyDistance: 7 },
  ],
  5: [
    { kind: 'gabor', sigma: 5, wavelength: 2, gamma: 1.5, thetaStep: 22.5 },
    { kind: 'gabor', sigma: 5, wavelength: 2, gamma: 1.5, thetaStep: 22.5, planes: 'orthogonal' },
  ],
  6: [
    { kind: 'wavelet', family: 'db3', bands: 'LH', rotationInvariance: 'mean' },
    { kind: 'wavelet', family: 'db3', bands: 'LLH', rotationInvariance: 'mean' },
  ],
  7: [
    { kind: 'wavelet', family: 'db3', bands: 'HH', level: 2, rotationInvariance: 'mean' },
    { kind: 'wavelet', family: 'db3', bands: 'HHH', level: 2, rotationInvariance: 'mean' },
  ],
}

/** The image processing of IBSI-2's reference values: 1 is no filter, those from 8 on are wavelets that are not built here. */
export const filterConfigurations: Readonly<Record<string, FeatureOptions>> = {
  '1.A': inSlices,
  '1.B': inSpace,
  ...Object.fromEntries(
    Object.entries(filters).flatMap(([id, [planar, spatial]]) => [
      [`${id}.A`, { ...inSlices, filter: planar }],
      [`${id}.B`, { ...inSpace, filter: spatial }],
    ]),
  ),
}
