import { afterEach, beforeEach, expect, it } from 'vitest'
import { completeStudy, type StudyRevision } from '../../src/assemble/complete-study.ts'
import { routeRevision } from '../../src/flow/route-revision.ts'
import { applyRoutes } from '../../src/flow/routes.ts'
import type { Job, JobEnd } from '../../src/jobs/job.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/log.ts'
import { parseRouteDefinition, type RouteDefinition } from '../../src/route/route-definition.ts'
import { listStudies } from '../../src/store/study-list.ts'
import { studyTimeline } from '../../src/store/timeline.ts'
import { receiveSmall, type SmallInstance, seriesUID, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

const at = '2026-11-21T12:10:00.000Z'

/** A route for series 1. */
function route(overrides: Record<string, unknown> = {}): RouteDefinition {
  const inputs = { ct: { where: 'series.SeriesNumber == 1' } }
  const parsed = parseRouteDefinition({ name: 'lung', inputs, pipeline: 'p', destinations: ['self'], ...overrides })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.definition
}

/** What becomes of an earlier revision's results when a later one has the same input for their route, on any database. */
export function standingCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let queue: JobQueue
  let digest: string

  beforeEach(async () => {
    store = await open()
    queue = new JobQueue({ database: store.database })
    digest = 'sha256:0'
    await put(route())
  })
  afterEach(() => store.dispose())

  const put = (...routes: RouteDefinition[]) => applyRoutes(store.database, routes, { at, author: 'test' })

  /** Indexes instances, completes the study and decides its routes. */
  async function revisionWith(...instances: (Partial<SmallInstance> & { instance: number })[]): Promise<number> {
    const received = instances.map((small) => receiveSmall(store.incoming, { study: 1, series: 1, ...small }))
    await store.indexer.index(received)
    const { id } = await store.database('studies').first('id')
    const completion = await completeStudy(store.database, { studyId: id, now: at, reasonFor: () => 'for a test' })
    const { revision } = completion as { revision: StudyRevision }
    const pinnedPipeline = (name: string) => `${name}@${digest}`
    await routeRevision(revision.id, { database: store.database, queue, log: silentLog, pinnedPipeline })
    return revision.number
  }
  const finding = (job: Job) => ({
    job_id: job.id,
    study_id: job.studyId,
    revision_id: job.revisionId,
    pipeline: 'p',
    name: 'volume',
    value: 4,
    unit: 'L',
    code: 'SCT:1',
  })
  /** Runs the next inference, which ends as given. */
  async function run(end: JobEnd = { kind: 'done' }): Promise<Job> {
    const job = await queue.claim('infer')
    if (job === null) throw new Error('there is no job')
    await queue.end(job, end.kind === 'done' ? { ...end, commit: (trx) => trx('findings').insert(finding(job)) } : end)
    return job
  }
  const told = async () => {
    const timeline = await studyTimeline(store.database, studyUID(1))
    if (timeline === null) throw new Error('there is no study')
    const [decision] = timeline.decisions
    return { timeline, reason: decision?.reason ?? '', standsFrom: decision?.standsFrom, matched: decision?.matched }
  }

  it('are let stand when something else arrives: the pipeline is not run again', async () => {
    await revisionWith({ instance: 1 }, { instance: 2 })
    await run()
    await revisionWith({ instance: 50, series: 7 })
    const { timeline, reason, standsFrom, matched } = await told()
    expect(await queue.claim('infer')).toBeNull()
    expect(reason).toBe(
      `input "ct": series ${seriesUID(1, 1)}, the only series that satisfies the condition; the same input as in revision 1: its results stand`,
    )
    expect({ matched, standsFrom, state: timeline.state, revision: timeline.revision }).toEqual({
      matched: true,
      standsFrom: 1,
      state: 'done',
      revision: 2,
    })
    expect(timeline.findings).toMatchObject([{ revision: 1, current: true }])
    expect((await listStudies(store.database, { limit: 5, offset: 0 })).studies[0]?.findings).toHaveLength(1)
  })

  it('stand through several revisions, and are superseded by the first with another input', async () => {
    await revisionWith({ instance: 1 })
    const first = await run()
    await revisionWith({ instance: 50, series: 7 })
    await revisionWith({ instance: 51, series: 7 })
    expect((await told()).standsFrom).toBe(1)
    await revisionWith({ instance: 2 })
    expect((await told()).standsFrom).toBeNull()
    const second = await run()
    expect(second.id).not.toBe(first.id)
    const { timeline } = await told()
    expect(timeline.findings.map(({ revision, current }) => [revision, current])).toEqual([
      [4, true],
      [1, false],
    ])
    await revisionWith({ instance: 52, series: 7 })
    expect((await told()).standsFrom).toBe(4)
  })

  it('do not stand for an instance that came again with other bytes', async () => {
    await revisionWith({ instance: 1 })
    await run()
    await revisionWith({ instance: 1, content: 'corrected' })
    expect((await told()).standsFrom).toBeNull()
    await run()
  })

  it.each([
    ['the route', async () => put(route({ priority: 'urgent' }))],
    ['the pipeline', async () => void (digest = 'sha256:1')],
  ])('do not stand when %s has changed since', async (_, change) => {
    await revisionWith({ instance: 1 })
    await run()
    await change()
    await revisionWith({ instance: 50, series: 7 })
    expect((await told()).standsFrom).toBeNull()
    await run()
  })

  it('do not stand when they are none: a failed run is tried again, a refused one is not', async () => {
    await revisionWith({ instance: 1 })
    await run({ kind: 'failed', reason: 'out of memory' })
    await revisionWith({ instance: 50, series: 7 })
    expect((await told()).standsFrom).toBeNull()
    await run({ kind: 'refused', reason: 'too few slices' })
    await revisionWith({ instance: 51, series: 7 })
    expect((await told()).reason).toContain('the same input as in revision 2: that the pipeline refused it stands')
    expect(await queue.claim('infer')).toBeNull()
  })

  it('are waited for when their run has not ended', async () => {
    await revisionWith({ instance: 1 })
    await revisionWith({ instance: 50, series: 7 })
    const { timeline, reason, standsFrom } = await told()
    expect(reason).toContain('the same input as in revision 1: its run goes on')
    expect({ standsFrom, state: timeline.state }).toEqual({ standsFrom: 1, state: 'processing' })
    await run()
    expect((await told()).timeline).toMatchObject({ state: 'done', findings: [{ current: true }] })
  })

  it('stand for one route, and not for another whose input has changed', async () => {
    const other = { inputs: { ct: { where: 'series.SeriesNumber == 7' } } }
    await put(route(), route({ name: 'other', ...other }))
    await revisionWith({ instance: 1 }, { instance: 50, series: 7 })
    await run()
    await run()
    await revisionWith({ instance: 51, series: 7 })
    const { timeline } = await told()
    const newest = timeline.decisions.filter(({ revision }) => revision === 2)
    expect(newest.map(({ route: name, standsFrom }) => [name, standsFrom])).toEqual([
      ['lung', 1],
      ['other', null],
    ])
    expect((await run()).route).toBe('other')
    const current = (await told()).timeline.findings.filter((one) => one.current).map(({ revision }) => revision)
    expect(new Set(current)).toEqual(new Set([1, 2]))
  })

  it('keep a study failed while one of them could not be delivered', async () => {
    await revisionWith({ instance: 1 })
    const job = await run()
    const deliver = { kind: 'deliver', destination: 'pacs', pipeline: null, priority: 0, payload: null } as const
    await queue.enqueue({ ...deliver, id: 'd', studyId: job.studyId, revisionId: job.revisionId, route: 'lung' })
    await queue.end((await queue.claim('deliver')) as Job, { kind: 'failed', reason: 'refused' })
    await revisionWith({ instance: 50, series: 7 })
    expect((await told()).timeline.state).toBe('failed')
    await revisionWith({ instance: 2 })
    await run()
    expect((await told()).timeline.state).toBe('done')
  })
}
