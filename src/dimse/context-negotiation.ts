import { isStorageSOPClass, SOP } from '../dicom/sop-class.ts'
import { TS } from '../dicom/transfer-syntax.ts'
import type { AnsweredContext, AssociationRequest, ProposedContext } from './association-pdu.ts'
import { commandField } from './command-set.ts'
import { readableSyntaxes } from './readable-syntaxes.ts'
import type { Permission, ServiceProvider } from './service.ts'
import type { ExtendedNegotiation, RoleSelection } from './user-information.ts'

/** A context that was accepted. */
export interface AcceptedContext {
  id: number
  abstractSyntax: string
  transferSyntax: string
  /** Roles of the requestor; absent where none were negotiated: it is the SCU (PS3.7 D.3.3.4). */
  roles?: { scu: boolean; scp: boolean }
}

/** What the answer to a presentation context depends on. */
export interface ContextPolicy {
  permissions: ReadonlySet<Permission>
  services?: readonly ServiceProvider[]
  /** Transfer syntaxes to choose first, best first; what is not named comes after them, in the proposer's order. */
  transferSyntaxes?: readonly string[]
}

/** What was agreed about the contexts of a request. */
export interface AgreedContexts {
  contexts: Map<number, AcceptedContext>
  answers: AnsweredContext[]
  roles: RoleSelection[]
  extended: ExtendedNegotiation[]
}

/** Service class of every storage SOP class (PS3.6 table A-1). */
const storageServiceClass = '1.2.840.10008.4.2'

/**
 * Answers the presentation contexts of a request (PS3.8 9.3.3.2). Verification is for everybody. Storage SOP classes, and
 * classes that nobody knows (private ones are storage in practice), are taken from callers that may store, and in the SCP
 * role of the requestor for those that may retrieve, since C-GET sends over them. Services are for those that have their
 * permission.
 */
export function negotiateContexts(request: AssociationRequest, policy: ContextPolicy): AgreedContexts {
  const proposedRoles = new Map(request.roles.map((role) => [role.sopClassUID, role]))
  const answeredRoles = new Map<string, RoleSelection>()
  const contexts = new Map<number, AcceptedContext>()
  const answers: AnsweredContext[] = []
  for (const proposed of request.contexts) {
    const { id, abstractSyntax } = proposed
    const proposedRole = proposedRoles.get(abstractSyntax)
    const answer = answerContext(proposed, proposedRole, request, policy)
    answers.push({ id, result: answer.result, transferSyntax: answer.transferSyntax })
    if (answer.result !== 0) continue
    const { transferSyntax, roles } = answer
    contexts.set(id, { id, abstractSyntax, transferSyntax, ...(proposedRole && { roles }) })
    if (proposedRole) answeredRoles.set(abstractSyntax, { sopClassUID: abstractSyntax, ...roles })
  }
  const accepted = new Set([...contexts.values()].map((context) => context.abstractSyntax))
  // One for each class (PS3.7 D.3.3.5): an answer to every repetition might not fit its PDU.
  const extended = [...new Map(request.extended.map((negotiation) => [negotiation.sopClassUID, negotiation])).values()]
    .filter(({ sopClassUID }) => accepted.has(sopClassUID))
    .flatMap((negotiation) => answerExtended(negotiation, policy.services ?? []))
  return { contexts, answers, roles: [...answeredRoles.values()], extended }
}

type Answer = Omit<AnsweredContext, 'id'> & { roles: { scu: boolean; scp: boolean } }

const noRoles = { scu: false, scp: false }
/** Named in answers that accept nothing, where it is not significant (PS3.8 table 9-18). */
const anySyntax = TS.implicitVRLittleEndian

