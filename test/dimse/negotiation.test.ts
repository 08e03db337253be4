import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { SOP } from '../../src/dicom/sop-class.ts'
import { type Admission, negotiate } from '../../src/dimse/association-negotiation.ts'
import { type AssociationRequest, parseAssociateRequest } from '../../src/dimse/association-pdu.ts'
import { commandField } from '../../src/dimse/command-set.ts'
import type { Identify } from '../../src/dimse/identify.ts'
import type { DimseServerOptions } from '../../src/dimse/server.ts'
import type { Permission, ServiceProvider } from '../../src/dimse/service.ts'
import type { UserIdentity } from '../../src/dimse/user-information.ts'
import {
  type AssociateOptions,
  associateRequest,
  CraftedPeer,
  ctImage,
  explicitVR,
  implicitVR,
  releaseRQ,
  storageContext,
  storePDUs,
  verification,
} from './crafted-peer.ts'
import { MemoryScp, until } from './memory-scp.ts'

const running: MemoryScp[] = []
async function start(options: Partial<DimseServerOptions> = {}): Promise<MemoryScp> {
  const scp = await MemoryScp.start(options)
  running.push(scp)
  return scp
}
afterEach(async () => {
  for (const scp of running.splice(0)) await scp.server.close()
})

const provider = (
  abstractSyntax: string,
  permission: Permission | null,
  field: number,
  more: Partial<ServiceProvider> = {},
): ServiceProvider => ({
  abstractSyntaxes: [abstractSyntax],
  permission,
  commandFields: [field],
  provide: async () => undefined,
  ...more,
})
const services = [
  provider(SOP.studyRootFind, 'query', commandField.cFindRQ),
  provider(SOP.studyRootGet, 'retrieve', commandField.cGetRQ),
  provider(SOP.storageCommitmentPushModel, 'store', commandField.nActionRQ),
]
const may = (...permissions: Permission[]): Admission => ({ permissions: new Set(permissions) })
const request = (options: AssociateOptions = {}): AssociationRequest =>
  parseAssociateRequest(associateRequest(options).subarray(6))
const jpegLS = '1.2.840.10008.1.2.4.80'

it('that accepts nothing says what was asked for, and what the caller may do', () => {
  const sentence = (abstractSyntax: string, admission: Admission) => {
    const asked = request({ contexts: [{ id: 1, abstractSyntax, transferSyntaxes: [explicitVR] }] })
    const outcome = negotiate(asked, { services, admit: () => admission, full: false })
    return outcome.kind === 'rejected' ? outcome.rejection.sentence : null
  }
  const none = 'none of the 1 presentation contexts is acceptable'
  expect(sentence(SOP.studyRootFind, may('store'))).toBe(`${none} for this caller: it asks for query, and may store`)
  expect(sentence(ctImage, may('query', 'retrieve'))).toBe(
    `${none} for this caller: it asks for store, and may query and retrieve`,
  )
  expect(sentence(SOP.studyRootMove, may('query'))).toBe(
    `${none}: their services or transfer syntaxes are not supported`,
  )
})

/** The answer to one context, beside Verification so that there is always one. */
function answerTo(
  proposed: { abstractSyntax: string; transferSyntaxes?: string[]; role?: { scu: boolean; scp: boolean } },
  policy: { admission: Admission; services?: ServiceProvider[]; transferSyntaxes?: string[] },
) {
  const { abstractSyntax, transferSyntaxes = [explicitVR], role } = proposed
  const asked = request({
    contexts: [
      { id: 1, abstractSyntax: verification, transferSyntaxes: [implicitVR] },
      { id: 3, abstractSyntax, transferSyntaxes },
    ],
    roles: role ? [{ sopClassUID: abstractSyntax, ...role }] : [],
  })
  const outcome = negotiate(asked, { services, ...policy, admit: () => policy.admission, full: false })
  if (outcome.kind !== 'accepted') throw new Error('rejected')
  const [, answer] = outcome.answers
  return { result: answer?.result, transferSyntax: answer?.transferSyntax, roles: outcome.roles }
}

