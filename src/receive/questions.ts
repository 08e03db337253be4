import type { DicomJson } from '../dicom/dicom-json.ts'
import type { Sender } from './received.ts'

/** Query/Retrieve information models (PS3.4 C.6). */
export type QueryModel = 'patient-root' | 'study-root'
/** Query/Retrieve levels (PS3.4 C.3). */
export type QueryLevel = 'PATIENT' | 'STUDY' | 'SERIES' | 'IMAGE'

/** An instance that can be sent: its file, and what it is. */
export interface RetrievableInstance {
  path: string
  sopClassUID: string
  sopInstanceUID: string
  transferSyntaxUID: string
}

/** Where an application entity can be called. */
export interface RemoteAddress {
  aeTitle: string
  host: string
  port: number
  tls: { ca?: string; certificate?: string; key?: string } | null
}

/** What the receiving process asks the node. Every question has an answer of the same `about`, or one about a `failure`. */
export type ReceiverQuestion =
  /** Matches of a C-FIND, page by page. */
  | { about: 'find'; model: QueryModel; level: QueryLevel; keys: DicomJson; after: string | null }
  /** Instances of a C-MOVE or C-GET, and for C-MOVE where its destination listens. */
  | { about: 'retrieve'; model: QueryModel; level: QueryLevel; keys: DicomJson; destination: string | null }
  /** Instances that the sender wants the node to answer for (PS3.4 annex J). */
  | {
      about: 'commit'
      transactionUID: string
      sender: Sender
      association: string
      references: { sopClassUID: string; sopInstanceUID: string }[]
    }
  /** The report of a commitment could not be given on the association; the node tries later. */
  | { about: 'commitment-reported'; transactionUID: string; reported: boolean }
  /** A performed procedure step, created or set (PS3.4 F.7); or an availability notification (PS3.4 R). */
  | { about: 'mpps-create' | 'mpps-set'; sopInstanceUID: string; attributes: DicomJson; sender: Sender }
  | { about: 'availability'; attributes: DicomJson; sender: Sender }
  /** User identity negotiation (PS3.7 D.3.3.7). */
  | {
      about: 'identity'
      type: 'username' | 'username-passcode' | 'kerberos' | 'saml' | 'jwt'
      /** Base64 of the primary and secondary fields. */
      primary: string
      secondary: string
      sender: Sender
    }

export type ReceiverAnswer =
  | { about: 'find'; matches: DicomJson[]; next: string | null }
  | { about: 'retrieve'; instances: RetrievableInstance[]; destination: RemoteAddress | null }
  | { about: 'commit'; committed: string[]; failed: { sopInstanceUID: string; reason: number }[] }
  | { about: 'done' }
  | { about: 'identity'; admitted: boolean; serverResponse: string | null }
  /** A DIMSE status with a comment free of patient data. */
  | { about: 'failure'; status: number; comment: string }

/**
 * Asks the node from within the receiving process.
 * @throws HilumError `node-unreachable` when the node does not answer; what it refuses is an answer about a `failure`
 */
export type Ask = (question: ReceiverQuestion) => Promise<ReceiverAnswer>
