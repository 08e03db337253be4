import type { Extent } from '../../components.ts'

/** Air and tissue are told apart at this density, HU: the same threshold as the model's. */
export const airThreshold = -500

/** What a voxel is, while lungs are looked for. */
export const label = {
  none: 0,
  /** Air inside the body, as the model gives it. */
  air: 1,
  airway: 2,
  leftLung: 3,
  rightLung: 4,
  /** In the lungs, and not yet told which. */
  lungs: 5,
} as const

/** A volume under work, on the canonical grid: x to the left, y to the back, z to the head; x fastest. */
export interface Work {
  extent: Extent
  /** HU. */
  density: Int16Array
  /** One of `label` a voxel; changed by every step. */
  labels: Uint8Array
  /** Sentences for the job's record. */
  log: string[]
}

export function millilitres(work: Work, voxels: number): number {
  const [x, y, z] = work.extent.spacing
  return (voxels * x * y * z) / 1000
}

/** Litres, in words. */
export function litres(ml: number): string {
  return `${(ml / 1000).toFixed(2)} L`
}
