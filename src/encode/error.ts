import { HilumError } from '../errors.ts'

/**
 * What can be wrong with something that should become a result object.
 * - `nothing-to-encode`: there is neither a segment nor a measurement
 * - `wrong-size`: a mask does not fit the source's grid
 * - `wrong-source`: the source's header belongs to another study or series than the job's
 * - `too-large`: the object would exceed what the file format can hold
 */
export type EncodeErrorCode = 'nothing-to-encode' | 'wrong-size' | 'wrong-source' | 'too-large'

/** A result object cannot be made; permanent. */
export class EncodeError extends HilumError<EncodeErrorCode> {}
