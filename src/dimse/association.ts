import type { AcceptedContext } from './context-negotiation.ts'
import type { Permission } from './service.ts'
import type { TLSPeer } from './tls-profile.ts'

/** An association that we accepted. `permissions` and `tls` are what admission decided on, and saw. */
export interface Association {
  id: string
  callingAETitle: string
  calledAETitle: string
  /** The peer's IP address. */
  address: string
  contexts: ReadonlyMap<number, AcceptedContext>
  /** Bytes of a P-DATA-TF's variable part that the peer takes; 0 means no limit. */
  peerMaxPdu: number
  /** What the caller may do. */
  permissions: ReadonlySet<Permission>
  /** The TLS connection that it lies on; null without TLS. */
  tls: TLSPeer | null
}

/** Why an association ended: released in order, aborted by either side, or its connection lost. */
export type AssociationEnd = 'released' | 'aborted' | 'lost'
