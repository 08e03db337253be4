import { setTimeout as wait } from 'node:timers/promises'
import type { AssociationRequest } from './association-pdu.ts'
import type { Rejection } from './pdu.ts'
import type { UserIdentity } from './user-information.ts'

/** What became of a user identity. */
export interface IdentityJudgement {
  admitted: boolean
  /** Kerberos server ticket, SAML response or JSON Web Token for the requestor; sent where it asked for a response. */
  serverResponse?: Buffer
  /** Why it is not admitted; without the identity itself. */
  sentence?: string
}

/**
 * Judges the user identity of an association request (PS3.7 D.3.3.7), null where it has none. The association is answered
 * when it resolves; what it throws is a temporary rejection.
 */
export type Identify = (
  identity: UserIdentity | null,
  request: AssociationRequest,
  address: string,
) => Promise<IdentityJudgement>

/**
 * Asks about the user identity of a request, for a limited time.
 * @returns the rejection, or the server response to answer with: null where none was asked for
 */
export async function identifyWithin(
  identify: Identify,
  question: { request: AssociationRequest; address: string; withinMs: number },
): Promise<{ rejection: Rejection } | { response: Buffer | null }> {
  const { request, address, withinMs } = question
  const timer = new AbortController()
  const late = wait(withinMs, null, { signal: timer.signal }).catch(() => null)
  try {
    const judged = await Promise.race([identify(request.userIdentity, request, address), late])
    if (judged === null) return rejected('transient', `the user identity was not judged within ${withinMs} ms`)
    if (!judged.admitted) return rejected('permanent', judged.sentence ?? 'the user identity is not admitted')
    const asked = request.userIdentity?.positiveResponseRequested === true
    return { response: asked ? (judged.serverResponse ?? Buffer.alloc(0)) : null }
  } catch {
    return rejected('transient', 'the user identity could not be judged')
  } finally {
    timer.abort()
  }
}

/** A failed authorisation is told by the service provider, ACSE related, without a reason (PS3.7 D.3.3.7). */
const rejected = (result: Rejection['result'], sentence: string): { rejection: Rejection } => ({
  rejection: { result, source: 2, reason: 1, sentence },
})