describe('presentation contexts', () => {
  it.each([
    ['storage', ctImage, 'store', 0],
    ['storage', ctImage, 'query', 1],
    ['a private class', '1.2.392.200036.1', 'retrieve', 1],
    ['a query', SOP.studyRootFind, 'query', 0],
    ['a query', SOP.studyRootFind, 'store', 1],
    ['a retrieve', SOP.studyRootGet, 'retrieve', 0],
    ['a service nobody provides', SOP.modalityWorklistFind, 'query', 3],
  ] as const)('%s (%s) for a caller that may %s: result %i', (_, abstractSyntax, permission, result) => {
    expect(answerTo({ abstractSyntax }, { admission: may(permission) })).toMatchObject({ result })
  })

  it('of a service that everybody may use need no permission', () => {
    const open = [provider(SOP.modalityWorklistFind, null, commandField.cFindRQ)]
    const policy = { admission: may(), services: open }
    expect(answerTo({ abstractSyntax: SOP.modalityWorklistFind }, policy)).toMatchObject({ result: 0 })
  })

  it.each([
    ['the first one that is proposed', [], [jpegLS, explicitVR], jpegLS],
    ['the one that is preferred', [explicitVR, jpegLS], [implicitVR, jpegLS, explicitVR], explicitVR],
    ['the first one where none is preferred', ['1.2.840.10008.1.2.4.90'], [implicitVR, explicitVR], implicitVR],
  ])('of storage get %s', (_, transferSyntaxes, proposed, chosen) => {
    const answer = answerTo(
      { abstractSyntax: ctImage, transferSyntaxes: proposed },
      { admission: may('store'), transferSyntaxes },
    )
    expect(answer).toMatchObject({ result: 0, transferSyntax: chosen })
  })

  it.each([
    [[jpegLS, implicitVR], 0, implicitVR],
    [[jpegLS], 4, implicitVR],
  ])('of services are read in what we can read: of %j', (transferSyntaxes, result, transferSyntax) => {
    const answer = answerTo({ abstractSyntax: SOP.studyRootFind, transferSyntaxes }, { admission: may('query') })
    expect(answer).toMatchObject({ result, transferSyntax })
  })
})

describe('AE titles', () => {
  it.each([
    ['calling', { callingAETitle: 'A\0B' }, 3],
    ['calling', { callingAETitle: 'A\nB' }, 3],
    ['called', { calledAETitle: 'A\u001bB' }, 7],
  ])('with control characters are refused: %s', (_, titles, reason) => {
    const policy = { admit: () => may('store'), full: false }
    expect(negotiate(request(titles), policy)).toMatchObject({ rejection: { result: 'permanent', source: 1, reason } })
  })
})

describe('role selection', () => {
  const scp = { scu: false, scp: true }
  const both = { scu: true, scp: true }
  const scu = { scu: true, scp: false }
  it.each([
    ['storage', ctImage, scp, 'retrieve', 0, scp],
    ['storage', ctImage, both, 'store', 0, scu],
    ['storage', ctImage, both, 'retrieve', 0, scp],
    ['storage', ctImage, scp, 'store', 1, null],
    ['storage', ctImage, scu, 'retrieve', 1, null],
    ['storage commitment', SOP.storageCommitmentPushModel, both, 'store', 0, scu],
    ['storage commitment', SOP.storageCommitmentPushModel, scp, 'store', 1, null],
    ['verification', verification, both, 'store', 0, scu],
  ] as const)('of %s', (_, abstractSyntax, role, permission, result, roles) => {
    const answer = answerTo({ abstractSyntax, role }, { admission: may(permission) })
    expect(answer).toMatchObject({
      result,
      roles: roles === null ? [] : [{ sopClassUID: abstractSyntax, ...roles }],
    })
  })

  it('lets a requestor report events where they are taken', () => {
    const taking = [provider(SOP.storageCommitmentPushModel, null, commandField.nEventReportRQ)]
    const policy = { admission: may(), services: taking }
    const abstractSyntax = SOP.storageCommitmentPushModel
    expect(answerTo({ abstractSyntax, role: scp }, policy)).toMatchObject({ result: 0, roles: [scp] })
    expect(answerTo({ abstractSyntax }, policy)).toMatchObject({ result: 1 })
  })

  it('of C-GET takes no instances from a requestor in the SCP role only', async () => {
    const memory = await start({ services, admit: () => may('retrieve', 'store') })
    const peer = await CraftedPeer.associate(memory.port, { roles: [{ sopClassUID: ctImage, ...scp }] })
    peer.send(storePDUs('1.2.3', Buffer.from('AB')))
    expect(await peer.response()).toMatchObject({ status: 0x0124 })
    expect(memory.stored).toHaveLength(0)
  })
})

