import { HilumError } from '../errors.ts'

/**
 * What can go wrong between two application entities.
 * - `protocol-violation`: the peer sent what PS3.8 does not allow; `detail.abortReason` is the A-ABORT reason to answer with
 * - `connection-failed`: no TCP connection came about
 * - `association-rejected`: A-ASSOCIATE-RJ; transient or permanent, as the peer says
 * - `association-lost`: the connection ended, or the peer aborted, while something was under way
 * - `time-out`: the peer did not answer in time
 * - `refused`: the peer answered a request with a failure; `detail.status` is its status
 * - `cancelled`: the caller's signal was raised
 */
export type DimseErrorCode =
  | 'protocol-violation'
  | 'connection-failed'
  | 'association-rejected'
  | 'association-lost'
  | 'time-out'
  | 'refused'
  | 'cancelled'

/** Something that went wrong on an association. Messages name AE titles, UIDs and numbers only. */
export class DimseError extends HilumError<DimseErrorCode> {}

/** An association ended while something was under way on it. @param name whom it was with @param how what ended it */
export function lostError(name: string, how: string, cause?: unknown): DimseError {
  return new DimseError('association-lost', `the association with ${name} ended: ${how}`, { retry: 'ambiguous', cause })
}

/**
 * The peer broke the upper layer protocol.
 * @param abortReason reason of the A-ABORT PDU that answers it (PS3.8 table 9-26)
 */
export function violation(abortReason: number, message: string): DimseError {
  return new DimseError('protocol-violation', message, { detail: { abortReason } })
}
