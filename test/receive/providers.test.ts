import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { textsOf } from '../../src/dicom/dataset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { readHead } from '../../src/dicom/head.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { TS } from '../../src/dicom/transfer-syntax.ts'
import type { ServiceProvider } from '../../src/dimse/service.ts'
import { HilumError } from '../../src/errors.ts'
import { type Log, silentLog } from '../../src/log.ts'
import { commitmentProvider } from '../../src/receive/commitment-provider.ts'
import { queryProvider } from '../../src/receive/query-provider.ts'
import type { CommitmentOutcome, ReceiverAnswer, ReceiverQuestion } from '../../src/receive/questions.ts'
import { getProvider, moveProvider } from '../../src/receive/retrieve-provider.ts'
import { MemoryScp, until } from '../dimse/memory-scp.ts'
import { freePort } from '../support/orthanc.ts'
import { ctSlice, writePart10 } from '../support/part10-file.ts'
import { requestOf, TinyResponder } from './tiny-responder.ts'

let responder: TinyResponder
let questions: ReceiverQuestion[]
beforeEach(() => {
  responder = new TinyResponder()
  questions = []
})

/** Answers questions in turn. */
function answering(...answers: ReceiverAnswer[]) {
  return (question: ReceiverQuestion): Promise<ReceiverAnswer> => {
    questions.push(question)
    const answer = answers.shift()
    if (answer) return Promise.resolve(answer)
    return Promise.reject(new HilumError('node-unreachable', 'no more answers'))
  }
}

const provide = (provider: ServiceProvider, ...request: Parameters<typeof requestOf>) =>
  provider.provide(requestOf(...request), responder)
const statuses = () => responder.responses.map(({ status }) => status)
const failure = { about: 'failure', status: 0xa801, comment: 'no such destination' } as const

describe('C-FIND', () => {
  const keys = { QueryRetrieveLevel: 'STUDY', StudyInstanceUID: '' }
  const match = (n: number): DicomJson => ({ '0020000D': { vr: 'UI', Value: [`1.2.${n}`] } })
  const page = (from: number, to: number, next: string | null, unsupported = false): ReceiverAnswer => ({
    about: 'find',
    matches: Array.from({ length: to - from }, (_, n) => match(from + n)),
    unsupported,
    next,
  })

  it('answers page after page, each asked for when the one before is given', async () => {
    const provider = queryProvider({ ask: answering(page(0, 2, 'more'), page(2, 3, null)) })
    responder.onRespond = () => expect(questions).toHaveLength(responder.responses.length > 2 ? 2 : 1)
    await provide(provider, SOP.studyRootFind, {}, keys)
    expect(statuses()).toEqual([0xff00, 0xff00, 0xff00, 0])
    expect(questions.map((question) => 'after' in question && question.after)).toEqual([null, 'more'])
    const uids = responder.responses.flatMap(({ dataSet }) =>
      dataSet
        ? textsOf(readHead(dataSet, { transferSyntaxUID: TS.explicitVRLittleEndian }).elements, 'StudyInstanceUID')
        : [],
    )
    expect(uids).toEqual(['1.2.0', '1.2.1', '1.2.2'])
  })

  it('says with every match when a key is not supported', async () => {
    await provide(queryProvider({ ask: answering(page(0, 2, null, true)) }), SOP.studyRootFind, {}, keys)
    expect(statuses()).toEqual([0xff01, 0xff01, 0])
  })

  it('ends when it is cancelled, within a page or between two', async () => {
    responder.onRespond = () => {
      if (responder.responses.length === 3) responder.controller.abort()
    }
    await provide(queryProvider({ ask: answering(page(0, 100, 'more')) }), SOP.studyRootFind, {}, keys)
    expect(statuses()).toEqual([0xff00, 0xff00, 0xff00, 0xfe00])
    expect(questions).toHaveLength(1)
  })

  it('leaves to the listener what the node refuses, and what is wrong with the Identifier', async () => {
    const refused = provide(queryProvider({ ask: answering(failure) }), SOP.studyRootFind, {}, keys)
    await expect(refused).rejects.toMatchObject({ detail: { status: 0xa801 } })
    const wrong = provide(queryProvider({ ask: answering() }), SOP.studyRootFind, {}, { QueryRetrieveLevel: 'IMAGE' })
    await expect(wrong).rejects.toMatchObject({ detail: { status: 0xa900 } })
    expect(responder.responses).toEqual([])
  })
})

