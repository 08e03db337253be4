import { expect, it } from 'vitest'
import { Asking, expectAnswer } from '../../src/receive/asking.ts'
import type { ReceiverQuestion } from '../../src/receive/questions.ts'

const question: ReceiverQuestion = { about: 'find', model: 'study-root', level: 'STUDY', keys: {}, after: null }

function asking(options: { timeoutMs?: number; maximum?: number } = {}) {
  const asked: number[] = []
  return { asked, asking: new Asking({ emit: (id) => asked.push(id), ...options }) }
}

it('gives each question its own answer, in whichever order they come', async () => {
  const { asked, asking: a } = asking()
  const [first, second] = [a.ask(question), a.ask(question)]
  a.answer(asked[1] ?? 0, { about: 'done' })
  a.answer(asked[0] ?? 0, { about: 'failure', status: 0xa801, comment: 'no' })
  expect(await second).toEqual({ about: 'done' })
  const failure = await first
  expect(() => expectAnswer(failure, 'done')).toThrow(
    expect.objectContaining({ code: 'refused-by-node', message: 'no', detail: { status: 0xa801 } }),
  )
  expect(a.underWay).toBe(0)
})

it('waits for a bounded time, and drops what comes later', async () => {
  const { asked, asking: a } = asking({ timeoutMs: 20 })
  await expect(a.ask(question)).rejects.toMatchObject({ code: 'node-unreachable', detail: { status: 0xa700 } })
  a.answer(asked[0] ?? 0, { about: 'done' })
  expect(a.underWay).toBe(0)
})

it('has a bounded number under way, and none when the node is gone', async () => {
  const { asked, asking: a } = asking({ maximum: 1 })
  const waiting = a.ask(question)
  await expect(a.ask(question)).rejects.toMatchObject({ code: 'node-unreachable' })
  a.close()
  await expect(waiting).rejects.toMatchObject({ code: 'node-unreachable' })
  await expect(a.ask(question)).rejects.toMatchObject({ code: 'node-unreachable' })
  expect(asked).toHaveLength(1)
})
