import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Job, JobEnd, NewJob } from '../../src/jobs/job.ts'
import { findJob } from '../../src/jobs/job-list.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { JobRunner } from '../../src/jobs/runner.ts'
import { silentLog } from '../../src/log.ts'
import { addRevision } from '../receive/index-contents.ts'
import { receiveSmall } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

describe('the job runner', () => {
  let store: TemporaryStore
  let queue: JobQueue
  let runner: JobRunner | null = null
  let owner: Pick<NewJob, 'studyId' | 'revisionId'>
  /** Resolves the promises of `ended`. */
  const waiting = new Map<string, (end: JobEnd) => void>()

  beforeEach(async () => {
    store = await temporaryStore()
    queue = new JobQueue({ database: store.database })
    await store.indexer.index([receiveSmall(store.incoming, { study: 1, series: 1, instance: 1 })])
    const { id } = await store.database('studies').first('id')
    owner = { studyId: id, revisionId: await addRevision(store.database, id) }
  })
  afterEach(async () => {
    await runner?.stop(0)
    runner = null
    await store.dispose()
  })

  const add = (id: string, runAfter?: string) =>
    queue.enqueue({
      id,
      kind: 'infer',
      ...owner,
      route: null,
      pipeline: null,
      destination: null,
      priority: 0,
      payload: null,
      ...(runAfter ? { runAfter } : {}),
    })
  const ended = (id: string) => new Promise<JobEnd>((resolve) => waiting.set(id, resolve))
  function run(handler: (job: Job, signal: AbortSignal) => Promise<JobEnd>, concurrency = 1): JobRunner {
    const onChange = (job: Job, end: JobEnd | null) => {
      if (end) waiting.get(job.id)?.(end)
    }
    runner = new JobRunner({ kind: 'infer', queue, concurrency, handler, log: silentLog, onChange })
    runner.start()
    return runner
  }

  it('runs what is queued at its start, and what is queued later', async () => {
    await add('a')
    const first = ended('a')
    const running = run(async () => ({ kind: 'done' }))
    expect(await first).toEqual({ kind: 'done' })
    const second = ended('b')
    await add('b')
    running.poke()
    await second
    expect(await findJob(store.database, 'b')).toMatchObject({ state: 'done' })
  })

  it('runs a job when it comes due, unasked', async () => {
    const end = ended('a')
    await add('a', new Date(Date.now() + 50).toISOString())
    run(async () => ({ kind: 'done' }))
    await end
    expect(await findJob(store.database, 'a')).toMatchObject({ state: 'done' })
  })

  it('runs no more at a time than it may', async () => {
    let now = 0
    let most = 0
    const ends = Array.from({ length: 8 }, (_, i) => ended(`job-${i}`))
    for (let i = 0; i < 8; i++) await add(`job-${i}`)
    run(async () => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setImmediate(resolve))
      now--
      return { kind: 'done' }
    }, 3)
    await Promise.all(ends)
    expect(most).toBe(3)
  })

  it('fails a job whose handler throws, with what it said, and goes on', async () => {
    await add('a')
    await add('b')
    const ends = [ended('a'), ended('b')]
    run(async (job) => {
      if (job.id === 'a') throw new Error('no such model')
      return { kind: 'done' }
    })
    await Promise.all(ends)
    expect(await findJob(store.database, 'a')).toMatchObject({ state: 'failed', error: 'no such model' })
    expect(await findJob(store.database, 'b')).toMatchObject({ state: 'done' })
  })

  it('fails a job whose end cannot be written', async () => {
    await add('a')
    const end = ended('a')
    const commit = async () => {
      throw new Error('no room')
    }
    run(async () => ({ kind: 'done', commit }))
    await end
    expect(await findJob(store.database, 'a')).toMatchObject({
      state: 'failed',
      error: 'its results cannot be written: no room',
    })
  })

  it('starts nothing while it may not, and what has waited when it may', async () => {
    await add('a')
    let permitted = false
    const asked = deferred()
    const end = ended('a')
    const onChange = (job: Job, how: JobEnd | null) => {
      if (how) waiting.get(job.id)?.(how)
    }
    const mayStart = () => {
      asked.resolve()
      return permitted
    }
    const handler = async () => ({ kind: 'done' as const })
    runner = new JobRunner({ kind: 'infer', queue, concurrency: 1, handler, log: silentLog, onChange, mayStart })
    runner.start()
    await asked.promise
    expect(await findJob(store.database, 'a')).toMatchObject({ state: 'queued', attempts: 0 })
    permitted = true
    runner.poke()
    expect(await end).toEqual({ kind: 'done' })
  })

  it('waits for running jobs when it stops', async () => {
    await add('a')
    await add('b')
    const started = deferred()
    const release = deferred()
    const running = run(async () => {
      started.resolve()
      await release.promise
      return { kind: 'done' }
    })
    await started.promise
    const stopped = running.stop(60_000)
    release.resolve()
    await stopped
    expect(await findJob(store.database, 'a')).toMatchObject({ state: 'done' })
    expect(await findJob(store.database, 'b')).toMatchObject({ state: 'queued' })
  })

  it('parks a job that does not end in time', async () => {
    await add('a')
    const started = deferred()
    const running = run(async (_job, signal) => {
      started.resolve()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('killed'))))
      return { kind: 'done' }
    })
    await started.promise
    await running.stop(0)
    expect(await findJob(store.database, 'a')).toMatchObject({ state: 'queued', attempts: 0, error: null })
  })
})

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
