import type { Outcome } from './outcome.ts'
import type { Sample } from './samples.ts'

/** Rows of the matrix of services; those of sending are filled from the matrix of transfer syntaxes. */
export const services = [
  'Verification',
  'Storage',
  'C-FIND, Patient Root',
  'C-FIND, Study Root',
  'C-MOVE',
  'C-GET',
  'Storage Commitment, report on the same association',
  'Storage Commitment, report on another association',
  'MPPS',
  'Instance Availability Notification',
  'TLS, with a client certificate',
  'User identity, name and passcode',
  'Asynchronous operations',
  'QIDO-RS',
  'WADO-RS',
  'STOW-RS',
] as const
export type Service = (typeof services)[number]

/** Rows of the matrix of refusals. */
export const refusals = [
  'Called AE title of another node',
  'Query by a caller that may only store',
  'C-MOVE to a destination that is not known',
  'TLS without a client certificate',
  'User identity with a wrong passcode',
  'DICOMweb without credentials',
] as const
export type Refusal = (typeof refusals)[number]

/** A way to send samples. */
export interface Sender {
  protocol: 'C-STORE' | 'STOW-RS'
  /** Sends the sample in its own transfer syntax; what arrived is looked at by the caller. */
  send(sample: Sample): Promise<Outcome>
}

/** A way to fetch samples. */
export interface Fetcher {
  protocol: 'C-GET' | 'C-MOVE' | 'WADO-RS'
  /**
   * Fetches the samples, which are one study.
   * @returns bytes of the Part 10 files that came by SOP Instance UID, and notes on those that did not
   */
  fetch(samples: readonly Sample[]): Promise<Fetched>
}

export interface Fetched {
  files: Map<string, Buffer>
  /** What is said of a sample that did not come. */
  missing(sample: Sample): Outcome
}

/** A client with all that it offers; what is absent it does not offer. */
export interface Client {
  name: string
  services: Partial<Record<Exclude<Service, 'Storage' | 'STOW-RS'>, () => Outcome | Promise<Outcome>>>
  refusals: Partial<Record<Refusal, () => Outcome | Promise<Outcome>>>
  senders: Sender[]
  fetchers: Fetcher[]
}

/** What the clients look for: a study that is there, of which they know one instance. */
export interface Known {
  patientID: string
  sample: Sample
  /** Another one, which may be sent again by whoever needs something to send. */
  other: Sample
}
