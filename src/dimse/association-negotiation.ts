import { isStorageSOPClass, SOP } from '../dicom/sop-class.ts'
import { type AnsweredContext, type AssociationRequest, applicationContextName } from './association-pdu.ts'
import type { Rejection } from './pdu.ts'

/** A context that was accepted. */
export interface AcceptedContext {
  id: number
  abstractSyntax: string
  transferSyntax: string
}

/** The smallest maximum length of a peer that can be served: a response has to fit one PDU. */
export const smallestMaxPdu = 4096

/** Why a caller is not served; the AE titles are judged by whoever knows the configuration. */
export type Refusal = 'called-ae-title' | 'calling-ae-title'

/** What negotiation needs to know. */
export interface NegotiationPolicy {
  /** Judges the AE titles and the address; null admits. */
  admit(request: AssociationRequest): { refusal: Refusal; sentence: string } | null
  /** True when no further association can be served now. */
  full: boolean
}

export type Negotiation =
  | { kind: 'accepted'; contexts: Map<number, AcceptedContext>; answers: AnsweredContext[] }
  | { kind: 'rejected'; rejection: Rejection }

/**
 * Decides about an association request: whole (PS3.8 9.3.4), then context by context (PS3.8 9.3.3.2). Verification, every
 * storage SOP class and every class that nobody knows (private ones are storage in practice) is taken, each with the transfer
 * syntax that the requestor names first.
 */
export function negotiate(request: AssociationRequest, policy: NegotiationPolicy): Negotiation {
  const rejection = rejectionOf(request, policy)
  if (rejection) return { kind: 'rejected', rejection }
  const answers = request.contexts.map(answerContext)
  const contexts = new Map<number, AcceptedContext>()
  for (const [index, { id, abstractSyntax }] of request.contexts.entries()) {
    const answer = answers[index]
    if (answer?.result === 0) contexts.set(id, { id, abstractSyntax, transferSyntax: answer.transferSyntax })
  }
  if (contexts.size > 0) return { kind: 'accepted', contexts, answers }
  return reject(1, 1, `none of the ${request.contexts.length} presentation contexts is acceptable`)
}

function rejectionOf(request: AssociationRequest, policy: NegotiationPolicy): Rejection | null {
  if ((request.protocolVersion & 1) === 0)
    return permanent(2, 2, `protocol version ${request.protocolVersion}: bit 0 is expected`)
  if (request.applicationContextName !== applicationContextName)
    return permanent(1, 2, 'the application context name is not that of DICOM')
  const refused = policy.admit(request)
  if (refused) return permanent(1, refused.refusal === 'called-ae-title' ? 7 : 3, refused.sentence)
  if (request.maxPdu !== 0 && request.maxPdu < smallestMaxPdu)
    return permanent(2, 1, `maximum PDU length ${request.maxPdu}: 0 or at least ${smallestMaxPdu} is expected`)
  if (policy.full)
    return { result: 'transient', source: 3, reason: 2, sentence: 'the number of associations has reached its limit' }
  return null
}

function answerContext(context: AssociationRequest['contexts'][number]): AnsweredContext {
  const transferSyntax = context.transferSyntaxes.find(looksLikeUID)
  const result = !isAcceptable(context.abstractSyntax) ? 3 : transferSyntax === undefined ? 4 : 0
  return { id: context.id, result, transferSyntax: transferSyntax ?? '1.2.840.10008.1.2' }
}

function isAcceptable(abstractSyntax: string): boolean {
  return (
    abstractSyntax === SOP.verification || (looksLikeUID(abstractSyntax) && isStorageSOPClass(abstractSyntax) !== false)
  )
}

/** Digits and dots: private UIDs with leading zeros break PS3.5 9.1, but modalities that use them must be able to send. */
const looksLikeUID = (text: string): boolean => /^\d[\d.]{0,63}$/.test(text)

const permanent = (source: Rejection['source'], reason: number, sentence: string): Rejection => ({
  result: 'permanent',
  source,
  reason,
  sentence,
})

const reject = (source: Rejection['source'], reason: number, sentence: string): Negotiation => ({
  kind: 'rejected',
  rejection: permanent(source, reason, sentence),
})