describe('retrieval', () => {
  let folder = ''
  let scp: MemoryScp
  const slices = [1, 2, 3].map((n) => ctSlice({ InstanceNumber: n }))
  const uids = slices.map((slice) => String(slice.SOPInstanceUID))
  const keys = { QueryRetrieveLevel: 'STUDY', StudyInstanceUID: '1.2.3', Modality: 'CT' }

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-retrieve-'))
    for (const [n, slice] of slices.entries()) writePart10(path.join(folder, `${n}.dcm`), slice)
    scp = await MemoryScp.start()
  })
  afterEach(async () => {
    await scp.server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const logged: unknown[][] = []
  const keep = (...line: unknown[]): void => void logged.push(line)
  const keeping: Log = { ...silentLog, info: keep, warn: keep }
  beforeEach(() => void logged.splice(0))

  const address = (port: number) => ({ aeTitle: 'HILUM', host: '127.0.0.1', port, tls: null })
  const page = (
    which: number[],
    options: { next?: string; total?: number; port?: number; missing?: boolean } = {},
  ): ReceiverAnswer => ({
    about: 'retrieve',
    instances: which.map((n) => ({
      path: options.missing ? null : path.join(folder, `${n}.dcm`),
      sopClassUID: SOP.ctImage,
      sopInstanceUID: uids[n] ?? '',
      transferSyntaxUID: TS.explicitVRLittleEndian,
    })),
    total: options.total ?? which.length,
    destination: address(options.port ?? scp.port),
    next: options.next ?? null,
  })
  const options = (...answers: ReceiverAnswer[]) => ({ ask: answering(...answers), aeTitle: 'NODE', log: keeping })
  const move = (...answers: ReceiverAnswer[]) =>
    provide(moveProvider(options(...answers)), SOP.studyRootMove, { moveDestination: 'DEST', messageID: 7 }, keys)
  const failedUIDs = () => {
    const { dataSet } = responder.last ?? {}
    if (!dataSet) return []
    return textsOf(
      readHead(dataSet, { transferSyntaxUID: TS.explicitVRLittleEndian }).elements,
      'FailedSOPInstanceUIDList',
    )
  }

  it('sends page after page to the destination, with counts, and only by unique keys', async () => {
    await move(page([0, 1], { next: 'more', total: 3 }), page([2], { total: 3 }))
    expect(scp.stored.map(({ request }) => request.sopInstanceUID)).toEqual(uids)
    expect(scp.opened.map(({ callingAETitle }) => callingAETitle)).toEqual(['NODE'])
    expect(questions).toMatchObject([
      { destination: 'DEST', after: null, keys: { '0020000D': { vr: 'UI', Value: ['1.2.3'] } } },
      { destination: 'DEST', after: 'more' },
    ])
    expect(questions[0]).not.toHaveProperty(['keys', '00080060'])
    expect(responder.responses[0]).toMatchObject({ status: 0xff00, subOperations: { remaining: 2, completed: 1 } })
    expect(responder.last).toEqual({ status: 0, subOperations: { completed: 3, failed: 0, warning: 0 } })
  })

  it('is answered although the destination does not let itself be released yet', async () => {
    scp.beforeSuccess = async () => scp.server.hold()
    await move(page([0], { total: 1 }))
    expect(responder.last).toMatchObject({ status: 0, subOperations: { completed: 1 } })
    scp.server.release()
    await until(() => scp.closed.length === 1)
    expect(scp.closed).toEqual(['released'])
  })

  it('tells which failed, and goes on with the others', async () => {
    scp.beforeStore = ({ sopInstanceUID }) => {
      if (sopInstanceUID === uids[1]) throw new HilumError('out-of-space', 'full')
    }
    await move(page([0, 1], { next: 'more', total: 3 }), page([2], { total: 3, missing: true }))
    expect(responder.last).toMatchObject({ status: 0xb000, subOperations: { completed: 1, failed: 2, warning: 0 } })
    expect(failedUIDs()).toEqual([uids[1], uids[2]])
    expect(logged).toMatchObject([
      ['C-MOVE answered', { completed: 1, failed: 2, warning: 0, failure: expect.stringMatching(/0xA700/) as string }],
    ])
  })

  it('fails as a whole where the destination cannot be reached, and does not try again', async () => {
    await move(page([0, 1], { next: 'more', total: 3, port: await freePort() }))
    expect(responder.last).toMatchObject({ status: 0xa702, subOperations: { completed: 0, failed: 3 } })
    expect(responder.last?.comment).toMatch(/^HILUM@127\.0\.0\.1:\d+ cannot be reached/)
    expect(failedUIDs()).toEqual([uids[0], uids[1]])
  })

  it('gives up a destination with which one association after the other is lost', async () => {
    const cutting = createServer((socket) => {
      const inner = connect(scp.port, '127.0.0.1')
      for (const end of [socket, inner]) end.on('error', () => undefined)
      inner.pipe(socket)
      socket.on('data', (bytes: Buffer) => (bytes[0] === 4 ? socket.destroy() : inner.write(bytes)))
      socket.on('close', () => inner.destroy())
    })
    cutting.listen(0, '127.0.0.1')
    await once(cutting, 'listening')
    const { port } = cutting.address() as AddressInfo
    await move(page([0, 1, 2, 0, 1, 2], { port, next: 'more', total: 9 }))
    cutting.close()
    expect(scp.opened).toHaveLength(3)
    expect(responder.last).toMatchObject({ status: 0xa702, subOperations: { completed: 0, failed: 9 } })
    expect(responder.last?.comment).toMatch(/^the association with HILUM@127/)
  })

  it('is cancelled with what remains', async () => {
    scp.beforeSuccess = async () => responder.controller.abort()
    await move(page([0, 1, 2]))
    expect(responder.last?.status).toBe(0xfe00)
    const { remaining = 0, completed = 0, failed = 0 } = responder.last?.subOperations ?? {}
    expect([remaining + completed, failed]).toEqual([3, 0])
  })

  it('succeeds with nothing where nothing matches, and is refused for an unknown destination', async () => {
    await move(page([]))
    expect(responder.responses).toEqual([{ status: 0, subOperations: { completed: 0, failed: 0, warning: 0 } }])
    await expect(move(failure)).rejects.toMatchObject({ detail: { status: 0xa801 } })
  })

  it('by C-GET comes over the association of the request', async () => {
    responder.statuses.set(uids[1] ?? '', null).set(uids[2] ?? '', 0xb000)
    const provider = getProvider(options(page([0, 1], { next: 'more', total: 3 }), page([2], { total: 3 })))
    await provide(provider, SOP.studyRootGet, {}, keys)
    expect(responder.stored).toEqual(uids)
    expect(questions).toMatchObject([{ destination: null }, { destination: null }])
    expect(responder.last).toMatchObject({ status: 0xb000, subOperations: { completed: 1, failed: 1, warning: 1 } })
    expect(failedUIDs()).toEqual([uids[1]])
  })

  it('by C-GET stops between two instances when it is cancelled', async () => {
    responder.onRespond = () => responder.controller.abort()
    await provide(getProvider(options(page([0, 1, 2]))), SOP.studyRootGet, {}, keys)
    expect(responder.stored).toEqual([uids[0]])
    expect(responder.last).toMatchObject({ status: 0xfe00, subOperations: { completed: 1, failed: 0, remaining: 2 } })
  })
})

