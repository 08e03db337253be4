import type { Log } from '../log.ts'
import type { Association, AssociationEnd } from './association.ts'
import type { Admission } from './association-negotiation.ts'
import type { AssociationRequest } from './association-pdu.ts'
import type { MemoryBudget } from './gathered-bytes.ts'
import type { Identify } from './identify.ts'
import type { TimeOuts } from './progress.ts'
import type { ServiceProvider } from './service.ts'
import type { BeginStore } from './store-message.ts'

/** What a service class provider is made of. */
export interface ScpOptions extends TimeOuts {
  /** Bytes of a P-DATA-TF's variable part that we announce. */
  maxPdu: number
  log: Log
  /** Judges who calls; `request.tls` says with which certificate. */
  admit(request: AssociationRequest, address: string): Admission
  /** Judges the user identity, after `admit`; absent: identities are not looked at. */
  identify?: Identify | undefined
  /** True when no further association may be opened. */
  isFull(): boolean
  beginStore: BeginStore
  /** Services beyond Verification and Storage; none by default. */
  services?: readonly ServiceProvider[]
  /** Transfer syntaxes to choose first, best first; what is not named comes after them, in the proposer's order. */
  transferSyntaxes?: readonly string[]
  /** Operations that a peer may have under way on one association where it asks for a window; 1 by default. */
  asynchronousOperations?: number
  /** What the data sets of requests other than C-STORE lie in. */
  requestMemory: MemoryBudget
  /** What the operations take that associations have under way beside their first. */
  operationMemory: MemoryBudget
  onOpened(association: Association): void
  onRefused(request: AssociationRequest, address: string, reason: string): void
  /** Called once for each association that was opened, when nothing of it is under way any more. */
  onClosed(association: Association, how: AssociationEnd): void
  /** Called when the association request has come, before it is judged. */
  onRequested?(): void
  /** Called once for each connection. */
  onDisconnected(): void
  /** False: bytes come by `data` events. For tests; whether the reused buffer can be had is found out by itself. */
  reuseBuffer?: boolean
}
