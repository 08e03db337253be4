import { type AnsweredContext, type AssociationRequest, applicationContextName } from './association-pdu.ts'
import { type AcceptedContext, type ContextPolicy, negotiateContexts } from './context-negotiation.ts'
import type { Rejection } from './pdu.ts'
import type { Permission } from './service.ts'
import type { AsynchronousOperations, ExtendedNegotiation, RoleSelection } from './user-information.ts'

export type { AcceptedContext } from './context-negotiation.ts'

/** The smallest maximum length of a peer that can be served: a response has to fit one PDU. */
export const smallestMaxPdu = 4096

/** Why a caller is not served; the AE titles are judged by whoever knows the configuration. */
export type Refusal = 'called-ae-title' | 'calling-ae-title'

/** Whether a caller is served, and what it may do. Null: admitted, and may store. */
export type Admission = { refusal: Refusal; sentence: string } | { permissions: ReadonlySet<Permission> } | null

/** What negotiation needs to know. */
export interface NegotiationPolicy extends Omit<ContextPolicy, 'permissions'> {
  /** Judges the AE titles, the address and the certificate. */
  admit(request: AssociationRequest): Admission
  /** True when no further association can be served now. */
  full: boolean
  /** Operations of the peer that may be under way on one association, where it asks for a window. */
  asynchronousOperations?: number
}

/** An association as it was agreed upon; what is answered is part of it. */
export interface Agreement {
  kind: 'accepted'
  permissions: ReadonlySet<Permission>
  contexts: Map<number, AcceptedContext>
  answers: AnsweredContext[]
  roles: RoleSelection[]
  extended: ExtendedNegotiation[]
  /** Null where the requestor proposed none: one at a time. */
  asynchronousOperations: AsynchronousOperations | null
}

export type Negotiation = Agreement | { kind: 'rejected'; rejection: Rejection }

const storeOnly: ReadonlySet<Permission> = new Set<Permission>(['store'])

/**
 * Decides about an association request: whole (PS3.8 9.3.4), then context by context. The user identity is for somebody else
 * to judge.
 */
export function negotiate(request: AssociationRequest, policy: NegotiationPolicy): Negotiation {
  const wrong = protocolMismatch(request)
  if (wrong) return { kind: 'rejected', rejection: wrong }
  const admission = policy.admit(request)
  if (admission && 'refusal' in admission)
    return reject(1, admission.refusal === 'called-ae-title' ? 7 : 3, admission.sentence)
  if (request.maxPdu !== 0 && request.maxPdu < smallestMaxPdu)
    return reject(2, 1, `maximum PDU length ${request.maxPdu}: 0 or at least ${smallestMaxPdu} is expected`)
  if (policy.full) return { kind: 'rejected', rejection: limitExceeded }
  const permissions = admission?.permissions ?? storeOnly
  const agreed = negotiateContexts(request, { ...policy, permissions })
  if (agreed.contexts.size === 0) return reject(1, 1, nothingAcceptable(request, { ...policy, permissions }))
  const asynchronousOperations = windowFor(request.asynchronousOperations, policy.asynchronousOperations ?? 1)
  return { kind: 'accepted', permissions, ...agreed, asynchronousOperations }
}

const everything: readonly Permission[] = ['store', 'query', 'retrieve']

/** Why no context was accepted: what was asked for by what would have sufficed for it, and what the caller may do. */
function nothingAcceptable(request: AssociationRequest, policy: ContextPolicy): string {
  const asked = everything.filter(
    (permission) => negotiateContexts(request, { ...policy, permissions: new Set([permission]) }).contexts.size > 0,
  )
  const contexts = `none of the ${request.contexts.length} presentation contexts is acceptable`
  if (asked.length === 0) return `${contexts}: their services or transfer syntaxes are not supported`
  const may = everything.filter((permission) => policy.permissions.has(permission))
  const allowed = may.length === 0 ? 'nothing' : may.join(' and ')
  return `${contexts} for this caller: it asks for ${asked.join(' and ')}, and may ${allowed}`
}

const limitExceeded: Rejection = {
  result: 'transient',
  source: 3,
  reason: 2,
  sentence: 'the number of associations has reached its limit',
}

function protocolMismatch(request: AssociationRequest): Rejection | null {
  if ((request.protocolVersion & 1) === 0)
    return permanent(2, 2, `protocol version ${request.protocolVersion}: bit 0 is expected`)
  if (request.applicationContextName !== applicationContextName)
    return permanent(1, 2, 'the application context name is not that of DICOM')
  // PS3.5 6.2, VR AE. Other characters beyond ASCII are let through: some modalities have them.
  if (hasControlCharacter(request.callingAETitle)) return permanent(1, 3, 'the calling AE title has control characters')
  if (hasControlCharacter(request.calledAETitle)) return permanent(1, 7, 'the called AE title has control characters')
  return null
}

function hasControlCharacter(text: string): boolean {
  for (let n = 0; n < text.length; n++) if (text.charCodeAt(n) < 0x20 || text.charCodeAt(n) === 0x7f) return true
  return false
}

/**
 * The window that is answered: never more than was proposed (PS3.7 D.3.3.3). We invoke one operation at a time ourselves, so
 * that the requestor never performs more.
 */
function windowFor(proposed: AsynchronousOperations | null, most: number): AsynchronousOperations | null {
  return proposed && { invoked: proposed.invoked === 0 ? most : Math.min(proposed.invoked, most), performed: 1 }
}

/** A rejection for good; the same request would be rejected again. */
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
