import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AssemblerOptions } from '../../src/assemble/assembler.ts'
import { Assembler } from '../../src/assemble/assembler.ts'
import type { StudyRevision } from '../../src/assemble/complete-study.ts'
import { silentLog } from '../../src/log.ts'
import { keyOf } from '../../src/store/objects.ts'
import { addOwnResult } from '../receive/index-contents.ts'
import { instanceUID, receiveSmall, type SmallInstance, seriesUID, studyUID } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'
import { ManualClock } from './manual-clock.ts'

const start = Date.parse('2026-11-21T12:00:00.000Z')

describe('the assembler', () => {
  let store: TemporaryStore
  let clock: ManualClock
  let assembler: Assembler
  let revisions: StudyRevision[]

  beforeEach(async () => {
    store = await temporaryStore()
    clock = new ManualClock(start)
    revisions = []
    assembler = await started()
  })
  afterEach(async () => {
    await assembler.stop()
    await store.dispose()
  })

  async function started(options: Partial<AssemblerOptions> = {}): Promise<Assembler> {
    const made = new Assembler({
      database: store.database,
      log: silentLog,
      settings: { quietSeconds: 20, releaseSeconds: 5 },
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

  const time = () => new Date(clock.now()).toISOString()
  /** Indexes an instance at this moment, and tells the assembler as the node does. */
  async function receive(small: Partial<SmallInstance> & { instance: number }): Promise<string> {
    const received = receiveSmall(store.incoming, { study: 1, series: 1, association: 'a', at: time(), ...small })
    const { studies } = await store.indexer.index([received])
    for (const study of studies)
      for (const association of study.associations) assembler.touched(association, [study.id])
    return keyOf(received.file)
  }
  /** Lets time pass; whatever comes due is done at its time. */
  const pass = async (seconds: number) => {
    await clock.advance(seconds * 1000, () => assembler.settled())
  }
  const reasons = () => revisions.map(({ number, instances, reason }) => [number, instances, reason])

  it('completes a study that is quiet while its association stays open', async () => {
    assembler.associationOpened('a')
    await receive({ instance: 1 })
    await pass(15)
    await receive({ instance: 2 })
    await pass(19)
    expect(revisions).toEqual([])
    await pass(1)
    expect(reasons()).toEqual([[1, 2, 'quiet 20 s after the last instance']])
  })

  it('completes a study sooner after the release of the association, and pins its members', async () => {
    assembler.associationOpened('a')
    const keys = [await receive({ instance: 1 }), await receive({ instance: 2, series: 2 })]
    await assembler.associationClosed('a', time())
    await pass(4)
    expect(revisions).toEqual([])
    await pass(1)
    expect(reasons()).toEqual([[1, 2, 'quiet 5 s after association release']])
    const row = await store.database('revisions').first()
    expect(JSON.parse(row.members)).toEqual({ [seriesUID(1, 1)]: [keys[0]], [seriesUID(1, 2)]: [keys[1]] })
    expect(await store.database('studies').first()).toMatchObject({ changed: 0, revision: 1, state: 'complete' })
  })

  it('waits for the last of several associations that bring one study', async () => {
    for (const association of ['a', 'b']) assembler.associationOpened(association)
    await receive({ instance: 1, association: 'a' })
    await receive({ instance: 2, association: 'b' })
    await assembler.associationClosed('a', time())
    await pass(10)
    expect(revisions).toEqual([])
    await assembler.associationClosed('b', time())
    await pass(5)
    expect(reasons()).toEqual([[1, 2, 'quiet 5 s after association release']])
  })

  it('does not complete by an earlier release while another association brings more', async () => {
    assembler.associationOpened('a')
    await receive({ instance: 1, association: 'a' })
    await assembler.associationClosed('a', time())
    await pass(3)
    assembler.associationOpened('b')
    await receive({ instance: 2, association: 'b' })
    await pass(10)
    expect(revisions).toEqual([])
    await assembler.associationClosed('b', time())
    await pass(5)
    expect(revisions).toHaveLength(1)
  })

  it('waits the whole quiet time when the association was lost, whatever was released before', async () => {
    assembler.associationOpened('a')
    await receive({ instance: 1, association: 'a' })
    await assembler.associationClosed('a', time())
    await pass(2)
    assembler.associationOpened('b')
    await receive({ instance: 2, association: 'b' })
    await assembler.associationLost('b')
    await pass(19)
    expect(revisions).toEqual([])
    await pass(1)
    expect(reasons()).toEqual([[1, 2, 'quiet 20 s after the last instance']])
  })

  it('makes the next revision of a late instance, and none of repeated ones', async () => {
    assembler.associationOpened('a')
    await receive({ instance: 1 })
    await assembler.associationClosed('a', time())
    await pass(5)
    await receive({ instance: 1, association: 'b' })
    await pass(100)
    expect(revisions).toHaveLength(1)
    await receive({ instance: 2, association: 'c' })
    await pass(20)
    expect(reasons().map(([number, instances]) => [number, instances])).toEqual([
      [1, 1],
      [2, 2],
    ])
    const members = await store.database('revisions').orderBy('number').pluck('members')
    expect(JSON.parse(members[0])[seriesUID(1, 1)]).toHaveLength(1)
  })

  it('makes a revision of an instance that came again with other bytes', async () => {
    await receive({ instance: 1 })
    await pass(20)
    const key = await receive({ instance: 1, content: 'other' })
    await pass(20)
    expect(revisions).toHaveLength(2)
    expect(JSON.parse((await store.database('revisions').where({ number: 2 }).first()).members)).toEqual({
      [seriesUID(1, 1)]: [key],
    })
  })

  it('makes no revision of our own results, and does not pin them', async () => {
    await receive({ instance: 1 })
    await addOwnResult(store.database, instanceUID(50))
    await receive({ instance: 50, series: 9, association: 'self' })
    await pass(100)
    expect(revisions).toEqual([])
    await receive({ instance: 2 })
    await pass(20)
    expect(reasons()).toEqual([[2, 2, 'quiet 20 s after the last instance']])
  })

  it("takes a route's own quiet time, and names the route", async () => {
    await assembler.stop()
    assembler = await started({ quietFor: async () => ({ seconds: 60, because: 'route slow' }) })
    assembler.associationOpened('a')
    await receive({ instance: 1 })
    await assembler.associationClosed('a', time())
    await pass(59)
    expect(revisions).toEqual([])
    await pass(1)
    expect(reasons()).toEqual([[1, 1, 'quiet 60 s after the last instance (route slow)']])
  })

  it('takes the shorter quiet time of a route while an association is open', async () => {
    await assembler.stop()
    assembler = await started({ quietFor: async () => ({ seconds: 3, because: 'route stroke' }) })
    assembler.associationOpened('a')
    await receive({ instance: 1 })
    await pass(3)
    expect(reasons()).toEqual([[1, 1, 'quiet 3 s after the last instance (route stroke)']])
  })

  it('goes on after a restart, and does not take the pause for quiet', async () => {
    assembler.associationOpened('a')
    await receive({ instance: 1 })
    await assembler.stop()
    await clock.advance(3_600_000, async () => {})
    assembler = await started()
    await pass(19)
    expect(revisions).toEqual([])
    await pass(1)
    expect(reasons()).toEqual([[1, 1, 'quiet 20 s after the node started']])
  })

  it('offers a revision again that was not routed before the process ended', async () => {
    await assembler.stop()
    assembler = await started({ onRevision: async () => {} }) // ends before the decisions are stored
    await receive({ instance: 1 })
    await pass(20)
    await assembler.stop()
    assembler = await started()
    expect(reasons()).toEqual([[1, 1, 'quiet 20 s after the last instance']])
    await assembler.stop()
    assembler = await started()
    expect(revisions).toHaveLength(1)
  })

  it('offers a revision again after routing failed', async () => {
    await assembler.stop()
    let calls = 0
    assembler = await started({
      onRevision: async ({ id }) => {
        if (++calls === 1) throw new Error('the database is locked')
        await store.database('revisions').where({ id }).update({ routed: 1 })
      },
    })
    await receive({ instance: 1 })
    await pass(20)
    expect(calls).toBe(1)
    await pass(60)
    expect(calls).toBe(2)
  })

  it("completes a study at once on an operator's word, and says when there is nothing to complete", async () => {
    await receive({ instance: 1 })
    expect(await assembler.completeNow(studyUID(1), 'ada')).toMatchObject({ number: 1, reason: 'completed by ada' })
    expect(await assembler.completeNow(studyUID(1), 'ada')).toBeNull()
    expect(await assembler.completeNow('1.2.999', 'ada')).toBeNull()
    await pass(100)
    expect(revisions).toHaveLength(1)
  })

  it('completes many studies, each once, at its own time', async () => {
    for (let study = 1; study <= 5; study++) {
      await receive({ study, instance: study })
      await pass(2)
    }
    await pass(60)
    expect(revisions.map(({ studyInstanceUID }) => studyInstanceUID)).toEqual([1, 2, 3, 4, 5].map(studyUID))
    for (const [i, { completedAt }] of revisions.entries())
      expect(Date.parse(completedAt)).toBe(start + i * 2000 + 20_000)
  })

  it('offers revisions that cannot be routed at a steady pace, however many there are', async () => {
    await assembler.stop()
    let offers = 0
    assembler = await started({
      onRevision: async () => {
        offers++
        throw new Error('routing fails')
      },
    })
    for (const study of [1, 2, 3]) await receive({ study, instance: study })
    await pass(20)
    expect(offers).toBe(3)
    await pass(60)
    expect(offers).toBe(3 + 6 * 3)
  })
})
