import type { Vector } from '../../dicom/geometry.ts'
import { type Boundary, beyondBorder, type FilterInput, Pool } from './convolution.ts'
import { RadiomicsError } from './error.ts'
import { type ComplexField, complexField, fourierTransform, powerOfTwo } from './fourier.ts'

/** Gabor filter (IBSI-2 Q88H), two-dimensional; the response is its modulus. */
export interface GaborFilter {
  kind: 'gabor'
  /** Scale, mm. */
  sigma: number
  /** mm */
  wavelength: number
  /** Spatial aspect ratio: the Gaussian has the scale sigma along the wave, and sigma / gamma along its crests. */
  gamma: number
  /** Orientation in degrees, clockwise as slices are shown; default 0. */
  theta?: number
  /** Averages over orientations that are this many degrees apart, from theta on; without it there is one orientation. */
  thetaStep?: number
  /** `slices` filters each slice for itself; `orthogonal` averages over the three orthogonal planes. Default slices. */
  planes?: 'slices' | 'orthogonal'
  /** Default mirror. */
  boundary?: Boundary
}

/** Where the kernel ends, in scales: the Gaussian has fallen below 1e-7 there. */
const cutoff = 6

/** How far the response looks, voxels. */
export function gaborReach({ sigma, gamma, planes }: GaborFilter, spacing: Vector): [number, number, number] {
  const longest = cutoff * sigma * Math.max(1, 1 / gamma)
  const [x, y, z] = spacing.map((mm) => Math.ceil(longest / mm)) as [number, number, number]
  return [x, y, planes === 'orthogonal' ? z : 0]
}

/** The modulus of the response, averaged over the orientations and planes asked for. */
export function gaborResponse(image: FilterInput, filter: GaborFilter): Float32Array {
  requirePositive(filter)
  const planes = filter.planes === 'orthogonal' ? ([[0, 1], [0, 2], [1, 2]] as const) : ([[0, 1]] as const) // biome-ignore format: pairs of axes
  const pool = new Pool('mean')
  for (const [across, down] of planes) pool.add(planarResponse(image, filter, across, down))
  return pool.result()
}

function requirePositive({ sigma, wavelength, gamma }: GaborFilter): void {
  for (const [name, value] of Object.entries({ sigma, wavelength, gamma }))
    if (!(value > 0))
      throw new RadiomicsError('invalid-options', `${name} of a Gabor filter is ${value}, it must be above 0`)
}

/** Degrees of the orientations; opposite ones have the same modulus and are counted once. */
function orientations({ theta = 0, thetaStep }: GaborFilter): number[] {
  if (thetaStep === undefined) return [theta]
  const count = Math.round(360 / thetaStep)
  const all = Array.from({ length: count }, (_, i) => theta + i * thetaStep)
  return Number.isInteger(180 / thetaStep) ? all.slice(0, count / 2) : all
}

/** Filters the planes that two axes span, each for itself, by Fourier transform. */
function planarResponse(image: FilterInput, filter: GaborFilter, across: 0 | 1 | 2, down: 0 | 1 | 2): Float32Array {
  const { size, spacing, data } = image
  const normal = (3 - across - down) as 0 | 1 | 2
  const strides = [1, size[0], size[0] * size[1]] as const
  const longest = cutoff * filter.sigma * Math.max(1, 1 / filter.gamma)
  const reach = [across, down].map((axis) => Math.ceil(longest / spacing[axis])) as [number, number]
  // What wraps around falls on the border that was added.
  const padded = [powerOfTwo(size[across] + 2 * reach[0]), powerOfTwo(size[down] + 2 * reach[1]), 1] as const
  const kernels = orientations(filter).map((theta) =>
    kernelSpectrum(filter, theta, padded, reach, [spacing[across], spacing[down]]),
  )
  const boundary = filter.boundary ?? 'mirror'
  const sources = [across, down].map((axis, a) =>
    Array.from({ length: size[axis] + 2 * (reach[a] as number) }, (_, i) =>
      beyondBorder(i - (reach[a] as number), size[axis], boundary),
    ),
  ) as [number[], number[]]
  const response = new Float32Array(data.length)
  const plane = complexField(padded)
  const product = complexField(padded)
  for (let slice = 0; slice < size[normal]; slice++) {
    const base = slice * strides[normal]
    plane.re.fill(0)
    plane.im.fill(0)
    for (const [j, y] of sources[1].entries())
      for (const [i, x] of sources[0].entries())
        if (x >= 0 && y >= 0)
          plane.re[j * padded[0] + i] = data[base + x * strides[across] + y * strides[down]] as number
    fourierTransform(plane, 'forward')
    for (const kernel of kernels) {
      multiply(plane, kernel, product)
      fourierTransform(product, 'inverse')
      const scale = 1 / (product.re.length * kernels.length)
      for (let j = 0; j < size[down]; j++)
        for (let i = 0; i < size[across]; i++) {
          const from = (j + reach[1]) * padded[0] + i + reach[0]
          const to = base + i * strides[across] + j * strides[down]
          const modulus = Math.sqrt((product.re[from] as number) ** 2 + (product.im[from] as number) ** 2)
          response[to] = (response[to] as number) + scale * modulus
        }
    }
  }
  return response
}

/** The spectrum of the kernel, centred on index 0: a complex wave along theta under an elliptic Gaussian. */
function kernelSpectrum(
  { sigma, wavelength, gamma }: GaborFilter,
  theta: number,
  size: readonly [number, number, number],
  reach: readonly [number, number],
  spacing: readonly [number, number],
): ComplexField {
  const field = complexField(size)
  const [cos, sin] = [Math.cos((theta * Math.PI) / 180), Math.sin((theta * Math.PI) / 180)]
  for (let j = -reach[1]; j <= reach[1]; j++)
    for (let i = -reach[0]; i <= reach[0]; i++) {
      const [x, y] = [i * spacing[0], j * spacing[1]]
      const along = x * cos + y * sin
      const beside = y * cos - x * sin
      const weight = Math.exp(-(along * along + gamma * gamma * beside * beside) / (2 * sigma * sigma))
      const at = ((j + size[1]) % size[1]) * size[0] + ((i + size[0]) % size[0])
      field.re[at] = weight * Math.cos((2 * Math.PI * along) / wavelength)
      field.im[at] = weight * Math.sin((2 * Math.PI * along) / wavelength)
    }
  fourierTransform(field, 'forward')
  return field
}

function multiply(a: ComplexField, b: ComplexField, into: ComplexField): void {
  for (let i = 0; i < a.re.length; i++) {
    const [aRe, aIm, bRe, bIm] = [a.re[i] as number, a.im[i] as number, b.re[i] as number, b.im[i] as number]
    into.re[i] = aRe * bRe - aIm * bIm
    into.im[i] = aRe * bIm + aIm * bRe
  }
}