describe('storage commitment', () => {
  const command = { actionTypeID: 1, sopInstanceUID: SOP.storageCommitmentPushModelInstance }
  const reference = { ReferencedSOPClassUID: SOP.ctImage, ReferencedSOPInstanceUID: '1.2.3.4' }
  const request = { TransactionUID: '1.2.77', ReferencedSOPSequence: [reference] }
  const outcome: CommitmentOutcome = {
    committed: [{ sopClassUID: SOP.ctImage, sopInstanceUID: '1.2.3.4' }],
    failed: [],
  }
  const decided: ReceiverAnswer = { about: 'commitment-outcome', outcome }
  const done: ReceiverAnswer = { about: 'done' }
  const provider = (report: () => Promise<boolean>, ...answers: ReceiverAnswer[]) =>
    commitmentProvider({ ask: answering(...answers), report, log: silentLog, reportAfterMs: 1 })

  it('is written down, answered, then reported, and the node is told', async () => {
    const reports: unknown[] = []
    const report = (...given: unknown[]) => {
      expect(statuses()).toEqual([0])
      reports.push(given)
      return Promise.resolve(true)
    }
    await provide(provider(report, done, decided, done), SOP.storageCommitmentPushModel, command, request)
    await until(() => questions.length === 3)
    const sender = { callingAETitle: 'WORKSTATION', calledAETitle: 'HILUM', address: '10.0.0.7' }
    expect(questions).toEqual([
      { about: 'commit', transactionUID: '1.2.77', sender, references: outcome.committed },
      { about: 'commitment-outcome', transactionUID: '1.2.77', sender },
      { about: 'commitment-reported', transactionUID: '1.2.77', sender, reported: true },
    ])
    expect(reports).toEqual([['association-1', '1.2.77', outcome]])
  })

  it('is left to the node where the association is gone', async () => {
    const gone = () => Promise.reject(new Error('gone'))
    await provide(provider(gone, done, decided, done), SOP.storageCommitmentPushModel, command, request)
    await until(() => questions.length === 3)
    expect(questions[2]).toMatchObject({ about: 'commitment-reported', reported: false })
  })

  it.each([
    ['another instance', { ...command, sopInstanceUID: '1.2.3' }, request, 0x0112],
    ['another action', { ...command, actionTypeID: 2 }, request, 0x0123],
    ['no transaction', command, { ReferencedSOPSequence: [reference] }, 0x0115],
    ['no references', command, { TransactionUID: '1.2.77', ReferencedSOPSequence: [] }, 0x0115],
    [
      'a reference without a class',
      command,
      { ...request, ReferencedSOPSequence: [{ ReferencedSOPInstanceUID: '1.2' }] },
      0x0115,
    ],
    ['no data set', command, null, 0x0115],
  ])('with %s is refused', async (_, given, natural, status) => {
    const refused = provide(
      provider(() => Promise.resolve(true)),
      SOP.storageCommitmentPushModel,
      given,
      natural,
    )
    await expect(refused).rejects.toMatchObject({ detail: { status } })
    expect(questions).toEqual([])
  })

  it('is refused where the node cannot write it down', async () => {
    const refused = provide(
      provider(() => Promise.resolve(true)),
      SOP.storageCommitmentPushModel,
      command,
      request,
    )
    await expect(refused).rejects.toMatchObject({ code: 'node-unreachable' })
    expect(responder.responses).toEqual([])
  })
})
