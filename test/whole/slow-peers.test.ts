import { setMaxListeners } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { type ReceiverOptions, receiverDefaults } from '../../src/receive/receiver-options.ts'
import { ReceiverProcess, type ReceptionEvent } from '../../src/receive/receiver-process.ts'
import { associateRequest, CraftedPeer, dataPDU, rawPDU, storeCommand, storePDUs } from '../dimse/crafted-peer.ts'
import { slice } from '../dimse/data-sets.ts'
import { MemoryScp, until } from '../dimse/memory-scp.ts'
import { repository } from '../support/data.ts'

/** The process runs what was built: `npm run build` comes before the tests. */
const entry = path.join(repository, 'dist', 'receive', 'receiver.js')
const timeOutMs = 1500

/** Something that a peer does before it goes slow or silent; what is left of its bytes comes byte by byte, or never. */
interface SlowPeer {
  what: string
  begin(port: number): Promise<CraftedPeer>
  /** Bytes that trickle, one a second. */
  rest?: Buffer
}

const request = associateRequest()
const store = storePDUs('1.2.3.4', slice())
const associated = async (port: number, ...bytes: Buffer[]): Promise<CraftedPeer> => {
  const peer = await CraftedPeer.associate(port)
  if (bytes.length > 0) peer.send(...bytes)
  return peer
}

const slowPeers: SlowPeer[] = [
  { what: 'connects and says nothing', begin: (port) => CraftedPeer.connect(port) },
  { what: 'sends its association request at 1 byte/s', begin: (port) => CraftedPeer.connect(port), rest: request },
  {
    what: 'sends its data set at 1 byte/s',
    begin: (port) => associated(port, store.subarray(0, 300)),
    rest: store.subarray(300),
  },
  { what: 'stops in the middle of a PDU’s header', begin: (port) => associated(port, store.subarray(0, 3)) },
  { what: 'stops in the middle of a PDU', begin: (port) => associated(port, store.subarray(0, 400)) },
  {
    what: 'stops in the middle of a data set, between two PDUs',
    begin: (port) =>
      associated(
        port,
        dataPDU({ command: true, last: true, value: storeCommand('1.2.3.4') }),
        dataPDU({ value: slice() }),
      ),
  },
  { what: 'opens an association and says nothing', begin: (port) => associated(port) },
]

