import { HilumError } from '../errors.ts'

/**
 * What can be wrong with something that should be DICOM.
 * - `invalid-uid`, `invalid-ae-title`, `invalid-value`: text that is not what the standard asks for
 * - `not-part10`: the bytes are no DICOM file (PS3.10 7.1)
 * - `truncated`: the bytes end before what they announce
 * - `unreadable`: the structure is broken, or beyond the limits that are read
 * - `no-pixel-data`: frames were asked for, and there are none
 */
export type DicomErrorCode =
  | 'invalid-uid'
  | 'invalid-ae-title'
  | 'invalid-value'
  | 'not-part10'
  | 'truncated'
  | 'unreadable'
  | 'no-pixel-data'

/** Something that should be DICOM is not; permanent, and without patient data in its message. */
export class DicomError extends HilumError<DicomErrorCode> {}
