import type { AcceptedContext } from './association-negotiation.ts'

/** An association that we accepted. */
export interface Association {
  id: string
  callingAETitle: string
  calledAETitle: string
  /** The peer's IP address. */
  address: string
  contexts: ReadonlyMap<number, AcceptedContext>
  /** Bytes of a P-DATA-TF's variable part that the peer takes; 0 means no limit. */
  peerMaxPdu: number
}

/** Why an association ended: released in order, aborted by either side, or its connection lost. */
export type AssociationEnd = 'released' | 'aborted' | 'lost'
