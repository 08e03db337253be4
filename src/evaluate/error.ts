import { HilumError } from '../errors.ts'

/**
 * - `no-cases`: there is nothing to run the pipeline on
 * - `bad-reference`: a reference cannot be read, or does not say what it has to
 * - `nothing-to-compare`: no case has a reference of anything that the pipeline gives
 */
export type EvaluateErrorCode = 'no-cases' | 'bad-reference' | 'nothing-to-compare'

export class EvaluateError extends HilumError<EvaluateErrorCode> {}
