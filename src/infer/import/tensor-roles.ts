import type { TensorInfo } from '../runtime/model.ts'
import type { ModelTensors } from './inspect-model.ts'

/** What the inputs and outputs of a model seem to be. */
export interface TensorRoles {
  /** Inputs of three dimensions and more that are no state: images. */
  images: readonly TensorInfo[]
  /** The state of a recurrent model: which output is given to which input. */
  states: Readonly<Record<string, string>>
  /** Vectors and numbers that it takes besides. */
  others: readonly TensorInfo[]
  /** Outputs that are no state; the first is taken for the result. */
  results: readonly TensorInfo[]
}

const stateNames = /^(h|c|hx|cx|hidden|cell|state|memory)\d*$|(^|[_.\-/])(h|c|hidden|cell|state|memory)(\d|_|\.|-|$)/i

/** Sorts the tensors of a model: images, states that come back, the rest. */
export function tensorRoles({ inputs, outputs }: ModelTensors): TensorRoles {
  const states: Record<string, string> = {}
  const taken = new Set<string>()
  if (inputs.length > 1 && outputs.length > 1)
    for (const input of inputs) {
      if (!stateNames.test(input.name)) continue
      const output = outputs.find((one) => !taken.has(one.name) && stateNames.test(one.name) && sameShape(one, input))
      if (!output) continue
      states[input.name] = output.name
      taken.add(output.name)
    }
  const free = inputs.filter(({ name }) => !(name in states))
  const images = free.filter(({ dims }) => dims === null || dims.length >= 3)
  return {
    images,
    states,
    others: free.filter((input) => !images.includes(input)),
    results: outputs.filter(({ name }) => !taken.has(name)),
  }
}

function sameShape(a: TensorInfo, b: TensorInfo): boolean {
  if (a.dims === null || b.dims === null) return true
  const other = b.dims
  return (
    a.dims.length === other.length &&
    a.dims.every((dim, axis) => typeof dim !== 'number' || typeof other[axis] !== 'number' || dim === other[axis])
  )
}

/** The order of dimensions that is most likely: channels come first, unless the last dimension is as small as channels are and the second is not. */
export function likelyLayout({ dims }: TensorInfo): string {
  const rank = dims?.length ?? 4
  const isLast = channelsLast(dims)
  switch (rank) {
    case 3:
      return 'NHW'
    case 4:
      return isLast ? 'NHWC' : 'NCHW'
    case 5:
      return isLast ? 'NDHWC' : 'NCDHW'
    default:
      return 'NTCDHW'
  }
}

function channelsLast(dims: TensorInfo['dims']): boolean {
  const isFew = (dim: number | string | null | undefined): boolean => typeof dim === 'number' && dim >= 1 && dim <= 4
  return dims !== null && isFew(dims.at(-1)) && !isFew(dims[1])
}

/** The fixed size of a dimension of a layout; null where the model leaves it open, or the layout has none. */
export function dimOf(tensor: TensorInfo, layout: string, letters: string): number | null {
  const at = layout.split('').findIndex((letter) => letters.includes(letter))
  const dim = at < 0 ? undefined : tensor.dims?.[at]
  return typeof dim === 'number' && dim > 0 ? dim : null
}

/** Columns, rows and slices where the model fixes them all (slices only where the layout has them). */
export function fixedSize(tensor: TensorInfo, layout: string): number[] | null {
  const axes = ['WX', 'HY', ...(/[DZ]/.test(layout) ? ['DZ'] : [])]
  const size = axes.map((letters) => dimOf(tensor, layout, letters))
  return size.every((length) => length !== null) ? size : null
}

/** Columns, rows and slices where the model fixes all axes that the layout has; 1 for those that it lacks. */
export function fixedOnGrid(tensor: TensorInfo, layout: string): number[] | null {
  const size = ['WX', 'HY', 'DZ'].map((letters) =>
    letters.split('').some((letter) => layout.includes(letter)) ? dimOf(tensor, layout, letters) : 1,
  )
  return size.every((length) => length !== null) ? size : null
}

export type ModelKind =
  | 'segmentation-3d'
  | 'segmentation-2d'
  | 'classification-3d'
  | 'classification-2d'
  | 'images-3d'
  | 'images-2d'

export const modelKinds: readonly ModelKind[] = [
  'segmentation-3d',
  'segmentation-2d',
  'classification-3d',
  'classification-2d',
  'images-3d',
  'images-2d',
]

/** What a model most likely does: a vector is a classification, anything else a segmentation. */
export function likelyKind(image: TensorInfo, result: TensorInfo): ModelKind {
  const space = image.dims !== null && image.dims.length >= 5 ? '3d' : '2d'
  const isVector = result.dims !== null && result.dims.length <= 2
  return `${isVector ? 'classification' : 'segmentation'}-${space}`
}