describe('extended negotiation', () => {
  it('is answered for accepted classes: storage keeps everything, queries support nothing', async () => {
    const information = Buffer.from([1, 1, 1])
    const scp = await start({ services, admit: () => may('store', 'query') })
    const peer = await CraftedPeer.associate(scp.port, {
      contexts: [
        storageContext(1),
        storageContext(3, implicitVR, SOP.studyRootFind),
        storageContext(5, '1.2', '1.3.9'),
      ],
      extended: [
        { sopClassUID: ctImage, information: Buffer.from([2, 0, 0, 0, 1, 0]) },
        { sopClassUID: SOP.studyRootFind, information },
        { sopClassUID: SOP.studyRootGet, information },
        { sopClassUID: '1.3.9', information },
      ],
    })
    expect(peer.answer?.extended).toEqual([
      { sopClassUID: ctImage, information: Buffer.from([2, 0, 3, 0, 0, 0]) },
      { sopClassUID: SOP.studyRootFind, information: Buffer.alloc(3) },
    ])
  })

  it('is answered by the provider that knows better', async () => {
    const negotiateExtended = (information: Buffer) => information.subarray(0, 1)
    const knowing = [provider(SOP.studyRootFind, 'query', commandField.cFindRQ, { negotiateExtended })]
    const scp = await start({ services: knowing, admit: () => may('query') })
    const peer = await CraftedPeer.associate(scp.port, {
      contexts: [storageContext(1, implicitVR, SOP.studyRootFind)],
      extended: [{ sopClassUID: SOP.studyRootFind, information: Buffer.from([1, 1]) }],
    })
    expect(peer.answer?.extended).toEqual([{ sopClassUID: SOP.studyRootFind, information: Buffer.from([1]) }])
  })

  it.each([
    ['1.2.840.10008.4.2', 0],
    ['1.2.840.10008.4.9', 3],
  ])('that is common says whether a class that nobody knows is storage: %s', (serviceClassUID, result) => {
    const asked = request({ contexts: [storageContext(1), storageContext(3, explicitVR, '1.2.392.1')] })
    asked.commonExtended = [{ sopClassUID: '1.2.392.1', serviceClassUID }]
    const outcome = negotiate(asked, { admit: () => null, full: false })
    expect(outcome.kind === 'accepted' && outcome.answers[1]?.result).toBe(result)
  })
})

