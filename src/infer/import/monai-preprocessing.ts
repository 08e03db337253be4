import type { Component, ConfigMap } from './monai-config.ts'
import { plainName, worded } from './monai-config.ts'
import { type PlanStep, todoStep } from './plan.ts'

/** What is known of the image while its transforms are read. */
interface State {
  /** mm along each axis, where a transform has set it. */
  spacing: readonly (number | null)[] | null
  /** The least value is 0: what is above 0 is what is not 0. */
  startsAtZero: boolean
}

/** Preprocessing of a bundle as steps. */
export interface MappedTransforms {
  steps: PlanStep[]
  notes: string[]
  /** Transforms that have no step here. */
  unmapped: string[]
  /** A transform says which way the axes run. */
  isOriented: boolean
}

/** Steps, or null where what the options ask for is not what any step does. */
type Mapping = (options: ConfigMap, state: State) => PlanStep[] | null

/** Transforms that bring files into memory, or tensors to a device: reading and feeding do the same here. */
const nothing = new Set([
  'LoadImage',
  'EnsureChannelFirst',
  'AsChannelFirst',
  'AddChannel',
  'EnsureType',
  'ToTensor',
  'ToDevice',
  'ToNumpy',
  'CastToType',
  'Identity',
  'SelectItems',
  'DeleteItems',
])

const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const numbers = (value: unknown): number[] | null => {
  const list = Array.isArray(value) ? value : [value]
  return list.every((one) => number(one) !== null) ? (list as number[]) : null
}
const perAxis = (value: unknown): number[] | null => {
  const given = numbers(value)
  if (!given) return null
  return given.length === 1 && !Array.isArray(value) ? [0, 1, 2].map(() => given[0] as number) : given
}
const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value)

function interpolationOf(mode: unknown, otherwise: string): string | null {
  switch (first(mode) ?? otherwise) {
    case 'nearest':
    case 'nearest-exact':
    case 0:
      return 'nearest'
    case 'bilinear':
    case 'trilinear':
    case 'linear':
    case 1:
      return 'linear'
    case 'bicubic':
    case 3:
      return 'cubic'
    default:
      return null
  }
}

const over = (options: ConfigMap): string => (options.channel_wise === true ? 'channel' : 'image')

