import { HilumError } from '../../errors.ts'

/**
 * Why a step of post-processing or a measurement cannot be applied: the pipeline, or what its model gave, is at fault, not the input.
 * - `wrong-value`: a value of another kind, shape or number of channels than the step needs
 * - `different-grids`: two values that must lie on one grid do not
 */
export type FinishErrorCode = 'wrong-value' | 'different-grids'

export class FinishError extends HilumError<FinishErrorCode> {}
