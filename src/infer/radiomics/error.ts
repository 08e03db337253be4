import { HilumError } from '../../errors.ts'

/**
 * Why features cannot be computed.
 * - `different-grids`: image and mask do not share their grid
 * - `empty-region`: no voxel is left in the region of interest
 * - `not-discrete`: a step that needs whole numbers got others
 * - `too-many-grey-levels`: the discretisation leaves more levels than texture matrices can hold
 * - `invalid-options`: an option, or two together, make no sense
 */
export type RadiomicsErrorCode =
  | 'different-grids'
  | 'empty-region'
  | 'not-discrete'
  | 'too-many-grey-levels'
  | 'invalid-options'

export class RadiomicsError extends HilumError<RadiomicsErrorCode> {}