function answerContext(
  proposed: ProposedContext,
  role: RoleSelection | undefined,
  request: AssociationRequest,
  policy: ContextPolicy,
): Answer {
  const offer = offerFor(proposed.abstractSyntax, request, policy)
  if (offer === null) return { result: 3, transferSyntax: anySyntax, roles: noRoles }
  const roles = { scu: (role?.scu ?? true) && offer.scu, scp: (role?.scp ?? false) && offer.scp }
  if (!roles.scu && !roles.scp) return { result: 1, transferSyntax: anySyntax, roles }
  const transferSyntax = chooseTransferSyntax(proposed.transferSyntaxes, offer, policy.transferSyntaxes ?? [])
  if (transferSyntax === undefined) return { result: 4, transferSyntax: anySyntax, roles }
  return { result: 0, transferSyntax, roles }
}

/** Roles that a caller may have for a class, and whether we have to read its data sets ourselves; null: not supported. */
interface Offer {
  scu: boolean
  scp: boolean
  /** Any transfer syntax will do: data sets are kept as they come, or there are none. */
  anySyntax: boolean
}

function offerFor(abstractSyntax: string, request: AssociationRequest, policy: ContextPolicy): Offer | null {
  const { permissions, services = [] } = policy
  if (abstractSyntax === SOP.verification) return { scu: true, scp: false, anySyntax: true }
  const providers = services.filter((service) => service.abstractSyntaxes.includes(abstractSyntax))
  if (providers.length > 0) {
    const allowed = providers.filter(({ permission }) => permission === null || permissions.has(permission))
    // Only the SCP of a service reports events: who takes them lets the requestor be that SCP.
    const isEventTaker = (provider: ServiceProvider) => provider.commandFields.includes(commandField.nEventReportRQ)
    const isServer = (provider: ServiceProvider) =>
      provider.commandFields.some((field) => field !== commandField.nEventReportRQ)
    return { scu: allowed.some(isServer), scp: allowed.some(isEventTaker), anySyntax: false }
  }
  if (!isStorage(abstractSyntax, request)) return null
  const sends = services.some((service) => service.commandFields.includes(commandField.cGetRQ))
  return { scu: permissions.has('store'), scp: sends && permissions.has('retrieve'), anySyntax: true }
}

function isStorage(abstractSyntax: string, request: AssociationRequest): boolean {
  const known = isStorageSOPClass(abstractSyntax)
  if (known !== undefined) return known
  // A class that nobody knows may say itself to which service it belongs (PS3.7 D.3.3.6).
  const common = request.commonExtended.find(({ sopClassUID }) => sopClassUID === abstractSyntax)
  return looksLikeUID(abstractSyntax) && (common === undefined || common.serviceClassUID === storageServiceClass)
}

/** Transfer syntaxes of the data sets that services read. */
const readable: ReadonlySet<string> = new Set(readableSyntaxes)

function chooseTransferSyntax(
  proposed: readonly string[],
  offer: Offer,
  preferred: readonly string[],
): string | undefined {
  const possible = proposed.filter((uid) => (offer.anySyntax ? looksLikeUID(uid) : readable.has(uid)))
  return preferred.find((uid) => possible.includes(uid)) ?? possible[0]
}

/** Digits and dots: private UIDs with leading zeros break PS3.5 9.1, but modalities that use them must be able to send. */
const looksLikeUID = (text: string): boolean => /^\d[\d.]{0,63}$/.test(text)

/**
 * Storage: level 2, every attribute kept; digital signatures kept as they are; nothing coerced (PS3.4 table B.3-1). Services
 * answer for themselves, by default that they support nothing of it: no relational queries and retrievals, no fuzzy matching
 * (PS3.4 C.5). Without an answer the defaults are in force (PS3.7 D.3.3.5).
 */
function answerExtended(proposed: ExtendedNegotiation, services: readonly ServiceProvider[]): ExtendedNegotiation[] {
  const { sopClassUID, information } = proposed
  const provider = services.find((service) => service.abstractSyntaxes.includes(sopClassUID))
  if (provider?.negotiateExtended) return [{ sopClassUID, information: provider.negotiateExtended(information) }]
  if (provider) return [{ sopClassUID, information: Buffer.alloc(information.length) }]
  if (isStorageSOPClass(sopClassUID) !== true) return []
  return [{ sopClassUID, information: Buffer.from([2, 0, 3, 0, 0, 0]) }]
}
