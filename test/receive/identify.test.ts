import { expect, it } from 'vitest'
import type { UserIdentity } from '../../src/dimse/user-information.ts'
import { identifyBy } from '../../src/receive/identify.ts'
import type { ReceiverAnswer, ReceiverQuestion } from '../../src/receive/questions.ts'

const identity = (type: number, primary = 'radiologist'): UserIdentity => ({
  type,
  positiveResponseRequested: true,
  primary: Buffer.from(primary),
  secondary: Buffer.from('secret'),
})
const request = { callingAETitle: 'WS', calledAETitle: 'HILUM' }

async function judge(
  settings: { check: 'none' | 'accounts' | 'authoriser'; required: boolean },
  given: UserIdentity | null,
  answer: ReceiverAnswer = { about: 'identity', admitted: true, serverResponse: null },
) {
  const questions: ReceiverQuestion[] = []
  const ask = (question: ReceiverQuestion) => {
    questions.push(question)
    return Promise.resolve(answer)
  }
  const identify = identifyBy(ask, settings)
  const judged = await identify?.(given, request as Parameters<typeof identify>[1], '10.0.0.7')
  return { judged, questions }
}

it('is not looked at by default', () => {
  expect(identifyBy(() => Promise.reject(new Error('asked')), { check: 'none', required: false })).toBeUndefined()
})

it('is asked of the node, which gets what the peer gave', async () => {
  const { judged, questions } = await judge({ check: 'accounts', required: true }, identity(2))
  expect(judged).toEqual({ admitted: true })
  expect(questions).toEqual([
    {
      about: 'identity',
      type: 'username-passcode',
      primary: Buffer.from('radiologist').toString('base64'),
      secondary: Buffer.from('secret').toString('base64'),
      sender: { ...request, address: '10.0.0.7' },
    },
  ])
})

it('has to be there where it is required, and of a type that is known', async () => {
  expect((await judge({ check: 'none', required: true }, null)).judged).toMatchObject({ admitted: false })
  expect((await judge({ check: 'none', required: true }, identity(5))).judged).toEqual({ admitted: true })
  expect((await judge({ check: 'accounts', required: false }, null)).judged).toEqual({ admitted: true })
  expect((await judge({ check: 'accounts', required: false }, identity(9))).judged).toMatchObject({ admitted: false })
})

it('is refused without saying which, and answered with what the node says', async () => {
  const settings = { check: 'authoriser', required: false } as const
  const refused = await judge(settings, identity(5), { about: 'identity', admitted: false, serverResponse: null })
  expect(refused.judged).toEqual({ admitted: false, sentence: 'the user identity is not admitted' })
  const serverResponse = Buffer.from('ticket').toString('base64')
  const admitted = await judge(settings, identity(3), { about: 'identity', admitted: true, serverResponse })
  expect(admitted.judged).toEqual({ admitted: true, serverResponse: Buffer.from('ticket') })
  const failed = judge(settings, identity(3), { about: 'failure', status: 0x0110, comment: 'no' })
  await expect(failed).rejects.toMatchObject({ code: 'refused-by-node' })
})
