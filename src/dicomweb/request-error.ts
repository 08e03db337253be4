import { HilumError } from '../errors.ts'

/** Why a DICOMweb request cannot be answered as asked; `dicomweb/problem.ts` gives each its HTTP status. */
export type RequestErrorCode =
  | 'bad-uid'
  | 'bad-parameter'
  | 'unknown-parameter'
  | 'bad-frame-list'
  | 'malformed-multipart'
  | 'not-found'
  | 'no-such-frame'
  | 'not-offered'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'unsupported-media-type'
  | 'too-large'
  | 'length-required'
  | 'timed-out'

/** A request that the caller has to change. The message may be shown to the caller. */
export class RequestError extends HilumError<RequestErrorCode> {}
