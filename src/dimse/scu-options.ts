import type { AnsweredContext, ProposedContext } from './association-pdu.ts'
import type { AcceptedContext } from './context-negotiation.ts'
import type { Message } from './scu-messages.ts'
import type { ClientTLS } from './scu-socket.ts'
import type { RoleSelection, UserIdentity } from './user-information.ts'

/** Whom to call, and as whom. */
export interface Peer {
  host: string
  port: number
  callingAETitle: string
  calledAETitle: string
  /** Files for TLS; absent: no TLS. */
  tls?: ClientTLS | null | undefined
  userIdentity?: UserIdentity | undefined
}

export interface ScuOptions extends Peer {
  /** Bytes of a P-DATA-TF's variable part: what we take, and send at most. */
  maxPdu?: number
  /** ms without a byte in either direction while something is awaited. */
  timeoutMs?: number
  signal?: AbortSignal | undefined
}

/** What is proposed beside the transfer syntaxes of the contexts. */
export interface ScuProposal {
  /** At most 128, with odd IDs. */
  contexts: readonly ProposedContext[]
  roles?: RoleSelection[]
  /** Performs requests of the acceptor, N-EVENT-REPORT for one: the status to answer. Without it they are answered 0x0211. */
  onRequest?(message: Message): Promise<number>
}

/** What was accepted of a proposal, by context ID. */
export function acceptedContexts(
  proposal: ScuProposal,
  answered: ReadonlyMap<number, AnsweredContext>,
): Map<number, AcceptedContext> {
  const accepted = new Map<number, AcceptedContext>()
  for (const { id, abstractSyntax } of proposal.contexts) {
    const answer = answered.get(id)
    if (answer?.result === 0) accepted.set(id, { id, abstractSyntax, transferSyntax: answer.transferSyntax })
  }
  return accepted
}

export const defaultMaxPdu = 256 * 1024
export const defaultTimeoutMs = 60_000
