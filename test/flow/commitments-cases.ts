import { afterEach, beforeEach, expect, it } from 'vitest'
import { DimseError } from '../../src/dimse/error.ts'
import type { EventReport } from '../../src/dimse/sub-operation.ts'
import { Commitments } from '../../src/flow/commitments.ts'
import { silentLog } from '../../src/log.ts'
import type { RemoteAddress } from '../../src/receive/questions.ts'
import { listCommitments } from '../../src/store/commitment-list.ts'
import { instanceUID, receiveSmall } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

const ctImage = '1.2.840.10008.5.1.4.1.1.2'
const transaction = {
  transactionUID: '1.2.77',
  sender: { callingAETitle: 'CT1', calledAETitle: 'HILUM', address: '10.0.0.5' },
}
const references = [
  { sopClassUID: ctImage, sopInstanceUID: instanceUID(1) },
  { sopClassUID: ctImage, sopInstanceUID: instanceUID(99) },
]
const address = { aeTitle: 'CT1', host: '10.0.0.5', port: 104, tls: null }

/** What is promised of storage commitments, on any database. */
export function commitmentsCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let made: Commitments[] = []
  let now = Date.parse('2026-11-21T12:00:00Z')
  beforeEach(async () => {
    made = []
    now = Date.parse('2026-11-21T12:00:00Z')
    store = await open()
    await store.indexer.index([receiveSmall(store.incoming, { study: 1, series: 1, instance: 1 })])
  })
  afterEach(async () => {
    for (const one of made) await one.stop()
    await store.dispose()
  })

  function commitments(options: {
    report?: (event: EventReport, to: RemoteAddress) => Promise<void>
    remote?: (aeTitle: string) => RemoteAddress
    known?: boolean
    drained?: () => Promise<void>
  }): Commitments {
    const one = new Commitments({
      database: store.database,
      objects: store.objects,
      aeTitle: 'HILUM',
      drained: options.drained ?? (() => Promise.resolve()),
      remote: options.remote ?? (() => (options.known === false ? null : address)),
      report: async (to, event) => await options.report?.(event, to),
      log: silentLog,
      now: () => new Date(now),
    })
    made.push(one)
    return one
  }

  const listed = async () => (await listCommitments(store.database))[0]

  /** Resolves when the one commitment is in the state, or has had so many attempts. */
  async function until(condition: (one: NonNullable<Awaited<ReturnType<typeof listed>>>) => boolean) {
    for (;;) {
      const one = await listed()
      if (one && condition(one)) return one
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  it('are decided when what has arrived is indexed, and are done when they are reported', async () => {
    const late = { sopClassUID: ctImage, sopInstanceUID: instanceUID(2) }
    const drained = async () => {
      await store.indexer.index([receiveSmall(store.incoming, { study: 1, series: 1, instance: 2 })])
    }
    const one = commitments({ drained })
    await one.request(transaction, [...references, late])
    expect(await listed()).toMatchObject({ state: 'requested', instances: 3, failed: null })
    const outcome = { committed: [references[0], late], failed: [{ ...references[1], reason: 0x0112 }] }
    expect(await one.outcome(transaction)).toEqual(outcome)
    await store.database('instances').delete()
    expect(await one.outcome(transaction)).toEqual(outcome)
    await one.reported(transaction, true)
    expect(await listed()).toMatchObject({ state: 'reported', failed: 1, nextAttemptAt: null, attempts: 0 })
    expect(await one.outcome({ ...transaction, transactionUID: '1.2.78' })).toBeNull()
  })

  it('are reported on another association where theirs is gone', async () => {
    const events: EventReport[] = []
    const one = commitments({ report: async (event) => void events.push(event) })
    await one.request(transaction, references)
    await one.outcome(transaction)
    await one.reported(transaction, false)
    await until(({ state }) => state === 'reported')
    expect(events).toMatchObject([{ eventTypeID: 2, sopInstanceUID: '1.2.840.10008.1.20.1.1' }])
  })

  it('are tried again with growing waits, by the next node as well, for a day', async () => {
    let reports = 0
    const refused = async () => {
      reports++
      throw new Error('CT1@10.0.0.5:104 cannot be reached')
    }
    const first = commitments({ report: refused })
    await first.request(transaction, references)
    await first.outcome(transaction)
    await first.reported(transaction, false)
    const once = await until(({ attempts }) => attempts === 1)
    expect(once).toMatchObject({ state: 'decided', error: 'CT1@10.0.0.5:104 cannot be reached' })
    expect(Date.parse(once.nextAttemptAt ?? '') - now).toBe(30_000)
    await first.stop()

    now += 30_000
    const second = commitments({ report: refused })
    await second.start()
    const twice = await until(({ attempts }) => attempts === 2)
    expect(Date.parse(twice.nextAttemptAt ?? '') - now).toBe(60_000)
    await second.stop()

    now += 24 * 3_600_000
    await commitments({ report: refused }).start()
    expect(await until(({ state }) => state === 'unreported')).toMatchObject({ attempts: 3, nextAttemptAt: null })
    expect(reports).toBe(3)
  })

  it('keep no remote waiting for another one that cannot be reached, which is called once for all of its own', async () => {
    const called: string[] = []
    let reach = () => {}
    const other = { ...transaction.sender, callingAETitle: 'CT2' }
    const one = commitments({
      remote: (aeTitle) => ({ ...address, aeTitle }),
      report: async (_, { aeTitle }) => {
        called.push(aeTitle)
        if (aeTitle === 'CT2') return reach()
        await new Promise<void>((resolve) => {
          reach = resolve
        })
        throw new DimseError('time-out', 'CT1@10.0.0.5:104 did not answer in time')
      },
    })
    for (const n of [1, 2, 3]) await one.request({ ...transaction, transactionUID: `1.2.77.${n}` }, references)
    await one.request({ transactionUID: '1.2.78', sender: other }, references)
    now += 120_000
    await one.start()
    const all = () => listCommitments(store.database)
    while (
      (await all()).some(({ state, attempts }) => state === 'requested' || (state === 'decided' && attempts === 0))
    )
      await new Promise((resolve) => setTimeout(resolve, 5))
    expect(called.sort()).toEqual(['CT1', 'CT2'])
    expect((await all()).map(({ state, attempts }) => `${state} ${attempts}`).sort()).toEqual([
      ...Array(3).fill('decided 1'),
      'reported 0',
    ])
  })

  it('are reported by the next node when the receiving process never came to it', async () => {
    const events: EventReport[] = []
    const one = commitments({ report: async (event) => void events.push(event) })
    await one.request(transaction, references)
    await one.stop()
    now += 120_000
    await commitments({ report: async (event) => void events.push(event) }).start()
    await until(({ state }) => state === 'reported')
    expect(events).toHaveLength(1)
  })

  it('wait for a remote that nobody has configured, and say so', async () => {
    const one = commitments({ known: false })
    await one.request(transaction, references)
    await one.outcome(transaction)
    await one.reported(transaction, false)
    expect(await until(({ attempts }) => attempts === 1)).toMatchObject({ error: 'CT1 is no remote with a host' })
  })

  it('are decided anew when they are asked for again', async () => {
    const one = commitments({})
    await one.request(transaction, references)
    await one.outcome(transaction)
    await one.reported(transaction, true)
    now += 1000
    await store.indexer.index([receiveSmall(store.incoming, { study: 1, series: 1, instance: 99 })])
    await one.request(transaction, references)
    expect((await one.outcome(transaction))?.failed).toEqual([])
    expect(await listCommitments(store.database)).toMatchObject([{ state: 'decided', failed: 0 }])
  })
}
