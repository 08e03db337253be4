import { afterEach, beforeEach } from 'vitest'
import { Assembler, type AssemblerOptions } from '../../src/assemble/assembler.ts'
import type { StudyRevision } from '../../src/assemble/complete-study.ts'
import type { Hl7Order } from '../../src/assemble/hl7-order.ts'
import { Hints } from '../../src/flow/hints.ts'
import { silentLog } from '../../src/log.ts'
import { studyTimeline } from '../../src/store/timeline.ts'
import { instanceUID, receiveSmall, type SmallInstance, studyUID } from '../support/small-instance.ts'
import { stepOf } from '../support/statement-attributes.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'
import { ManualClock } from './manual-clock.ts'

const start = Date.parse('2026-11-21T12:00:00.000Z')
export const sender = { callingAETitle: 'CT1', calledAETitle: 'HILUM', address: '10.0.0.5' }

/**
 * An assembler on a store and a clock of its own for each test, with what tells it of completeness: `quiet` is 20 s, `release` 5 s and
 * `longest` 300 s.
 */
export function assembly(open: () => Promise<TemporaryStore>) {
  let store: TemporaryStore
  let clock: ManualClock
  let assembler: Assembler
  let hints: Hints
  let revisions: StudyRevision[]
  let told: string[]

  beforeEach(async () => {
    store = await open()
    clock = new ManualClock(start)
    revisions = []
    told = []
    assembler = await started()
    hints = new Hints({
      database: store.database,
      log: silentLog,
      now: () => new Date(clock.now()),
      onHint: (studies) => {
        told.push(...studies)
        assembler.hinted()
      },
    })
  })
  afterEach(async () => {
    await assembler.stop()
    await store.dispose()
  })

  async function started(options: Partial<AssemblerOptions> = {}): Promise<Assembler> {
    const made = new Assembler({
      database: store.database,
      log: silentLog,
      settings: { quietSeconds: 20, releaseSeconds: 5, longestSeconds: 300 },
      clock,
      onRevision: async (revision) => {
        revisions.push(revision)
        await store.database('revisions').where({ id: revision.id }).update({ routed: 1 })
      },
      ...options,
    })
    await made.start()
    return made
  }
  async function restarted(options: Partial<AssemblerOptions> = {}): Promise<void> {
    await assembler.stop()
    assembler = await started(options)
  }

  const time = () => new Date(clock.now()).toISOString()
  /** Indexes instances as one association that stays open, or is released. */
  async function receive(
    instances: number[],
    { released = false, ...small }: Partial<SmallInstance> & { released?: boolean } = {},
  ) {
    const association = `a${Math.random()}`
    assembler.associationOpened(association)
    for (const instance of instances) {
      const one = { study: 1, series: 1, instance, association, at: time(), ...small }
      const { studies } = await store.indexer.index([receiveSmall(store.incoming, one)])
      for (const study of studies) if (study.changed) assembler.touched(association, [study.id])
    }
    if (released) await assembler.associationClosed(association, time())
  }
  const pass = async (seconds: number) =>
    clock.advance(seconds * 1000, async () => {
      await assembler.settled()
      // What archives answer comes by itself.
      await new Promise((resolve) => setImmediate(resolve))
      await assembler.settled()
    })
  const reasons = () => revisions.map(({ number, instances, reason }) => [number, instances, reason])
  const step = (about: 'mpps-create' | 'mpps-set', uid: string, attributes: Parameters<typeof stepOf>[0]) =>
    hints.answer({ about, sopInstanceUID: uid, attributes: stepOf(attributes), sender })
  const create = (uid: string, study = studyUID(1)) =>
    step('mpps-create', uid, { status: 'IN PROGRESS', studies: [study] })
  const complete = (uid: string, instances: number[]) =>
    step('mpps-set', uid, { status: 'COMPLETED', series: { '1.2.3.1.1': instances.map(instanceUID) } })
  const order = (given: Partial<Hl7Order>) =>
    hints.order([{ studyInstanceUID: null, accessionNumbers: [], state: 'completed', because: 'ORC-5 CM', ...given }], {
      type: 'ORM^O01',
      address: '10.0.0.7',
    })
  const eventsOf = async (study = studyUID(1)) =>
    (await studyTimeline(store.database, study))?.events.map(({ kind, sentence }) => [kind, sentence])

  return {
    get store() {
      return store
    },
    get hints() {
      return hints
    },
    get revisions() {
      return revisions
    },
    /** Studies that the assembler was told to look at. */
    get told() {
      return told
    },
    /** Seconds since the beginning. */
    seconds: () => (clock.now() - start) / 1000,
    restarted,
    time,
    receive,
    pass,
    reasons,
    step,
    create,
    complete,
    order,
    eventsOf,
  }
}
