import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createInferHandler } from '../../src/flow/infer-job.ts'
import type { Pipeline } from '../../src/infer/load-pipelines.ts'
import type { InferOutcome, InferTask } from '../../src/infer/task.ts'
import type { Job } from '../../src/jobs/job.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { addRevision } from '../receive/index-contents.ts'
import { receiveSmall } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

describe('an inference job', () => {
  let store: TemporaryStore
  let queue: JobQueue
  let tasks: InferTask[]
  let outcome: InferOutcome
  let studyId: number
  let first: number

  beforeEach(async () => {
    store = await temporaryStore()
    queue = new JobQueue({ database: store.database })
    tasks = []
    outcome = { kind: 'failed', code: 'worker-died', reason: 'the process ended', retry: 'transient', log: [] }
    await store.indexer.index([receiveSmall(store.incoming, { study: 1, series: 1, instance: 1 })])
    studyId = (await store.database('studies').first('id')).id
    first = await addRevision(store.database, studyId)
    await queue.enqueue({
      id: 'a',
      kind: 'infer',
      studyId,
      revisionId: first,
      route: 'lung',
      pipeline: 'p@sha256:0',
      destination: null,
      priority: 0,
      payload: { inputs: {}, destinations: [] },
    })
  })
  afterEach(() => store.dispose())

  async function run(): Promise<Awaited<ReturnType<ReturnType<typeof createInferHandler>>>> {
    const job = (await queue.claim('infer')) as Job
    const handler = createInferHandler({
      database: store.database,
      objects: store.objects,
      queue,
      pool: {
        run: async (task) => {
          tasks.push(task)
          return outcome
        },
      },
      pipeline: (name) => ({ name, digest: 'sha256:0', folder: '/models/p' }) as Pipeline,
      workFolder: path.join(store.dataDir, 'work'),
      deadlineMs: 1000,
      providers: ['cpu'],
      threads: 1,
      onQueued: () => undefined,
    })
    const end = await handler(job, new AbortController().signal)
    await queue.end(job, end)
    return end
  }

  it('is tried once more when its process dies, in another folder, and then fails', async () => {
    expect(await run()).toMatchObject({ kind: 'retry' })
    expect(await run()).toMatchObject({ kind: 'failed', reason: 'the process ended' })
    expect(new Set(tasks.map((task) => task.outFolder)).size).toBe(2)
  })

  it('does not count the ends of the node among its tries', async () => {
    await queue.claim('infer')
    await queue.requeueInterrupted()
    expect(await run()).toMatchObject({ kind: 'retry' })
  })

  it('is not run when a later revision has replaced its own', async () => {
    await addRevision(store.database, studyId, 2)
    expect(await run()).toMatchObject({
      kind: 'failed',
      reason: 'not run: revision 2 of the study has replaced this one',
    })
    expect(tasks).toEqual([])
    expect((await store.database('studies').first('state')).state).toBe('done')
  })

  it('is run although there is a later revision, where that one lets its results stand', async () => {
    const second = await addRevision(store.database, studyId, 2)
    const decision = { study_id: studyId, route: 'lung', route_version: 1, matched: 1, expression: '', at: '2026' }
    const texts = { because: '{}', series: '{}', reason: '' }
    await store.database('decisions').insert({ ...decision, ...texts, revision_id: second, stands_from: first })
    expect(await run()).toMatchObject({ kind: 'retry' })
    const third = await addRevision(store.database, studyId, 3)
    expect(await run()).toMatchObject({ reason: 'not run: revision 3 of the study has replaced this one' })
    // The route did not match the third, and matches the fourth again.
    await store.database('decisions').insert({ ...decision, ...texts, matched: 0, revision_id: third })
    const fourth = await addRevision(store.database, studyId, 4)
    await store.database('decisions').insert({ ...decision, ...texts, revision_id: fourth, stands_from: first })
    await queue.retry('a', 'test')
    expect(await run()).toMatchObject({ reason: 'the process ended' })
  })
})
