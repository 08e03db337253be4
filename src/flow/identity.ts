import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { ReceiverAnswer, ReceiverQuestion } from '../receive/questions.ts'

export type IdentityQuestion = Extract<ReceiverQuestion, { about: 'identity' }>
export type IdentityAnswer = Extract<ReceiverAnswer, { about: 'identity' | 'failure' }>

export interface IdentityOptions {
  settings: Config['dimse']['userIdentity']
  /** True for the name and password of a user of this node; false also while an address has to wait after too many wrong ones. */
  verify(name: string, password: string, address: string): Promise<boolean>
  log: Log
}

/** How long the authoriser may take. The peer's association request waits meanwhile. */
const authoriserMs = 10_000
/** Bytes of the authoriser's answer that are taken: a server response has at most 65,535 (PS3.7 table D.3-15). */
const maximumResponse = 65_535

/**
 * Judges user identities (PS3.7 D.3.3.7): by the accounts of this node, which know user names with passcodes only, or by an HTTP
 * service. That gets `{type, primary, secondary, callingAETitle, address}` as JSON, texts as they are and a Kerberos ticket in base64;
 * 2xx admits, and the body `{"serverResponse": base64}`, if there is one, goes back to the peer.
 * @returns a judge, whose failures are answers as well; identities never go to the log
 */
export function identityJudge({ settings, verify, log }: IdentityOptions) {
  return async (question: IdentityQuestion): Promise<IdentityAnswer> => {
    switch (settings.check) {
      case 'none':
        return admit(true)
      case 'accounts':
        if (question.type !== 'username-passcode') return admit(false)
        return admit(await verify(text(question.primary), text(question.secondary), question.sender.address))
      case 'authoriser':
        return await askAuthoriser(question, settings.authoriser ?? '', log)
      default:
        return settings.check satisfies never
    }
  }
}

const admit = (admitted: boolean, serverResponse: string | null = null): IdentityAnswer => ({
  about: 'identity',
  admitted,
  serverResponse,
})

const text = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8')

async function askAuthoriser(question: IdentityQuestion, url: string, log: Log): Promise<IdentityAnswer> {
  const { type, primary, secondary, sender } = question
  const read = type === 'kerberos' ? (base64: string) => base64 : text
  const body = {
    type,
    primary: read(primary),
    secondary: read(secondary),
    callingAETitle: sender.callingAETitle,
    address: sender.address,
  }
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(authoriserMs),
    })
    if (response.ok) return admit(true, serverResponseOf(await response.text()))
    await response.body?.cancel()
    if (response.status < 500) return admit(false)
    return notJudged(`the authoriser answered HTTP ${response.status}`, log)
  } catch (error) {
    return notJudged(messageOf(error), log)
  }
}

function serverResponseOf(body: string): string | null {
  if (body.length > 2 * maximumResponse) return null
  try {
    const { serverResponse } = JSON.parse(body) as { serverResponse?: unknown }
    return typeof serverResponse === 'string' ? serverResponse : null
  } catch {
    // The service need not say anything: its status has admitted.
    return null
  }
}

/** A failure, unlike a refusal, tells the peer to try again. */
function notJudged(reason: string, log: Log): IdentityAnswer {
  log.error('a user identity could not be judged', { reason })
  return { about: 'failure', status: 0x0110, comment: 'the user identity could not be judged' }
}
