import { HilumError } from '../errors.ts'

/**
 * What can be wrong with something that should become a result object.
 * - `nothing-to-encode`: there is neither a segment nor a measurement
 * - `wrong-size`: a mask does not fit the source's grid
 * - `wrong-source`: the source's header belongs to another study or series than the job's
 * - `too-large`: the object would exceed what the file format can hold
 * - `unknown-label`: labels hold a number that no segment has
 * - `overlapping-segments`: segments overlap where the object can say one a pixel only
 * - `no-geometry`: the source does not say where its images lie, and the object needs it
 */
export type EncodeErrorCode =
  | 'nothing-to-encode'
  | 'wrong-size'
  | 'wrong-source'
  | 'too-large'
  | 'unknown-label'
  | 'overlapping-segments'
  | 'no-geometry'

/** A result object cannot be made; permanent. */
export class EncodeError extends HilumError<EncodeErrorCode> {}
