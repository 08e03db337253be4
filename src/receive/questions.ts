import type { DicomJson } from '../dicom/dicom-json.ts'
import type { Sender } from './received.ts'

/** Query/Retrieve information models (PS3.4 C.6). */
export type QueryModel = 'patient-root' | 'study-root'
/** Query/Retrieve levels (PS3.4 C.3). */
export type QueryLevel = 'PATIENT' | 'STUDY' | 'SERIES' | 'IMAGE'

/** An instance that can be sent: its file, and what it is. */
export interface RetrievableInstance {
  /** null: its object is not where the index says. */
  path: string | null
  sopClassUID: string
  sopInstanceUID: string
  transferSyntaxUID: string
}

/** Where an application entity can be called. */
export interface RemoteAddress {
  aeTitle: string
  host: string
  port: number
  /** Paths of PEM files; null: without TLS. */
  tls: { ca?: string | undefined; certificate?: string | undefined; key?: string | undefined } | null
}

/** User Identity Type (PS3.7 D.3.3.7.1). */
export type IdentityType = 'username' | 'username-passcode' | 'kerberos' | 'saml' | 'jwt'

/** One item of a Referenced SOP Sequence. */
export interface ReferencedInstance {
  sopClassUID: string
  sopInstanceUID: string
}

/** What became of a storage commitment (PS3.4 J.3.3): reasons are values of Failure Reason (0008,1197). */
export interface CommitmentOutcome {
  committed: ReferencedInstance[]
  failed: (ReferencedInstance & { reason: number })[]
}

/** What the receiving process asks the node. Every question has an answer of the same `about`, or one about a `failure`. */
export type ReceiverQuestion =
  /** Matches of a C-FIND, page by page; `after` is the `next` of the page before. */
  | { about: 'find'; model: QueryModel; level: QueryLevel; keys: DicomJson; after: string | null; sender?: Sender }
  /** Instances of a C-MOVE or C-GET, page by page, and for C-MOVE where its destination listens. */
  | {
      about: 'retrieve'
      model: QueryModel
      level: QueryLevel
      keys: DicomJson
      destination: string | null
      after: string | null
      sender?: Sender
    }
  /** Instances that the sender wants the node to answer for (PS3.4 J.3.2): written down, so that the report is owed from now on. */
  | { about: 'commit'; transactionUID: string; sender: Sender; references: ReferencedInstance[] }
  /** What is to be reported of a commitment that was asked for. */
  | { about: 'commitment-outcome'; transactionUID: string; sender: Sender }
  /** Whether the report was taken on the association; if not, the node tries on one of its own. */
  | { about: 'commitment-reported'; transactionUID: string; sender: Sender; reported: boolean }
  /** A performed procedure step, created or set (PS3.4 F.7); or an availability notification (PS3.4 R). */
  | { about: 'mpps-create' | 'mpps-set'; sopInstanceUID: string; attributes: DicomJson; sender: Sender }
  | { about: 'availability'; attributes: DicomJson; sender: Sender }
  /** User identity negotiation (PS3.7 D.3.3.7). */
  | {
      about: 'identity'
      type: IdentityType
      /** Base64 of the primary and secondary fields. */
      primary: string
      secondary: string
      sender: Sender
    }

export type ReceiverAnswer =
  /** `unsupported`: keys were given that the index cannot match, or does not hold. */
  | { about: 'find'; matches: DicomJson[]; unsupported: boolean; next: string | null }
  /** `total` is the number of instances on all pages. */
  | {
      about: 'retrieve'
      instances: RetrievableInstance[]
      total: number
      destination: RemoteAddress | null
      next: string | null
    }
  | { about: 'commitment-outcome'; outcome: CommitmentOutcome }
  | { about: 'done' }
  /** `serverResponse` in base64. */
  | { about: 'identity'; admitted: boolean; serverResponse: string | null }
  /** A DIMSE status with a comment free of patient data, and Error ID (0000,0903) where there is one. */
  | { about: 'failure'; status: number; comment: string; errorID?: number }

/**
 * Asks the node from within the receiving process.
 * @throws HilumError `node-unreachable` when the node does not answer; what it refuses is an answer about a `failure`
 */
export type Ask = (question: ReceiverQuestion) => Promise<ReceiverAnswer>
