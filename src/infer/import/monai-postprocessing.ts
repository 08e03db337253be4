import { type Component, type ConfigMap, plainName, worded } from './monai-config.ts'
import { type PlanStep, todoStep } from './plan.ts'
import type { Activation } from './results.ts'

/** Post-processing of a bundle. */
export interface MappedPostprocessing {
  /** What the output is, as its transforms say; null where they say nothing. */
  activation: Activation | null
  softmax: boolean
  threshold: number
  /** Steps on label maps. */
  steps: PlanStep[]
  unmapped: string[]
}

/** What needs nothing here: results return to the source images by resampling, and are written as DICOM objects. */
const nothing = new Set([
  'Invert',
  'SaveImage',
  'EnsureType',
  'ToTensor',
  'ToDevice',
  'ToNumpy',
  'CastToType',
  'EnsureChannelFirst',
  'Identity',
  'SelectItems',
  'DeleteItems',
  'CopyItems',
])

const labelsOf = (value: unknown): { labels?: number[] } | null => {
  if (value === undefined || value === null) return {}
  const labels = [value].flat()
  return labels.every((label) => Number.isInteger(label) && (label as number) > 0)
    ? { labels: labels as number[] }
    : null
}

const connectivities: Readonly<Record<number, number>> = { 1: 6, 2: 18, 3: 26 }

/** Steps on label maps by the transforms that they stand for; null where the options ask for something else. */
const mappings: Readonly<Record<string, (options: ConfigMap) => PlanStep[] | null>> = {
  KeepLargestConnectedComponent: (options) => {
    const { applied_labels, independent = true, connectivity = null, num_components: count = 1 } = options
    const labels = labelsOf(applied_labels)
    const neighbours = connectivity === null ? 26 : connectivities[Number(connectivity)]
    if (!labels || neighbours === undefined || typeof count !== 'number') return null
    const common = {
      ...labels,
      ...(neighbours !== 26 && { connectivity: neighbours }),
      ...(independent === false && { per: 'foreground' }),
    }
    return count === 1
      ? [{ step: 'largest-component', options: common }]
      : [{ step: 'components', options: { ...common, keep: { largest: count } } }]
  },
  FillHoles: ({ applied_labels, connectivity = null }) => {
    const labels = labelsOf(applied_labels)
    return labels && (connectivity === null || connectivity === 1) ? [{ step: 'fill-holes', options: labels }] : null
  },
  RemoveSmallObjects: ({ min_size = 64, by_measure = false, connectivity = 1, independent_channels = true }) => {
    const neighbours = connectivities[Number(connectivity)]
    // In voxels its meaning depends on the grid; in mm3 it does not.
    if (
      by_measure !== true ||
      typeof min_size !== 'number' ||
      neighbours === undefined ||
      independent_channels !== true
    )
      return null
    return [{ step: 'components', options: { connectivity: neighbours, keep: { minimumVolume: min_size / 1000 } } }]
  },
}

/** The post-processing of a MONAI bundle. */
export function mapPostprocessing(transforms: readonly Component[]): MappedPostprocessing {
  const result: MappedPostprocessing = { activation: null, softmax: false, threshold: 0.5, steps: [], unmapped: [] }
  let sigmoid = false
  for (const transform of transforms) {
    const name = plainName(transform.target)
    if (nothing.has(name)) continue
    const { options } = transform
    if (name === 'Activations' && (first(options.softmax) === true || first(options.sigmoid) === true)) {
      sigmoid = first(options.sigmoid) === true
      result.softmax = !sigmoid
      continue
    }
    if (name === 'AsDiscrete') {
      const threshold = first(
        options.threshold ?? (options.threshold_values === true ? (options.logit_thresh ?? 0.5) : null),
      )
      if (first(options.argmax) === true) {
        result.activation = 'argmax'
        continue
      }
      if (typeof threshold === 'number') {
        result.activation = sigmoid ? 'sigmoid' : 'probabilities'
        result.threshold = threshold
        continue
      }
    }
    const steps = Object.hasOwn(mappings, name)
      ? (mappings[name] as (o: ConfigMap) => PlanStep[] | null)(options)
      : null
    if (steps) result.steps.push(...steps)
    else {
      result.unmapped.push(worded(transform))
      result.steps.push(todoStep(worded(transform)))
    }
  }
  if (result.activation === null) result.activation = sigmoid ? 'sigmoid' : result.softmax ? 'argmax' : null
  return result
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value
}

/** Names of transforms that are understood, for the documentation. */
export const postprocessingTransforms: readonly string[] = [
  'Activations',
  'AsDiscrete',
  ...Object.keys(mappings),
  ...nothing,
]
