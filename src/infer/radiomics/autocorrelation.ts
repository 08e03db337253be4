import { complexField, fourierTransform, powerOfTwo } from './fourier.ts'
import type { Region } from './region.ts'
import { boxOf } from './region-box.ts'

/** How far the intensities of neighbours resemble each other. */
export interface Autocorrelation {
  /** Moran's I (IBSI N365). */
  moran: number
  /** Geary's C (IBSI NPT7). */
  geary: number
}

/**
 * Moran's I and Geary's C with the inverse distance as weight, over all pairs of voxels of the intensity mask. The sums over pairs depend on
 * displacements alone, so they are correlations, and come exactly from two Fourier transforms instead of from n² pairs.
 * @param limit points of the padded transform (about 8 times the voxels of the mask's box); above it the features are left out, which IBSI allows
 * @returns null above the limit, and where all intensities are equal
 */
export function spatialAutocorrelation(region: Region, limit: number): Autocorrelation | null {
  const { low, high } = boxOf(region.intensityMask, region.size)
  const extent = [high[0] - low[0], high[1] - low[1], high[2] - low[2]] as const
  const size = extent.map((n) => powerOfTwo(2 * n - 1)) as [number, number, number]
  if (size[0] * size[1] * size[2] > limit) return null
  const { voxels, mean, deviation } = spreadOf(region)
  if (voxels < 2 || deviation === 0) return null

  // One complex field carries two real ones: z-scores and mask, squared z-scores and weights.
  const scores = complexField(size)
  const squares = complexField(size)
  const [nx, ny] = region.size
  for (let z = 0; z < extent[2]; z++)
    for (let y = 0; y < extent[1]; y++)
      for (let x = 0; x < extent[0]; x++) {
        const from = ((z + low[2]) * ny + y + low[1]) * nx + x + low[0]
        if (region.intensityMask[from] === 0) continue
        const to = (z * size[1] + y) * size[0] + x
        const score = ((region.intensities[from] as number) - mean) / deviation
        scores.re[to] = score
        scores.im[to] = 1
        squares.re[to] = score * score
      }
  fillWeights(squares.im, size, region.spacing)
  fourierTransform(scores, 'forward')
  fourierTransform(squares, 'forward')
  const { products, weights, squared } = sumOverPairs(scores, squares)
  // The scores have variance 1: their squares sum to the number of voxels.
  return {
    moran: products / weights,
    geary: ((voxels - 1) * (squared - products)) / (weights * voxels),
  }
}

function spreadOf({ intensities, intensityMask }: Region): { voxels: number; mean: number; deviation: number } {
  let [voxels, sum] = [0, 0]
  for (let i = 0; i < intensities.length; i++) {
    if (intensityMask[i] === 0) continue
    voxels++
    sum += intensities[i] as number
  }
  const mean = sum / voxels
  let squares = 0
  for (let i = 0; i < intensities.length; i++)
    if (intensityMask[i] !== 0) squares += ((intensities[i] as number) - mean) ** 2
  return { voxels, mean, deviation: Math.sqrt(squares / voxels) }
}

/** The inverse distance for each displacement, those below 0 at the end of each axis; 0 for none. */
function fillWeights(weights: Float32Array, size: readonly [number, number, number], spacing: readonly number[]): void {
  const squared = size.map((n, axis) =>
    Float64Array.from({ length: n }, (_, i) => (Math.min(i, n - i) * (spacing[axis] as number)) ** 2),
  ) as [Float64Array, Float64Array, Float64Array]
  for (let z = 0, at = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++) {
      const across = (squared[2][z] as number) + (squared[1][y] as number)
      for (let x = 0; x < size[0]; x++, at++) weights[at] = 1 / Math.sqrt(across + (squared[0][x] as number))
    }
  weights[0] = 0
}

/** Weighted sums over all ordered pairs i, j: of z_i z_j, of 1, and of z_i². By Parseval's theorem in the frequencies. */
function sumOverPairs(
  scores: ReturnType<typeof complexField>,
  squares: ReturnType<typeof complexField>,
): { products: number; weights: number; squared: number } {
  const [nx, ny, nz] = scores.size
  let [products, weights, squared] = [0, 0, 0]
  for (let z = 0, at = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) {
      const mirrorRow = (((nz - z) % nz) * ny + ((ny - y) % ny)) * nx
      for (let x = 0; x < nx; x++, at++) {
        const mirror = mirrorRow + ((nx - x) % nx)
        // Even parts belong to the real field, odd parts to the imaginary one (twice each here).
        const zRe = (scores.re[at] as number) + (scores.re[mirror] as number)
        const zIm = (scores.im[at] as number) - (scores.im[mirror] as number)
        const mRe = (scores.im[at] as number) + (scores.im[mirror] as number)
        const mIm = (scores.re[mirror] as number) - (scores.re[at] as number)
        const qRe = (squares.re[at] as number) + (squares.re[mirror] as number)
        const qIm = (squares.im[at] as number) - (squares.im[mirror] as number)
        const weight = (squares.im[at] as number) + (squares.im[mirror] as number)
        products += weight * (zRe * zRe + zIm * zIm)
        weights += weight * (mRe * mRe + mIm * mIm)
        squared += weight * (qRe * mRe + qIm * mIm)
      }
    }
  const scale = 1 / (8 * nx * ny * nz)
  return { products: products * scale, weights: weights * scale, squared: squared * scale }
}