describe.skipIf(!existsSync(entry))('slow and broken peers of the receiving process', () => {
  let dataDir = ''
  let receiver: ReceiverProcess
  let events: ReceptionEvent[] = []

  async function start(options: Partial<ReceiverOptions> = {}): Promise<void> {
    const own = { aeTitle: 'HILUM', host: '127.0.0.1', port: 0, dataDir, minimumFreeBytes: 0 }
    receiver = new ReceiverProcess(
      { ...receiverDefaults, ...own, ...options },
      {
        log: silentLog,
        entry,
        onEvent: (event) => {
          events.push(event)
          if (event.kind === 'received') receiver.indexed(event.instances.length)
        },
        onLost: () => undefined,
      },
    )
    await receiver.start()
  }
  const timeOuts = { associationTimeoutMs: timeOutMs, idleTimeoutMs: timeOutMs, pduTimeoutMs: timeOutMs }
  const descriptors = () => readdirSync(`/proc/${receiver.pid}/fd`).length
  const parts = () => readdirSync(path.join(dataDir, 'incoming')).filter((name) => name.endsWith('.part'))
  const closedCount = () => events.filter((event) => event.kind === 'association-closed').length

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-slow-'))
    events = []
  })
  afterEach(async () => {
    await receiver.stop(0)
    rmSync(dataDir, { recursive: true, force: true })
  })

  it.each(slowPeers)('one that $what is aborted in time', async ({ begin, rest }) => {
    await start(timeOuts)
    const peer = await begin(receiver.port)
    const ended = new AbortController()
    const trickling = rest && trickle(peer, rest, ended.signal)
    const pdu = await peer.next()
    ended.abort()
    await trickling
    expect(pdu?.type).toBe(7)
    await peer.end()
  })

  it('one that does not release after the last byte has its instance kept, and is aborted in time', async () => {
    await start(timeOuts)
    const peer = await associated(receiver.port, store)
    expect(await peer.response()).toMatchObject({ status: 0 })
    expect((await peer.next())?.type).toBe(7)
    await until(() => closedCount() === 1)
    expect(events.find((event) => event.kind === 'received')).toBeDefined()
  })

  it.runIf(existsSync('/proc/self/fd'))(
    'time-outs and ends of all kinds free sockets, descriptors and files',
    async () => {
      await start({ ...timeOuts, maxAssociations: 200 })
      const before = descriptors()
      const slow = await Promise.all(
        slowPeers.flatMap(({ begin }) => Array.from({ length: 5 }, () => begin(receiver.port))),
      )
      const ends = ['abort', 'reset', 'half-close'] as const
      const broken = await Promise.all(
        ends.flatMap((how) => Array.from({ length: 10 }, () => endInTheMiddle(receiver.port, how))),
      )
      await Promise.all([...slow, ...broken].map((peer) => peer.end()))
      await until(() => descriptors() <= before && parts().length === 0)
      await until(() => closedCount() === events.filter((event) => event.kind === 'association-opened').length)
      const sound = await associated(receiver.port, store)
      expect(await sound.response()).toMatchObject({ status: 0 })
      sound.socket.destroy()
    },
  )

  it('half-open ones, whose other end has vanished without a word, are given up after the idle time', async () => {
    await start({ ...timeOuts, maxAssociations: 3 })
    // A peer that lost its power sends nothing, and answers nothing: as one that reads and writes no more.
    const vanished = await Promise.all([1, 2, 3].map(() => associated(receiver.port)))
    for (const peer of vanished) peer.socket.pause()
    await until(() => closedCount() === 3)
    const next = await associated(receiver.port, store)
    expect(await next.response()).toMatchObject({ status: 0 })
    for (const peer of [...vanished, next]) peer.socket.destroy()
  })

  it('200 idle associations leave room for one that works; the next is rejected as transient, local limit exceeded', async () => {
    await start({ maxAssociations: 201 })
    const idle = await Promise.all(Array.from({ length: 200 }, () => associated(receiver.port)))
    const working = await associated(receiver.port, store)
    expect(await working.response()).toMatchObject({ status: 0 })
    const refused = await CraftedPeer.connect(receiver.port)
    refused.send(request)
    const answer = await refused.next()
    // Rejected transient, by the presentation service provider, local limit exceeded (PS3.8 table 9-21).
    expect([answer?.type, ...(answer?.body.subarray(1) ?? [])]).toEqual([3, 2, 3, 2])
    idle[0]?.socket.destroy()
    await until(() => closedCount() === 1)
    const later = await associated(receiver.port, store)
    expect(await later.response()).toMatchObject({ status: 0 })
    for (const peer of [...idle, working, refused, later]) peer.socket.destroy()
  })

  it('200 idle ones, 30 that trickle and 20 that are stuck do not hold a sender up', async () => {
    await start({ maxAssociations: 300 })
    const quiet: number[] = []
    const crowded: number[] = []
    for (let run = 0; run < 5; run++) {
      quiet.push(await rateOf(receiver.port))
      const crowd = await Promise.all([
        ...Array.from({ length: 200 }, () => associated(receiver.port)),
        ...Array.from({ length: 20 }, () => associated(receiver.port, store.subarray(0, 400))),
      ])
      const ended = new AbortController()
      setMaxListeners(100, ended.signal)
      const trickling = await Promise.all(
        Array.from({ length: 30 }, () => associated(receiver.port, store.subarray(0, 300))),
      )
      const trickles = trickling.map((peer) => trickle(peer, store.subarray(300), ended.signal))
      crowded.push(await rateOf(receiver.port))
      // All of them are in the middle still: the sender has waited for none.
      expect([...crowd, ...trickling].filter((peer) => peer.closed)).toEqual([])
      ended.abort()
      await Promise.all(trickles)
      for (const peer of [...crowd, ...trickling]) peer.socket.destroy()
    }
    tellRates('200 idle, 20 stuck and 30 trickling associations', quiet, crowded)
  })
})

