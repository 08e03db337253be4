import {
  type Boundary,
  convolveSeparably,
  type FilterInput,
  Pool,
  type Pooling,
  rightAngleRotations,
} from './convolution.ts'
import { RadiomicsError } from './error.ts'

/** Laws kernels (IBSI-2 JTXT). */
export interface LawsFilter {
  kind: 'laws'
  /** One kernel an axis, x first: two (`L5E5`, each slice for itself) or three (`L5E5E5`) of L3 L5 E3 E5 S3 S5 W5 R5. */
  kernels: string
  /** Pools the responses of all rotations by right angles; without it the response is that of one orientation. */
  rotationInvariance?: Pooling
  /** Chebyshev distance of the energy map, voxels; without it there is none. */
  energyDistance?: number
  /** Default mirror. */
  boundary?: Boundary
}

const kernels: Record<string, readonly number[]> = {
  L3: [1, 2, 1],
  L5: [1, 4, 6, 4, 1],
  E3: [-1, 0, 1],
  E5: [-1, -2, 0, 2, 1],
  S3: [-1, 2, -1],
  S5: [-1, 0, 2, 0, -1],
  W5: [-1, 2, 0, -2, 1],
  R5: [1, -4, 6, -4, 1],
}

/** The kernels, each of norm 1. */
function kernelsOf({ kernels: names }: LawsFilter): Float64Array[] {
  const found = (names.toUpperCase().match(/../g) ?? []).map((name) => kernels[name])
  if (found.length * 2 !== names.length || found.length < 2 || found.length > 3 || found.includes(undefined))
    throw new RadiomicsError(
      'invalid-options',
      `the Laws kernels "${names}" are not two or three of ${Object.keys(kernels).join(', ')}`,
    )
  return found.map((kernel) => {
    const norm = Math.hypot(...(kernel as readonly number[]))
    return Float64Array.from(kernel as readonly number[], (value) => value / norm)
  })
}

/** How far the response looks, voxels. */
export function lawsReach(filter: LawsFilter): [number, number, number] {
  const found = kernelsOf(filter)
  const reach = Math.max(...found.map((kernel) => (kernel.length - 1) / 2)) + (filter.energyDistance ?? 0)
  return [reach, reach, found.length === 3 ? reach : 0]
}

/** The response, or its energy: the mean of absolute responses around each voxel. */
export function lawsResponse(image: FilterInput, filter: LawsFilter): Float32Array {
  const { rotationInvariance, energyDistance, boundary = 'mirror' } = filter
  const found = kernelsOf(filter)
  const axes = found.length as 2 | 3
  const rotations = rotationInvariance
    ? rightAngleRotations(axes)
    : [{ order: [0, 1, 2].slice(0, axes), reversed: [false, false, false] }]
  const pool = new Pool(rotationInvariance ?? 'mean')
  for (const { order, reversed } of rotations) {
    const oriented = order.map((index, axis) => {
      const kernel = found[index] as Float64Array
      return reversed[axis] ? kernel.toReversed() : kernel
    })
    pool.add(convolveSeparably(image, oriented, boundary))
  }
  const response = pool.result()
  if (energyDistance === undefined) return response
  for (let i = 0; i < response.length; i++) response[i] = Math.abs(response[i] as number)
  const width = 2 * energyDistance + 1
  const mean = new Float64Array(width).fill(1 / width)
  return convolveSeparably({ size: image.size, data: response }, [mean, mean, axes === 3 ? mean : null], boundary)
}