describe('a user identity', () => {
  const identity = (more: Partial<UserIdentity> = {}): UserIdentity => ({
    type: 2,
    positiveResponseRequested: false,
    primary: Buffer.from('Jürgen'),
    secondary: Buffer.from('secret'),
    ...more,
  })
  const reject = async (
    identify: Identify,
    userIdentity: UserIdentity | null,
    more: Partial<DimseServerOptions> = {},
  ) => {
    const scp = await start({ identify, ...more })
    const peer = await CraftedPeer.connect(scp.port)
    peer.send(associateRequest({ userIdentity }))
    const answer = await peer.next()
    return { answer: [answer?.type, ...(answer?.body ?? [])], refused: scp.refused, opened: scp.opened }
  }

  it('is handed over as it came, and answered where a response is asked for', async () => {
    const seen: unknown[] = []
    const scp = await start({
      identify: async (given, { callingAETitle }, address) => {
        seen.push(given, callingAETitle, address)
        return { admitted: true, serverResponse: Buffer.from('TOKEN') }
      },
    })
    const asking = identity({ type: 5, positiveResponseRequested: true, secondary: Buffer.alloc(0) })
    expect((await CraftedPeer.associate(scp.port, { userIdentity: asking })).answer?.userIdentityResponse).toEqual(
      Buffer.from('TOKEN'),
    )
    expect(
      (await CraftedPeer.associate(scp.port, { userIdentity: identity() })).answer?.userIdentityResponse,
    ).toBeNull()
    await CraftedPeer.associate(scp.port)
    expect(seen).toEqual([
      asking,
      'CRAFTED',
      '127.0.0.1',
      identity(),
      'CRAFTED',
      '127.0.0.1',
      null,
      'CRAFTED',
      '127.0.0.1',
    ])
  })

  it.each([
    ['that is not admitted', async () => ({ admitted: false, sentence: 'unknown user' }), 1, 'unknown user'],
    ['whose judge fails', async () => Promise.reject(new Error('secret')), 2, 'the user identity could not be judged'],
    [
      'whose judge does not answer',
      () => new Promise(() => undefined),
      2,
      'the user identity was not judged within 200 ms',
    ],
  ])('%s rejects the association', async (_, identify, result, sentence) => {
    const outcome = await reject(identify as Identify, identity(), { associationTimeoutMs: 200 })
    expect(outcome).toEqual({ answer: [3, 0, result, 2, 1], refused: [sentence], opened: [] })
  })

  it('is judged without holding up others, and counts against the limit meanwhile', async () => {
    const waiting: (() => void)[] = []
    const scp = await start({
      maxAssociations: 2,
      identify: (given) =>
        given === null
          ? Promise.resolve({ admitted: true })
          : new Promise((resolve) => waiting.push(() => resolve({ admitted: true }))),
    })
    const slow = await CraftedPeer.connect(scp.port)
    slow.send(associateRequest({ userIdentity: identity() }), storePDUs('1.2.1', Buffer.from('AB')))
    await until(() => waiting.length === 1)
    const quick = await CraftedPeer.associate(scp.port)
    quick.send(storePDUs('1.2.2', Buffer.from('AB')))
    expect(await quick.response()).toMatchObject({ status: 0 })
    const third = await CraftedPeer.connect(scp.port)
    third.send(associateRequest())
    expect((await third.next())?.type).toBe(3)
    waiting[0]?.()
    expect((await slow.next())?.type).toBe(2)
    expect(await slow.response()).toMatchObject({ status: 0 })
  })

  it('does not matter to what does not fit the answer', async () => {
    const scp = await start({ identify: async () => ({ admitted: true }) })
    const extended = Array.from({ length: 1900 }, () => ({ sopClassUID: ctImage, information: Buffer.alloc(0) }))
    const peer = await CraftedPeer.associate(scp.port, { extended })
    expect(peer.answer?.extended).toEqual([{ sopClassUID: ctImage, information: Buffer.from([2, 0, 3, 0, 0, 0]) }])
    const long = await CraftedPeer.connect(scp.port)
    const token = { type: 5, positiveResponseRequested: true, primary: Buffer.from('T'), secondary: Buffer.alloc(0) }
    const talkative = await start({ identify: async () => ({ admitted: true, serverResponse: Buffer.alloc(0xffff) }) })
    const other = await CraftedPeer.connect(talkative.port)
    other.send(associateRequest({ userIdentity: token }))
    expect((await other.next())?.type).toBe(7)
    long.socket.destroy()
  })

  it('that is judged after the peer has gone opens nothing', async () => {
    let admit = (): void => undefined
    const scp = await start({ identify: () => new Promise((resolve) => (admit = () => resolve({ admitted: true }))) })
    const peer = await CraftedPeer.connect(scp.port)
    peer.send(associateRequest())
    await until(() => scp.server.openAssociations === 1)
    peer.socket.destroy()
    await until(() => scp.server.openAssociations === 0)
    admit()
    await wait(20)
    expect([scp.opened, scp.closed]).toEqual([[], []])
  })
})

describe('connections that say nothing', () => {
  it('keep nobody out: the oldest of them gives way', async () => {
    const scp = await start({ maxAssociations: 2 })
    const silent: CraftedPeer[] = []
    for (let n = 0; n < 200; n++) silent.push(await CraftedPeer.connect(scp.port))
    await until(() => silent.filter((peer) => peer.closed).length >= 136)
    expect(silent.slice(0, 100).every((peer) => peer.closed)).toBe(true)
    const peer = await CraftedPeer.associate(scp.port)
    expect(silent.filter((one) => !one.closed).length).toBeGreaterThan(60)
    peer.send(releaseRQ)
    expect((await peer.next())?.type).toBe(6)
    for (const one of silent) one.socket.destroy()
  })
})