const mappings: Readonly<Record<string, Mapping>> = {
  Orientation: ({ axcodes, as_closest_canonical: canonical }) => {
    const axes = axcodes ?? (canonical === true ? 'RAS' : undefined)
    return typeof axes === 'string' && /^[LRAPSI]{3}$/.test(axes) ? [{ step: 'reorient', options: { axes } }] : null
  },
  Spacing: ({ pixdim, mode, diagonal }, state) => {
    const given = numbers(pixdim)
    const interpolation = interpolationOf(mode, 'bilinear')
    if (!given || !interpolation || diagonal === true || given.length > 3) return null
    const spacing = (given.length === 1 ? [0, 1, 2].map(() => given[0] as number) : given).map((mm) =>
      mm > 0 ? mm : null,
    )
    state.spacing = spacing
    return [{ step: 'resample', options: { spacing, ...(interpolation !== 'linear' && { interpolation }) } }]
  },
  ScaleIntensityRange: ({ a_min, a_max, b_min = null, b_max = null, clip = false }, state) => {
    const [low, high] = [number(a_min), number(a_max)]
    if (low === null || high === null || low >= high || typeof clip !== 'boolean') return null
    const to = b_min === null && b_max === null ? [0, 1] : [number(b_min), number(b_max)]
    if (to[0] === null || to[1] === null || (to[0] as number) >= (to[1] as number)) return null
    state.startsAtZero = clip && to[0] === 0
    return [{ step: 'scale-range', options: { from: [low, high], to, clip } }]
  },
  ScaleIntensityRangePercentiles: (options, state) => {
    const { lower, upper, b_min, b_max, clip = false, relative = false } = options
    const all = [lower, upper, b_min, b_max].map(number)
    if (all.includes(null) || relative === true || typeof clip !== 'boolean') return null
    const [low, high, least, most] = all as [number, number, number, number]
    state.startsAtZero = clip && least === 0
    return [
      { step: 'scale-range', options: { percentiles: [low, high], to: [least, most], clip, over: over(options) } },
    ]
  },
  ScaleIntensity: (options, state) => {
    const { minv = 0, maxv = 1, factor = null } = options
    const by = number(factor)
    if (by !== null && (minv === null || maxv === null)) return [{ step: 'scale', options: { factor: 1 + by } }]
    const [low, high] = [number(minv), number(maxv)]
    if (low === null || high === null || low >= high) return null
    state.startsAtZero = low === 0
    return [{ step: 'scale-range', options: { to: [low, high], over: over(options) } }]
  },
  ShiftIntensity: ({ offset }, state) => {
    const by = number(offset)
    state.startsAtZero = false
    return by === null ? null : [{ step: 'scale', options: { offset: by } }]
  },
  NormalizeIntensity: (options, state) => {
    const { subtrahend = null, divisor = null, nonzero = false } = options
    state.startsAtZero = false
    if (subtrahend === null && divisor === null)
      return [
        {
          step: 'z-score',
          options: { ...(nonzero === true ? { of: 'non-zero' } : { elsewhere: 'scaled' }), over: over(options) },
        },
      ]
    const [mean, std] = [numbers(subtrahend), numbers(divisor)]
    if (!mean || !std || nonzero === true) return null
    return [
      {
        step: 'normalise',
        options: { mean: mean.length === 1 ? mean[0] : mean, std: std.length === 1 ? std[0] : std },
      },
    ]
  },
  ThresholdIntensity: ({ threshold, above = true, cval = 0 }) => {
    const limit = number(threshold)
    // Values beyond the threshold become another number; only where that is the threshold is it clipping.
    if (limit === null || cval !== limit) return null
    return [{ step: 'clip', options: above === true ? { minimum: limit } : { maximum: limit } }]
  },
  ClipIntensityPercentiles: (options) => {
    const { lower, upper, sharpness_factor: sharpness = null } = options
    const [low, high] = [number(lower), number(upper)]
    if (low === null || high === null || sharpness !== null) return null
    return [{ step: 'clip-percentiles', options: { percentiles: [low, high], over: over(options) } }]
  },
  CropForeground: ({ select_fn: select, margin = 0, k_divisible: divisible = 1 }, state) => {
    if (select !== undefined || divisible !== 1 || !state.startsAtZero) return null
    const voxels = numbers(margin)
    if (!voxels || new Set(voxels).size > 1) return null
    const [border = 0] = voxels
    if (border === 0) return [{ step: 'crop-nonzero', options: { empty: 'keep' } }]
    const mm = new Set(state.spacing ?? [null])
    const [spacing = null] = mm
    // Margins are voxels there and mm here.
    return mm.size > 1 || spacing === null
      ? null
      : [{ step: 'crop-nonzero', options: { margin: border * spacing, empty: 'keep' } }]
  },
  Resize: ({ spatial_size, mode, size_mode = 'all', anti_aliasing = false }, state) => {
    const size = perAxis(spatial_size)
    const area = (first(mode) ?? 'area') === 'area'
    const interpolation = area ? 'linear' : interpolationOf(mode, 'area')
    if (!size || size.some((length) => length < 1) || !interpolation || size_mode !== 'all') return null
    state.spacing = null
    return [
      {
        step: 'resize',
        options: {
          size,
          ...(interpolation !== 'linear' && { interpolation }),
          antiAlias: area || anti_aliasing === true,
        },
      },
    ]
  },
  ResizeWithPadOrCrop: ({ spatial_size, mode = 'constant', value = 0 }) => {
    const size = perAxis(spatial_size)
    const fill = filling(mode, value)
    return size && fill !== null ? [{ step: 'fit', options: { size, fill } }] : null
  },
  SpatialPad: ({ spatial_size, mode = 'constant', value = 0, method = 'symmetric' }) => {
    const size = perAxis(spatial_size)
    const border = borderOf(mode, value)
    if (!size || size.some((length) => length < 1) || !border) return null
    return [{ step: 'pad', options: { size, ...border, ...(method === 'end' && { at: 'start' }) } }]
  },
  DivisiblePad: ({ k, mode = 'constant', value = 0, method = 'symmetric' }) => {
    const multiple = perAxis(k)
    const border = borderOf(mode, value)
    return multiple && border
      ? [{ step: 'pad', options: { multiple, ...border, ...(method === 'end' && { at: 'start' }) } }]
      : null
  },
  CenterSpatialCrop: ({ roi_size }) => {
    const size = perAxis(roi_size)
    return size?.every((length) => length >= 1) ? [{ step: 'crop-centre', options: { size } }] : null
  },
  RepeatChannel: ({ repeats }) => {
    const times = number(repeats)
    if (times === null) return null
    return times === 1 ? [] : [{ step: 'repeat-channel', options: { times } }]
  },
}

function filling(mode: unknown, value: unknown): number | string | null {
  if (mode === 'constant') return number(value)
  return mode === 'minimum' ? 'minimum' : null
}

function borderOf(mode: unknown, value: unknown): Record<string, unknown> | null {
  if (mode === 'constant') return number(value) === null ? null : { value }
  return mode === 'edge' || mode === 'reflect' ? { mode } : null
}

/**
 * The preprocessing of a MONAI bundle as steps. A transform without a step here becomes one that the check refuses.
 * @param keys of the images: transforms of other keys are left out
 * @param startsAtZero values are never below 0 before the first transform
 */
export function mapPreprocessing(
  transforms: readonly Component[],
  { keys, startsAtZero }: { keys: readonly string[]; startsAtZero: boolean },
): MappedTransforms {
  const state: State = { spacing: null, startsAtZero }
  const result: MappedTransforms = { steps: [], notes: [], unmapped: [], isOriented: false }
  for (const transform of transforms) {
    const own = transform.options.keys
    if (own !== undefined && !isExpression(own) && ![own].flat().some((key) => keys.some((known) => known === key)))
      continue
    const name = plainName(transform.target)
    if (nothing.has(name)) continue
    const steps = Object.hasOwn(mappings, name) ? (mappings[name] as Mapping)(transform.options, state) : null
    if (name === 'Orientation' && steps) result.isOriented = true
    if (steps) result.steps.push(...steps)
    else {
      result.unmapped.push(worded(transform))
      result.steps.push(todoStep(worded(transform)))
    }
  }
  return result
}

/** A reference or an expression of Python that could not be resolved. */
function isExpression(keys: unknown): boolean {
  return typeof keys === 'string' && /^[$@%]/.test(keys)
}

/** Names of transforms that are understood, for the documentation. */
export const preprocessingTransforms: readonly string[] = Object.keys(mappings)
export const ignoredTransforms: readonly string[] = [...nothing]
