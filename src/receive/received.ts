import type { DicomJson } from '../dicom/dicom-json.ts'
import type { JournalPlace } from '../store/journal.ts'
import type { ReceiverAnswer, ReceiverQuestion } from './questions.ts'
import type { AdmittedRemote, UnknownCallers } from './receiver-options.ts'

/** Who sent something, for arrivals and quarantine. `address` is the peer's IP address. */
export interface Sender {
  callingAETitle: string
  calledAETitle: string
  address: string
}

/** An instance that is durable in the incoming folder and waits to be indexed. */
export interface ReceivedInstance {
  /** File name inside the incoming folder. */
  file: string
  /** Where it lies instead, until it becomes a file. */
  journal?: JournalPlace
  /** Id of the association, of the STOW-RS request, or of the batch of a watched folder. */
  association: string
  via: 'c-store' | 'stow-rs' | 'folder' | 'recovery'
  sender: Sender
  /** ISO 8601 UTC. */
  at: string
  /** Bytes of the Part 10 file. */
  size: number
  transferSyntaxUID: string
  sopClassUID: string
  sopInstanceUID: string
  studyInstanceUID: string
  seriesInstanceUID: string
  instanceNumber: number | null
  rows: number | null
  columns: number | null
  bitsAllocated: number | null
  numberOfFrames: number | null
  /** The head's elements; present for the first instance of a series that the sender's process has seen, else absent. */
  header?: DicomJson
}

/** An object that cannot be kept as an instance: its bytes lie in the quarantine folder under `file`. */
export interface QuarantinedObject {
  file: string
  at: string
  size: number
  code: string
  reason: string
  via: ReceivedInstance['via']
  sender: Sender
  sopClassUID: string | null
  sopInstanceUID: string | null
  transferSyntaxUID: string | null
}

/** What the receiving process tells the node over its IPC channel. Arrays keep the number of messages small. */
export type ReceiverEvent =
  /** `tlsPort`: null where there is no listener with TLS. */
  | { kind: 'listening'; port: number; tlsPort: number | null }
  | { kind: 'received'; instances: ReceivedInstance[] }
  | { kind: 'quarantined'; object: QuarantinedObject }
  /** Nothing more is written to a journal; so many of its instances are told by `received` events. */
  | { kind: 'journal-closed'; journal: string; records: number }
  | { kind: 'association-opened'; association: string; sender: Sender; at: string }
  /** All of the association's `received` events precede this one. */
  | {
      kind: 'association-closed'
      association: string
      sender: Sender
      at: string
      how: 'released' | 'aborted' | 'lost'
    }
  | { kind: 'association-refused'; sender: Sender; at: string; reason: string }
  /** An instance was answered with a failure status, whatever for; its bytes may be in quarantine. */
  | { kind: 'instance-refused'; sender: Sender; at: string }
  | { kind: 'counters'; openAssociations: number; pendingInstances: number; rss: number; longestStallMs: number }
  | {
      kind: 'log'
      level: 'info' | 'warn' | 'error'
      sentence: string
      context: Record<string, string | number | boolean | null>
    }
  | { kind: 'drained' }
  /** The process knows the network, the node knows the index: what only the node can tell is asked, and answered by `answer`. */
  | { kind: 'question'; id: number; question: ReceiverQuestion }

/** What the node tells the receiving process. */
export type ReceiverCommand =
  /** How many received instances were indexed since the last message: lets the process bound what is in flight. */
  | { kind: 'indexed'; instances: number }
  /** Finish open associations within `graceMs`, accept no new ones, flush, answer `drained`. */
  | { kind: 'drain'; graceMs: number }
  | { kind: 'answer'; id: number; answer: ReceiverAnswer }
  /** Who may call, from now on; open associations go on. */
  | { kind: 'remotes'; remotes: AdmittedRemote[]; unknownCallers: UnknownCallers }
