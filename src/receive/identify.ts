import type { Identify } from '../dimse/identify.ts'
import { userIdentityType } from '../dimse/user-information.ts'
import { expectAnswer } from './asking.ts'
import type { Ask, IdentityType } from './questions.ts'
import type { ReceiverOptions } from './receiver-options.ts'

const names: Readonly<Record<number, IdentityType>> = {
  [userIdentityType.username]: 'username',
  [userIdentityType.usernameAndPasscode]: 'username-passcode',
  [userIdentityType.kerberos]: 'kerberos',
  [userIdentityType.saml]: 'saml',
  [userIdentityType.jwt]: 'jwt',
}

/**
 * Has user identities judged by the node (PS3.7 D.3.3.7).
 * @returns undefined where they are not to be looked at
 */
export function identifyBy(ask: Ask, { check, required }: ReceiverOptions['userIdentity']): Identify | undefined {
  if (check === 'none' && !required) return undefined
  return async (identity, { callingAETitle, calledAETitle }, address) => {
    if (identity === null)
      return required ? { admitted: false, sentence: 'the association has no user identity' } : { admitted: true }
    const type = names[identity.type]
    if (type === undefined) return { admitted: false, sentence: `user identity of unknown type ${identity.type}` }
    if (check === 'none') return { admitted: true }
    const answer = await ask({
      about: 'identity',
      type,
      primary: identity.primary.toString('base64'),
      secondary: identity.secondary.toString('base64'),
      sender: { callingAETitle, calledAETitle, address },
    })
    const { admitted, serverResponse } = expectAnswer(answer, 'identity')
    return {
      admitted,
      ...(!admitted && { sentence: 'the user identity is not admitted' }),
      ...(serverResponse !== null && { serverResponse: Buffer.from(serverResponse, 'base64') }),
    }
  }
}
