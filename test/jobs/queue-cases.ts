import type { Knex } from 'knex'
import { beforeEach, expect, it } from 'vitest'
import { failureGroups } from '../../src/jobs/failure-groups.ts'
import type { Job, NewJob } from '../../src/jobs/job.ts'
import { findJob } from '../../src/jobs/job-list.ts'
import { pause, pausesOf, resume } from '../../src/jobs/pauses.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { addRevision } from '../receive/index-contents.ts'
import { receiveSmall } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

const start = Date.parse('2026-11-21T12:00:00.000Z')

/** What the queue promises, on any database. `open` gives the store that this test uses; somebody else disposes of it. */
export function queueCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let queue: JobQueue
  let now = start
  let studyId: number
  let revisionId: number
  const time = (seconds: number) => new Date(start + seconds * 1000).toISOString()

  beforeEach(async () => {
    store = await open()
    now = start
    queue = new JobQueue({ database: store.database, now: () => new Date(now) })
    await store.indexer.index([receiveSmall(store.incoming, { study: 1, series: 1, instance: 1 })])
    studyId = (await store.database('studies').first('id')).id
    revisionId = await addRevision(store.database, studyId)
  })

  const job = (id: string, changes: Partial<NewJob> = {}): NewJob => ({
    id,
    kind: 'infer',
    studyId,
    revisionId,
    route: 'lung',
    pipeline: 'p@sha256:0',
    destination: null,
    priority: 0,
    payload: { series: { ct: '1.2' } },
    ...changes,
  })
  const claimed = async (): Promise<Job> => {
    const found = await queue.claim('infer')
    if (found === null) throw new Error('there is no job to claim')
    return found
  }
  const attempts = () => store.database('job_attempts').orderBy('id')
  const state = async () => (await store.database('studies').first('state')).state

  it('queues a job once, however often it is asked to', async () => {
    expect(await queue.enqueue(job('a'))).toBe(true)
    expect(await queue.enqueue(job('a', { priority: 9 }))).toBe(false)
    expect(await store.database('jobs').where({ state: 'queued' }).pluck('id')).toEqual(['a'])
    expect(await findJob(store.database, 'a')).toMatchObject({
      id: 'a',
      priority: 0,
      attempts: 0,
      payload: { series: { ct: '1.2' } },
    })
  })

  it('begins nothing that is paused, by whatever scope, and all of it when it is resumed', async () => {
    const { database } = store
    await queue.enqueue(job('a'))
    await queue.enqueue(job('b', { pipeline: 'p_q@sha256:1' }))
    const author = { reason: 'maintenance', author: 'ann', at: time(0) }
    for (const [scope, name, left] of [
      ['all', '', null],
      ['kind', 'infer', null],
      ['kind', 'deliver', 'a'],
      // A wildcard of SQL in a name is none here.
      ['pipeline', 'p_', 'a'],
      ['pipeline', 'p', 'b'],
    ] as const) {
      const { id } = await pause(database, { scope, name, ...author })
      expect((await queue.nextDue('infer')) === null).toBe(left === null)
      const next = await queue.claim('infer')
      expect([scope, name, next?.id ?? null]).toEqual([scope, name, left])
      if (next) await queue.end(next, { kind: 'parked' })
      await resume(database, id)
    }
    await pause(database, { scope: 'all', name: '', ...author })
    await pause(database, { scope: 'all', name: '', ...author, reason: 'another' })
    expect(await pausesOf(database)).toMatchObject([{ reason: 'another' }])
    for (const { id } of await pausesOf(database)) await resume(database, id)
    await expect(resume(database, 999)).rejects.toMatchObject({ code: 'pause-unknown' })
  })

  it('ends what somebody ends, waiting or running, and counts it as no failure of the study', async () => {
    await queue.enqueue(job('a'))
    await queue.enqueue(job('b', { priority: -1 }))
    const running = await claimed()
    expect(await queue.cancel('a', 'ann')).toBe('running')
    expect(await queue.cancel('b', 'ann')).toBe('failed')
    await expect(queue.cancel('b', 'ann')).rejects.toMatchObject({ code: 'job-ended' })
    await expect(queue.prioritise('b', 10, 'ann')).rejects.toMatchObject({ code: 'job-ended' })
    await expect(queue.prioritise('a', 10, 'ann')).rejects.toMatchObject({ code: 'job-running' })
    await queue.end(running, queue.cancelled(running, 'ann'))
    expect(await findJob(store.database, 'a')).toMatchObject({
      state: 'failed',
      cancelled: true,
      error: 'ended by ann',
    })
    expect(await state()).toBe('done')
    const { groups } = await failureGroups(store.database, { most: 10 })
    expect(groups).toMatchObject([{ reason: 'ended by ann', jobs: 2, studies: 1, cancelled: true }])
    expect(await queue.retry('a', 'ann')).toMatchObject({ state: 'queued', cancelled: false })
  })

  it('queues what is done again, on somebody’s word only', async () => {
    await queue.enqueue(job('a'))
    await queue.end(await claimed(), { kind: 'done' })
    await expect(queue.retry('a', 'ann')).rejects.toMatchObject({ code: 'job-not-failed' })
    expect(await queue.again('a', 'ann')).toMatchObject({ state: 'queued' })
    expect((await store.database('study_events').first('sentence')).sentence).toBe(
      'inference by route lung queued again by ann',
    )
  })

  it('gives jobs by priority, then by the time they are due, and none twice', async () => {
    await queue.enqueue(job('later', { runAfter: time(-1) }))
    await queue.enqueue(job('sooner', { runAfter: time(-2) }))
    await queue.enqueue(job('urgent', { priority: 5 }))
    await queue.enqueue(job('not yet', { priority: 9, runAfter: time(60) }))
    await queue.enqueue(job('other kind', { priority: 9, kind: 'deliver' }))
    const ids: (string | undefined)[] = []
    for (let i = 0; i < 4; i++) ids.push((await queue.claim('infer'))?.id)
    expect(ids).toEqual(['urgent', 'sooner', 'later', undefined])
    expect(await queue.nextDue('infer')).toBe(time(60))
    now += 60_000
    expect((await claimed()).id).toBe('not yet')
    expect(await queue.nextDue('infer')).toBeNull()
  })

  it('gives every job to exactly one of many claims at the same time', async () => {
    for (let i = 0; i < 10; i++) await queue.enqueue(job(`job-${i}`))
    const found = await Promise.all(Array.from({ length: 15 }, () => queue.claim('infer')))
    const ids = found.flatMap((one) => one?.id ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    while (true) {
      const more = await queue.claim('infer')
      if (more === null) break
      ids.push(more.id)
    }
    expect(ids.sort()).toEqual(Array.from({ length: 10 }, (_, i) => `job-${i}`))
  })

  it('ends a job together with what follows from it', async () => {
    await queue.enqueue(job('a'))
    const running = await claimed()
    now += 4_120
    const commit = async (trx: Knex.Transaction) => {
      await queue.enqueue(job('b', { kind: 'deliver', destination: 'self' }), trx)
    }
    expect(await queue.end(running, { kind: 'done', provider: 'cpu', log: 'ok', commit })).toBe(true)
    expect(await findJob(store.database, 'a')).toMatchObject({ state: 'done', error: null, attempts: 1 })
    expect(await findJob(store.database, 'b')).toMatchObject({ state: 'queued' })
    expect(await attempts()).toMatchObject([{ job_id: 'a', ms: 4120, provider: 'cpu', error: null, log: 'ok' }])
    expect(await state()).toBe('processing')
  })

  it('ends nothing when what follows cannot be written', async () => {
    await queue.enqueue(job('a'))
    const running = await claimed()
    const commit = async (trx: Knex.Transaction) => {
      await queue.enqueue(job('b', { kind: 'deliver' }), trx)
      throw new Error('no room')
    }
    await expect(queue.end(running, { kind: 'done', commit })).rejects.toThrow('no room')
    expect(await findJob(store.database, 'a')).toMatchObject({ state: 'running' })
    expect(await findJob(store.database, 'b')).toBeNull()
  })

  it('ends a run once: what comes after it was given up changes nothing', async () => {
    await queue.enqueue(job('a'))
    const first = await claimed()
    await queue.end(first, { kind: 'retry', reason: 'busy', runAfter: time(0) })
    const second = await claimed()
    expect(await queue.end(first, { kind: 'failed', reason: 'too late' })).toBe(false)
    expect(await queue.end(second, { kind: 'done' })).toBe(true)
    expect((await attempts()).map((row) => row.error)).toEqual(['busy', null])
  })

  it('makes the study failed by a failure, and done by a refusal', async () => {
    await queue.enqueue(job('a'))
    await queue.end(await claimed(), { kind: 'refused', reason: 'SliceThickness is 5 mm, at most 3 mm is declared' })
    expect(await findJob(store.database, 'a')).toMatchObject({ state: 'failed', refused: true })
    expect(await state()).toBe('done')
    await queue.enqueue(job('b'))
    await queue.end(await claimed(), { kind: 'failed', reason: 'no memory' })
    expect(await findJob(store.database, 'b')).toMatchObject({ state: 'failed', refused: false, error: 'no memory' })
    expect(await state()).toBe('failed')
  })

  it('puts a parked job back as if it had not been started', async () => {
    await queue.enqueue(job('a'))
    await queue.end(await claimed(), { kind: 'parked' })
    expect(await findJob(store.database, 'a')).toMatchObject({ state: 'queued', attempts: 0, interruptions: 0 })
    expect(await attempts()).toEqual([])
  })

  it('queues interrupted jobs again, and fails an inference that was interrupted more than twenty times', async () => {
    await queue.enqueue(job('a'))
    await queue.enqueue(job('d', { kind: 'deliver', destination: 'self' }))
    for (let interruptions = 1; interruptions <= 20; interruptions++) {
      await claimed()
      await queue.claim('deliver')
      expect(await queue.requeueInterrupted()).toBe(2)
      expect(await findJob(store.database, 'a')).toMatchObject({ state: 'queued', interruptions })
    }
    await claimed()
    await queue.claim('deliver')
    await queue.requeueInterrupted()
    expect(await findJob(store.database, 'a')).toMatchObject({
      state: 'failed',
      error: 'the node ended 21 times while this job ran',
    })
    expect(await findJob(store.database, 'd')).toMatchObject({ state: 'queued', interruptions: 21 })
    expect(await queue.requeueInterrupted()).toBe(0)
    expect(await attempts()).toHaveLength(42)
  })

  it("queues a failed job again on an operator's word, and only a failed one", async () => {
    await queue.enqueue(job('a'))
    await expect(queue.retry('a', 'ada')).rejects.toMatchObject({ code: 'job-not-failed' })
    await expect(queue.retry('x', 'ada')).rejects.toMatchObject({ code: 'job-unknown' })
    await queue.end(await claimed(), { kind: 'failed', reason: 'no memory' })
    expect(await queue.retry('a', 'ada')).toMatchObject({ state: 'queued', error: null })
    expect(await state()).toBe('processing')
    expect((await store.database('study_events'))[0].sentence).toBe('inference by route lung queued again by ada')
    expect((await claimed()).attempts).toBe(2)
  })

  it('keeps an inference waiting while an earlier revision of its study runs for the same route', async () => {
    await queue.enqueue(job('a'))
    const first = await claimed()
    const next = await addRevision(store.database, studyId, 2)
    await queue.enqueue(job('b', { revisionId: next }))
    await queue.enqueue(job('other route', { revisionId: next, route: 'heart', runAfter: time(1) }))
    expect(await queue.claim('infer')).toBeNull()
    expect(await queue.nextDue('infer')).toBe(time(1))
    await queue.end(first, { kind: 'done' })
    expect((await claimed()).id).toBe('b')
  })
}
