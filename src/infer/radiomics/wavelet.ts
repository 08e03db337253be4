import {
  type Boundary,
  convolveSeparably,
  type FilterInput,
  Pool,
  type Pooling,
  rightAngleRotations,
} from './convolution.ts'
import { RadiomicsError } from './error.ts'

/** Stationary separable wavelets (IBSI-2 25BO), by the à trous algorithm. */
export interface WaveletFilter {
  kind: 'wavelet'
  family: keyof typeof scalingFilters
  /** Low or high pass along each axis, x first: two (`LH`, each slice for itself) or three (`LLH`) letters. */
  bands: string
  /** Level of decomposition, from 1; default 1. */
  level?: number
  /** Pools the responses of all rotations by right angles; without it the response is that of one orientation. */
  rotationInvariance?: Pooling
  /** Default mirror. */
  boundary?: Boundary
}

/** Low-pass reconstruction filters; sum √2, norm 1. */
const scalingFilters = {
  haar: [Math.SQRT1_2, Math.SQRT1_2],
  db2: [0.4829629131445341, 0.8365163037378077, 0.2241438680420134, -0.12940952255126034],
  db3: [
    0.3326705529500825, 0.8068915093110924, 0.4598775021184914, -0.13501102001025458, -0.08544127388202666,
    0.03522629188570953,
  ],
  coif1: [
    -0.0727326195128539, 0.3378976624578092, 0.8525720202122554, 0.38486484686420286, -0.0727326195128539,
    -0.01565572813546454,
  ],
} as const

/** The wavelets that there are. */
export const waveletFamilies = Object.keys(scalingFilters) as [
  keyof typeof scalingFilters,
  ...(keyof typeof scalingFilters)[],
]

/** Decomposition filters, made odd by a zero at the end. */
function filtersOf(family: keyof typeof scalingFilters): { L: Float64Array; H: Float64Array } {
  const scaling: readonly number[] | undefined = scalingFilters[family]
  if (!scaling)
    throw new RadiomicsError(
      'invalid-options',
      `the wavelet "${family}" is none of ${Object.keys(scalingFilters).join(', ')}`,
    )
  return {
    L: Float64Array.from([...scaling.toReversed(), 0]),
    H: Float64Array.from([...scaling.map((value, i) => (i % 2 === 0 ? -value : value)), 0]),
  }
}

function bandsOf({ bands }: WaveletFilter): ('L' | 'H')[] {
  if (!/^[LH]{2,3}$/i.test(bands))
    throw new RadiomicsError('invalid-options', `the bands "${bands}" of a wavelet are not two or three of L and H`)
  return bands.toUpperCase().split('') as ('L' | 'H')[]
}

/** Zeros between the coefficients: the filter of the next level. */
function spread(kernel: Float64Array): Float64Array {
  const wider = new Float64Array(2 * kernel.length - 1)
  for (let i = 0; i < kernel.length; i++) wider[2 * i] = kernel[i] as number
  return wider
}

/** How far the response looks, voxels. */
export function waveletReach(filter: WaveletFilter): [number, number, number] {
  const half = (filtersOf(filter.family).L.length - 1) / 2
  const reach = half * (2 ** (filter.level ?? 1) - 1)
  return [reach, reach, bandsOf(filter).length === 3 ? reach : 0]
}

/** The response: low pass along all axes up to the level before, then the bands. */
export function waveletResponse(image: FilterInput, filter: WaveletFilter): Float32Array {
  const { level = 1, rotationInvariance, boundary = 'mirror' } = filter
  const filters = filtersOf(filter.family)
  const bands = bandsOf(filter)
  const axes = bands.length as 2 | 3
  const rotations = rotationInvariance
    ? rightAngleRotations(axes)
    : [{ order: [0, 1, 2].slice(0, axes), reversed: [false, false, false] }]
  const pool = new Pool(rotationInvariance ?? 'mean')
  for (const { order, reversed } of rotations) {
    const orient = (kernel: Float64Array, axis: number): Float64Array => (reversed[axis] ? kernel.toReversed() : kernel)
    let data = image.data
    let low = order.map((_, axis) => orient(filters.L, axis))
    let wanted = order.map((index, axis) => orient(filters[bands[index] as 'L' | 'H'], axis))
    for (let l = 1; l < level; l++) {
      data = convolveSeparably({ size: image.size, data }, low, boundary)
      low = low.map(spread)
      wanted = wanted.map(spread)
    }
    pool.add(convolveSeparably({ size: image.size, data }, wanted, boundary))
  }
  return pool.result()
}
