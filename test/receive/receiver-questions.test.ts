import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findMatches } from '../../src/dimse/find.ts'
import { silentLog } from '../../src/log.ts'
import type { ReceiverAnswer, ReceiverQuestion } from '../../src/receive/questions.ts'
import { receiverDefaults } from '../../src/receive/receiver-options.ts'
import { ReceiverProcess } from '../../src/receive/receiver-process.ts'
import { until } from '../dimse/memory-scp.ts'
import { repository } from '../support/data.ts'

/** The process runs what was built: `npm run build` comes before the tests. */
const entry = path.join(repository, 'dist', 'receive', 'receiver.js')

describe.skipIf(!existsSync(entry))('what the receiving process asks', () => {
  let dataDir = ''
  let receiver: ReceiverProcess
  let questions: ReceiverQuestion[]
  let answer: (question: ReceiverQuestion) => Promise<ReceiverAnswer>

  beforeEach(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-questions-'))
    questions = []
    const options = { ...receiverDefaults, aeTitle: 'HILUM', host: '127.0.0.1', port: 0, dataDir, minimumFreeBytes: 0 }
    receiver = new ReceiverProcess(options, {
      log: silentLog,
      entry,
      onEvent: () => undefined,
      onLost: () => undefined,
      onQuestion: (question) => {
        questions.push(question)
        return answer(question)
      },
    })
    await receiver.start()
  })
  afterEach(async () => {
    await receiver.stop(0)
    rmSync(dataDir, { recursive: true, force: true })
  })

  async function find(): Promise<unknown[]> {
    const peer = { host: '127.0.0.1', port: receiver.port, callingAETitle: 'TEST', calledAETitle: 'HILUM' }
    const matches: unknown[] = []
    const request = { model: 'study', level: 'STUDY', keys: { '0020000D': { vr: 'UI' } } } as const
    for await (const match of findMatches(peer, request)) matches.push(match['0020000D']?.Value?.[0])
    return matches
  }
  const page = (uid: string): ReceiverAnswer => ({
    about: 'find',
    matches: [{ '0020000D': { vr: 'UI', Value: [uid] } }],
    unsupported: false,
    next: null,
  })

  it('is answered by the node, and refused where the node fails', async () => {
    answer = () => Promise.resolve(page('1.2.3'))
    expect(await find()).toEqual(['1.2.3'])
    expect(questions).toMatchObject([{ about: 'find', model: 'study-root', level: 'STUDY', after: null }])
    answer = () => Promise.reject(new Error('the database is locked'))
    await expect(find()).rejects.toMatchObject({ code: 'refused', detail: { status: 0x0110 } })
  })

  it('ends with its process: the next one gets no answer that is not its own', async () => {
    let late: (answer: ReceiverAnswer) => void = () => undefined
    answer = () =>
      new Promise((resolve) => {
        late = resolve
      })
    const lost = find().catch((error: unknown) => error)
    await until(() => questions.length === 1)
    const { pid } = receiver
    process.kill(pid as number, 'SIGKILL')
    expect(await lost).toMatchObject({ code: 'association-lost' })
    answer = async () => {
      late(page('1.2.of-the-first'))
      await new Promise((resolve) => setImmediate(resolve))
      return page('1.2.4')
    }
    let found: unknown[] | null = null
    while (found === null) found = await find().catch(() => new Promise((resolve) => setTimeout(resolve, 20, null)))
    expect(found).toEqual(['1.2.4'])
  })
})
