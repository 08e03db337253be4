import type { Vector } from '../../dicom/geometry.ts'

/** Lengths of the three semi-axes of an ellipsoid, mm, longest first. */
export type SemiAxes = readonly [number, number, number]

/** First and second moments of the voxel centres of a mask. */
export interface Moments {
  voxels: number
  /** Mean place, mm from the centre of the box's first voxel. */
  centre: Vector
  /** Eigenvalues of the covariance of the places, mm2, largest first. */
  variances: readonly [number, number, number]
}

/** The moments of the voxels of a mask; the covariance is the sample covariance. */
export function momentsOf(mask: Uint8Array, [nx, ny, nz]: readonly [number, number, number], spacing: Vector): Moments {
  let voxels = 0
  const sum = [0, 0, 0] as [number, number, number]
  // xx, yy, zz, xy, xz, yz: whole numbers, exact as long as they fit 2^53.
  const products = new Float64Array(6)
  for (let z = 0, at = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) {
      let [count, sumX, sumXX] = [0, 0, 0]
      for (let x = 0; x < nx; x++, at++) {
        if (mask[at] === 0) continue
        count++
        sumX += x
        sumXX += x * x
      }
      voxels += count
      sum[0] += sumX
      sum[1] += count * y
      sum[2] += count * z
      const terms = [sumXX, count * y * y, count * z * z, sumX * y, sumX * z, count * y * z]
      for (let i = 0; i < 6; i++) products[i] = (products[i] as number) + (terms[i] as number)
    }
  const mean = sum.map((total) => total / voxels) as [number, number, number]
  const covariance = (a: 0 | 1 | 2, b: 0 | 1 | 2, product: number): number =>
    (((products[product] as number) - voxels * mean[a] * mean[b]) * spacing[a] * spacing[b]) / Math.max(1, voxels - 1)
  const [xy, xz, yz] = [covariance(0, 1, 3), covariance(0, 2, 4), covariance(1, 2, 5)]
  return {
    voxels,
    centre: [mean[0] * spacing[0], mean[1] * spacing[1], mean[2] * spacing[2]],
    variances: eigenvalues([
      [covariance(0, 0, 0), xy, xz],
      [xy, covariance(1, 1, 1), yz],
      [xz, yz, covariance(2, 2, 2)],
    ]),
  }
}

/** Eigenvalues of a symmetric matrix by Jacobi rotations, largest first; none below 0. */
function eigenvalues(matrix: number[][]): [number, number, number] {
  const m = matrix.map((row) => [...row]) as [number[], number[], number[]]
  const at = (i: number, j: number): number => (m[i] as number[])[j] as number
  for (let sweep = 0; sweep < 50; sweep++) {
    const rest = at(0, 1) ** 2 + at(0, 2) ** 2 + at(1, 2) ** 2
    if (rest <= 1e-30 * (at(0, 0) ** 2 + at(1, 1) ** 2 + at(2, 2) ** 2)) break
    for (const [p, q] of [[0, 1], [0, 2], [1, 2]] as const) rotate(m, p, q) // biome-ignore format: pairs
  }
  return [at(0, 0), at(1, 1), at(2, 2)].map((value) => Math.max(0, value)).sort((a, b) => b - a) as [
    number,
    number,
    number,
  ]
}

function rotate(m: number[][], p: number, q: number): void {
  const at = (i: number, j: number): number => (m[i] as number[])[j] as number
  if (at(p, q) === 0) return
  const theta = (at(q, q) - at(p, p)) / (2 * at(p, q))
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < 3; k++) {
    const row = m[k] as number[]
    const [kp, kq] = [at(k, p), at(k, q)]
    row[p] = c * kp - s * kq
    row[q] = s * kp + c * kq
  }
  const [rowP, rowQ] = [m[p] as number[], m[q] as number[]]
  for (let k = 0; k < 3; k++) {
    const [pk, qk] = [rowP[k] as number, rowQ[k] as number]
    rowP[k] = c * pk - s * qk
    rowQ[k] = s * pk + c * qk
  }
}

/** Where IBSI ends the series for the area of an ellipsoid. */
const lastTerm = 20

/**
 * What IBSI takes for the surface area of an ellipsoid, mm2: its series of Legendre polynomials (3.1.21, RDD2). That is the area of a sphere
 * where it is one; of a long or flat ellipsoid it differs from the true area by up to a quarter, and the reference values with it.
 */
export function ellipsoidArea([a, b, c]: SemiAxes): number {
  const alpha = 1 - (b / a) ** 2
  const beta = 1 - (c / a) ** 2
  // Not the polynomials P(n) but P(n) (alpha beta)^n, of squared eccentricities: nothing is divided by 0 where two axes are equal.
  let [before, term, sum] = [0, 1, 1]
  for (let n = 1; n <= lastTerm; n++) {
    ;[before, term] = [term, ((2 * n - 1) * 0.5 * (alpha + beta) * term - (n - 1) * alpha * beta * before) / n]
    sum += term / (1 - 4 * n * n)
  }
  return 4 * Math.PI * a * b * sum
}
