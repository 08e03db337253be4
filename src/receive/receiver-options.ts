import type { Permission } from '../dimse/service.ts'
import type { TLSOptions } from '../dimse/tls-listener.ts'

/** Who may open associations beyond the configured remotes. */
export type UnknownCallers = 'loopback' | 'reject' | 'accept'

/** An application entity that may open associations. */
export interface AdmittedRemote {
  aeTitle: string
  /** Addresses or CIDR blocks that it may call from; absent or empty: any. */
  addresses?: string[]
  /** Absent: store. */
  may?: Permission[]
}

/** What the receiving process is told when it starts, as JSON in the environment variable `HILUM_RECEIVER`. */
export interface ReceiverOptions {
  aeTitle: string
  /** True: associations for other AE titles are accepted as well. */
  acceptAnyCalledAE: boolean
  remotes: AdmittedRemote[]
  unknownCallers: UnknownCallers
  host: string
  /** 0: any free port. */
  port: number
  /** A second listener, with TLS; port 0 is any free one. */
  tls?: TLSOptions & { port: number }
  /** Transfer syntaxes to choose first, best first; what is not named comes after them, in the proposer's order. */
  transferSyntaxes: string[]
  /** Operations that a peer may have under way on one association where it asks for a window. */
  asynchronousOperations: number
  /** Whether user identities are judged by the node, and whether associations need one. */
  userIdentity: { check: 'none' | 'accounts' | 'authoriser'; required: boolean }
  dataDir: string
  /** False: nothing is synced to disk. For measurements only. */
  sync: boolean
  /** True: small instances become durable in journals, and files later; absent: each has a file at once. */
  journals?: boolean
  /** Free bytes of the data folder's file system below which instances are refused with 0xA700. */
  minimumFreeBytes: number
  /** Free bytes below which instances under way are ended with 0xA700 as well. */
  emergencyFreeBytes: number
  /** Bytes of a P-DATA-TF's variable part that are announced. */
  maxPdu: number
  maxAssociations: number
  /** Instances that may be on disk without being indexed; beyond them nothing is read from the network. */
  maxPendingInstances: number
  associationTimeoutMs: number
  idleTimeoutMs: number
  pduTimeoutMs: number
}

/** The defaults of everything that has a sensible one. */
export const receiverDefaults = {
  acceptAnyCalledAE: false,
  remotes: [] as AdmittedRemote[],
  unknownCallers: 'loopback' as UnknownCallers,
  transferSyntaxes: [] as string[],
  asynchronousOperations: 16,
  userIdentity: { check: 'none' as const, required: false } as ReceiverOptions['userIdentity'],
  sync: true,
  minimumFreeBytes: 2 * 1024 ** 3,
  emergencyFreeBytes: 0,
  maxPdu: 256 * 1024,
  maxAssociations: 100,
  maxPendingInstances: 10_000,
  associationTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  pduTimeoutMs: 60_000,
} as const satisfies Partial<ReceiverOptions>
