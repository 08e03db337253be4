import type { Vector } from '../../dicom/geometry.ts'
import { type Boundary, convolve, convolveSeparably, type FilterInput } from './convolution.ts'
import { RadiomicsError } from './error.ts'
import { type GaborFilter, gaborReach, gaborResponse } from './gabor.ts'
import { type LawsFilter, lawsReach, lawsResponse } from './laws.ts'
import { type WaveletFilter, waveletReach, waveletResponse } from './wavelet.ts'

/** Mean of a cube, or of a square in each slice (IBSI-2 S60F). */
export interface MeanFilter {
  kind: 'mean'
  /** Voxels along each side, odd. */
  support: number
  /** 2 filters each slice for itself; default 3. */
  dimensions?: 2 | 3
  /** Default mirror. */
  boundary?: Boundary
}

/** Laplacian of Gaussian (IBSI-2 L6PA). */
export interface LaplacianOfGaussianFilter {
  kind: 'laplacian-of-gaussian'
  /** Scale, mm. */
  sigma: number
  /** Where the kernel ends, in scales; default 4. */
  cutoff?: number
  /** 2 filters each slice for itself; default 3. */
  dimensions?: 2 | 3
  /** Default mirror. */
  boundary?: Boundary
}

/** The filters of IBSI-2 that are built here. */
export type Filter = MeanFilter | LaplacianOfGaussianFilter | LawsFilter | GaborFilter | WaveletFilter

/**
 * The response of an image to a filter, computed in single precision.
 * @throws RadiomicsError invalid-options
 */
export function applyFilter(image: FilterInput, filter: Filter): Float32Array {
  switch (filter.kind) {
    case 'mean':
      return meanResponse(image, filter)
    case 'laplacian-of-gaussian':
      return laplacianOfGaussianResponse(image, filter)
    case 'laws':
      return lawsResponse(image, filter)
    case 'gabor':
      return gaborResponse(image, filter)
    case 'wavelet':
      return waveletResponse(image, filter)
  }
}

/** How far a response looks along each axis, in voxels; without end for a periodic image, which is needed whole. */
export function filterReach(filter: Filter, spacing: Vector): [number, number, number] {
  if (filter.boundary === 'periodic') return [1e9, 1e9, 1e9]
  switch (filter.kind) {
    case 'mean': {
      const reach = (filter.support - 1) / 2
      return [reach, reach, filter.dimensions === 2 ? 0 : reach]
    }
    case 'laplacian-of-gaussian': {
      const [x, y, z] = gaussianReach(filter, spacing)
      return [x, y, filter.dimensions === 2 ? 0 : z]
    }
    case 'laws':
      return lawsReach(filter)
    case 'gabor':
      return gaborReach(filter, spacing)
    case 'wavelet':
      return waveletReach(filter)
  }
}

function meanResponse(image: FilterInput, { support, dimensions = 3, boundary = 'mirror' }: MeanFilter): Float32Array {
  if (!Number.isInteger(support) || support < 1 || support % 2 === 0)
    throw new RadiomicsError('invalid-options', `the support of a mean filter is ${support}, it must be an odd number`)
  const kernel = new Float64Array(support).fill(1 / support)
  return convolveSeparably(image, [kernel, kernel, dimensions === 3 ? kernel : null], boundary)
}

function gaussianReach({ sigma, cutoff = 4 }: LaplacianOfGaussianFilter, spacing: Vector): [number, number, number] {
  if (!(sigma > 0)) throw new RadiomicsError('invalid-options', `sigma is ${sigma} mm, it must be above 0`)
  return spacing.map((mm) => Math.floor((cutoff * sigma) / mm + 0.5)) as [number, number, number]
}

/**
 * The sum over the axes of second derivatives of a Gaussian, each of them separable. Derivatives are those by voxels of the first axis, as
 * IBSI-2 defines them for voxels of equal sides.
 */
function laplacianOfGaussianResponse(image: FilterInput, filter: LaplacianOfGaussianFilter): Float32Array {
  const { dimensions = 3, boundary = 'mirror' } = filter
  const reach = gaussianReach(filter, image.spacing)
  const axes = ([0, 1, 2] as const).slice(0, dimensions)
  const kernels = axes.map((axis) => {
    const scale = filter.sigma / image.spacing[axis]
    const positions = Array.from({ length: 2 * reach[axis] + 1 }, (_, i) => i - reach[axis])
    const smooth = positions.map((x) => Math.exp(-0.5 * (x / scale) ** 2) / (Math.sqrt(2 * Math.PI) * scale))
    const derivative = smooth.map((value, i) => value * (1 - ((positions[i] as number) / scale) ** 2))
    return { smooth: Float64Array.from(smooth), derivative: Float64Array.from(derivative) }
  })
  const factor = -((image.spacing[0] / filter.sigma) ** 2)
  const response = new Float32Array(image.data.length)
  for (const derived of axes) {
    let data = image.data
    for (const axis of axes) {
      const kernel = kernels[axis] as { smooth: Float64Array; derivative: Float64Array }
      data = convolve({ size: image.size, data }, axis, axis === derived ? kernel.derivative : kernel.smooth, boundary)
    }
    for (let i = 0; i < response.length; i++) response[i] = (response[i] as number) + factor * (data[i] as number)
  }
  return response
}