describe('a sink that stalls (injected: a second for each instance of one sender)', () => {
  it('holds that sender up only', async () => {
    const scp = await MemoryScp.start({ maxAssociations: 100 })
    let stalledAnswers = 0
    scp.beforeSuccess = async (reception) => {
      scp.stored.length = 0
      if (reception.request.association.callingAETitle !== 'STALLED') return
      await sleep(1000)
      stalledAnswers++
    }
    const quiet: number[] = []
    const beside: number[] = []
    for (let run = 0; run < 5; run++) {
      quiet.push(await rateOf(scp.port))
      const stalled = await Promise.all(
        Array.from({ length: 5 }, () => CraftedPeer.associate(scp.port, { callingAETitle: 'STALLED' })),
      )
      // Much more than a socket takes: the rest has to wait in the sender.
      for (const peer of stalled) for (let n = 0; n < 20; n++) peer.send(store)
      stalledAnswers = 0
      beside.push(await rateOf(scp.port))
      // Sixty instances of the other sender are answered before any of these five has a second answer.
      expect(stalledAnswers).toBeLessThanOrEqual(stalled.length)
      for (const peer of stalled) peer.socket.destroy()
    }
    await scp.server.close()
    tellRates('5 senders to a stalled sink', quiet, beside)
  })
})

/** One byte a second, until the signal comes or the peer is gone. */
async function trickle(peer: CraftedPeer, bytes: Buffer, signal: AbortSignal): Promise<void> {
  for (const byte of bytes) {
    if (signal.aborted || peer.closed) return
    peer.send(Buffer.from([byte]))
    await sleep(1000, undefined, { signal }).catch(() => undefined)
  }
}

/** Sends half an instance, and goes. */
async function endInTheMiddle(port: number, how: 'abort' | 'reset' | 'half-close'): Promise<CraftedPeer> {
  const peer = await associated(port, store.subarray(0, store.length >> 1))
  if (how === 'abort') peer.send(store.subarray(store.length >> 1, -20), rawPDU(7, new Uint8Array(4)))
  else if (how === 'reset') peer.socket.resetAndDestroy()
  else peer.socket.end()
  // An A-ABORT inside a data set is no A-ABORT, but bytes of it: the connection has to end for that.
  if (how === 'abort') peer.socket.end()
  return peer
}

/** Instances a second of one sender that waits for each response. */
async function rateOf(port: number, instances = 60): Promise<number> {
  const peer = await CraftedPeer.associate(port)
  const began = performance.now()
  for (let n = 0; n < instances; n++) {
    const sopInstanceUID = `1.2.3.${Math.trunc(began)}.${n}`
    peer.send(storePDUs(sopInstanceUID, slice({ sopInstanceUID })))
    expect(await peer.response()).toMatchObject({ status: 0 })
  }
  const seconds = (performance.now() - began) / 1000
  peer.socket.destroy()
  return instances / seconds
}

/** Says how much slower a sender was; machines that run tests do other things as well, so that no rate is asserted. */
function tellRates(by: string, without: number[], withThem: number[]): void {
  const median = (rates: number[]): number => rates.toSorted((a, b) => a - b)[rates.length >> 1] as number
  const ratio = median(withThem) / median(without)
  const rates = `${median(without).toFixed(0)}/s without, ${median(withThem).toFixed(0)}/s with`
  console.log(`${by}: ${rates}, ${(ratio * 100).toFixed(0)} % (medians of ${without.length}; the aim is 80 %)`)
}
