import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { completeStudy, type StudyRevision } from '../../src/assemble/complete-study.ts'
import { comparisonText } from '../../src/commands/pipeline-compare.ts'
import { encodeSegmentation } from '../../src/encode/segmentation.ts'
import { comparePipelines, knownDigests } from '../../src/flow/compare-pipelines.ts'
import { createInferHandler } from '../../src/flow/infer-job.ts'
import { InstalledPipelines } from '../../src/flow/installed-pipelines.ts'
import { routeRevision } from '../../src/flow/route-revision.ts'
import { applyRoutes } from '../../src/flow/routes.ts'
import type { Pipeline } from '../../src/infer/load-pipelines.ts'
import type { FoundValue, InferTask } from '../../src/infer/task.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/log.ts'
import { shareOf } from '../../src/route/chosen-pipeline.ts'
import { parseRouteDefinition, type RouteDefinition } from '../../src/route/route-definition.ts'
import { listStudies } from '../../src/store/study-list.ts'
import { studyTimeline } from '../../src/store/timeline.ts'
import { writeObject } from '../../src/worker-parts/write-result.ts'
import { syntheticInput } from '../encode/synthetic.ts'
import { receiveSmall, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

const at = '2026-11-21T12:10:00.000Z'
const digests = { old: `sha256:${'aa'.repeat(32)}`, new: `sha256:${'bb'.repeat(32)}` }

function pipelineOf(version: string, digest: string): Pipeline {
  return { name: 'lung', version, digest, folder: '/models/lung', inputs: [], outputs: [] } as unknown as Pipeline
}

function route(overrides: Record<string, unknown> = {}): RouteDefinition {
  const inputs = { ct: { where: 'series.SeriesNumber == 1' } }
  const parsed = parseRouteDefinition({ name: 'live', inputs, pipeline: 'lung', destinations: ['self'], ...overrides })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.definition
}
const shadow = (overrides: Record<string, unknown> = {}) =>
  route({ name: 'try', pipeline: 'lung@1.10.0', shadow: true, destinations: undefined, ...overrides })

/** Several versions of a pipeline side by side, and what is let out of them, on any database. */
export function governanceCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let queue: JobQueue
  let installed: InstalledPipelines
  let tasks: InferTask[]

  beforeEach(async () => {
    store = await open()
    queue = new JobQueue({ database: store.database })
    tasks = []
    await install(pipelineOf('1.9.0', digests.old), pipelineOf('1.10.0', digests.new))
  })
  afterEach(() => store.dispose())

  async function install(...pipelines: Pipeline[]): Promise<void> {
    installed = new InstalledPipelines(pipelines)
    for (const { name, version, digest } of pipelines)
      await store
        .database('pipelines')
        .insert({ name, version, digest, manifest: '{}', first_seen_at: at })
        .onConflict('digest')
        .ignore()
  }
  const put = (...routes: RouteDefinition[]) => applyRoutes(store.database, routes, { at, author: 'test' })

  async function complete(study = 1, instance = study): Promise<void> {
    await store.indexer.index([receiveSmall(store.incoming, { study, series: 1, instance })])
    const { id } = await store
      .database('studies')
      .where({ study_instance_uid: studyUID(study) })
      .first('id')
    const completion = await completeStudy(store.database, { studyId: id, now: at, reasonFor: () => 'for a test' })
    const { revision } = completion as { revision: StudyRevision }
    const pinnedPipeline = (reference: string) => installed.pinned(reference)
    await routeRevision(revision.id, { database: store.database, queue, log: silentLog, pinnedPipeline })
  }

  /** What stands for the model: the newer version finds no right lung, and less volume. */
  async function infer(task: InferTask) {
    tasks.push(task)
    const isNew = task.pipelineDigest === digests.new
    const { studyInstanceUID: study, revision, pipelineDigest: digest, predecessors } = task
    const input = syntheticInput({ study, revision, digest, predecessors, emptySegment: isNew })
    const results = [await writeObject(encodeSegmentation(input), 'segmentation', task)]
    const value = (name: string, of: number): FoundValue => ({ name, value: of, unit: 'L', code: 'SCT:1', site: null })
    // Each study has its own difference: 1 L in the first, 3 L in the second.
    const number = Number(study.split('.').at(-1))
    const findings = [value('Volume', 6 - (isNew ? 2 * number - 1 : 0)), ...(isNew ? [value('Mass', 1)] : [])]
    return { kind: 'done' as const, provider: 'cpu', results, files: [], findings, log: [] }
  }

  /** Runs every inference that is queued; returns the routes in the order of their runs. */
  async function runAll(): Promise<string[]> {
    const handler = createInferHandler({
      database: store.database,
      objects: store.objects,
      queue,
      pool: { run: infer },
      pipeline: (reference) => installed.get(reference),
      workFolder: path.join(store.dataDir, 'work'),
      deadlineMs: 1000,
      providers: ['cpu'],
      threads: 1,
      onQueued: () => undefined,
    })
    mkdirSync(path.join(store.dataDir, 'results'), { recursive: true })
    const routes: string[] = []
    for (let job = await queue.claim('infer'); job; job = await queue.claim('infer')) {
      routes.push(job.route ?? '')
      await queue.end(job, await handler(job, new AbortController().signal))
    }
    return routes
  }
  const told = async (study = 1) => {
    const timeline = await studyTimeline(store.database, studyUID(study))
    if (timeline === null) throw new Error('there is no study')
    return timeline
  }

  it('a route gets the newest version, or the one that it names', async () => {
    await put(
      route(),
      route({ name: 'pinned', pipeline: 'lung@1.9.0' }),
      route({ name: 'exact', pipeline: `lung@${digests.old}` }),
    )
    await complete()
    const asked = (await told()).jobs.map(({ route: name, pipeline }) => `${name} ${pipeline}`)
    expect(asked.sort()).toEqual([
      `exact lung@${digests.old}`,
      `live lung@${digests.new}`,
      `pinned lung@${digests.old}`,
    ])
  })

  it('a queued job runs the files that it was queued with; where they are gone, what the route names now', async () => {
    await put(route({ pipeline: 'lung@1.9.0' }), route({ name: 'exact', pipeline: `lung@${digests.old}` }))
    await complete()
    const changed = `sha256:${'cc'.repeat(32)}`
    await install(pipelineOf('1.9.0', changed), pipelineOf('1.10.0', digests.new))
    await runAll()
    expect(tasks.map(({ pipelineDigest }) => pipelineDigest)).toEqual([changed])
    const { results, jobs } = await told()
    expect(results.map(({ pipeline }) => pipeline)).toEqual([`lung@${changed}`])
    expect(jobs.find((job) => job.route === 'exact')).toMatchObject({
      state: 'failed',
      error: `no pipeline is called "lung@${digests.old}"`,
    })
  })

  it('a shadow is run after the others and stored; nothing of it is delivered, or counts', async () => {
    await put(shadow(), route({ pipeline: 'lung@1.9.0' }))
    await complete()
    expect(await runAll()).toEqual(['live', 'try'])
    const { jobs, results, findings, shadowFindings, events } = await told()
    expect(jobs.map(({ kind, route: of, shadow: is }) => `${kind} ${of} ${is}`).sort()).toEqual([
      'deliver live false',
      'infer live false',
      'infer try true',
    ])
    expect(results.map(({ pipeline, shadow: is, deliveries }) => [pipeline, is, deliveries.length])).toEqual([
      [`lung@${digests.old}`, false, 1],
      [`lung@${digests.new}`, true, 0],
    ])
    expect(findings).toMatchObject([{ pipeline: `lung@${digests.old}`, name: 'Volume', value: 6, current: true }])
    expect(shadowFindings.map(({ name }) => name)).toEqual(['Volume', 'Mass'])
    expect(events).toEqual([])
    const [listed] = (await listStudies(store.database, { limit: 5, offset: 0 })).studies
    expect(listed?.findings.map(({ name }) => name)).toEqual(['Volume'])
  })

  it('a shadow that fails leaves its study as it is', async () => {
    await put(shadow())
    await complete()
    expect((await told()).state).toBe('done')
    const job = await queue.claim('infer')
    if (job) await queue.end(job, { kind: 'failed', reason: 'out of memory' })
    expect(await told()).toMatchObject({ state: 'done', jobs: [{ shadow: true, state: 'failed' }] })
    const [listed] = (await listStudies(store.database, { limit: 5, offset: 0 })).studies
    expect(listed?.remark).toBeNull()
  })

  it('a shadow of the same files takes nothing from the route that delivers, whichever comes first', async () => {
    await put(route(), shadow())
    await complete()
    await runAll()
    expect((await told()).results).toMatchObject([{ shadow: false, deliveries: [{ destination: 'self' }] }])
    // And the other way round: the shadow has the result until the route comes that delivers it.
    await put(shadow())
    await complete(2)
    await runAll()
    expect((await told(2)).results).toMatchObject([{ shadow: true, deliveries: [] }])
    await store.database('revisions').update({ routed: 0 })
    await put(shadow(), route())
    const { id } = await store
      .database('revisions')
      .join('studies', 'studies.id', 'revisions.study_id')
      .where('study_instance_uid', studyUID(2))
      .first('revisions.id as id')
    const pinnedPipeline = (reference: string) => installed.pinned(reference)
    await routeRevision(id, { database: store.database, queue, log: silentLog, pinnedPipeline })
    await runAll()
    expect((await told(2)).results).toMatchObject([{ shadow: false, deliveries: [{ destination: 'self' }] }])
  })

  it('results that only a shadow gave are not superseded by those that are delivered', async () => {
    await put(shadow({ name: 'live' }))
    await complete(1, 1)
    await runAll()
    await put(route())
    await complete(1, 11)
    await runAll()
    expect(tasks.map(({ predecessors }) => predecessors)).toEqual([[], []])
    await complete(1, 12)
    await runAll()
    expect(tasks.at(-1)?.predecessors).toHaveLength(1)
  })

  it('a canary takes the studies below its fraction, and delivers', async () => {
    const [low, high] = shareOf(studyUID(1)) < shareOf(studyUID(2)) ? [1, 2] : [2, 1]
    const fraction = (shareOf(studyUID(1)) + shareOf(studyUID(2))) / 2
    await put(route({ pipeline: 'lung@1.9.0', canary: { pipeline: 'lung@1.10.0', fraction } }))
    await complete(1)
    await complete(2)
    await runAll()
    expect(await told(low)).toMatchObject({
      decisions: [{ reason: expect.stringContaining('; the canary, lung@1.10.0: ') }],
      results: [{ pipeline: `lung@${digests.new}`, deliveries: [{ destination: 'self' }] }],
    })
    expect((await told(high)).results).toMatchObject([{ pipeline: `lung@${digests.old}` }])
  })

  it('two versions are compared on the studies that both have run on', async () => {
    await put(shadow(), route({ pipeline: 'lung@1.9.0' }))
    await complete(1)
    await complete(2)
    await runAll()
    await put(route({ pipeline: 'lung@1.9.0' }))
    await complete(3)
    await runAll()
    const known = {
      a: await knownDigests(store.database, 'lung@1.9.0'),
      b: await knownDigests(store.database, 'lung@sha256:bbbbbbbb'),
    }
    expect(known.b.pinned).toEqual([`lung@${digests.new}`])
    const parts = { database: store.database, objects: store.objects }
    const comparison = await comparePipelines(known, { ...parts, studies: 10 })
    expect(comparison.studies).toEqual([studyUID(2), studyUID(1)])
    expect(comparison.measurements).toMatchObject([
      {
        name: 'Volume',
        studies: 2,
        meanA: 6,
        meanB: 4,
        meanDifference: -2,
        deviation: Math.SQRT2,
        largest: { studyInstanceUID: studyUID(2), a: 6, b: 3 },
      },
    ])
    expect(comparison.measurements[0]?.limits?.low).toBeCloseTo(-2 - 1.96 * Math.SQRT2, 9)
    expect(comparison.segments).toMatchObject([
      { role: 'segmentation', label: 'Left lung', studies: 2, mean: 1 },
      { role: 'segmentation', label: 'Right lung', studies: 2, mean: 0, least: { dice: 0 } },
    ])
    expect(comparison.remarks).toEqual(['Mass: only the second measures it, in 2 of 2 studies'])
    expect((await comparePipelines(known, { ...parts, studies: 1 })).studies).toEqual([studyUID(2)])
    const text = comparisonText(comparison)
    expect(text).toContain('2 studies with results of both on the same input')
    expect(text).toMatch(/^Volume +L +2 +6 +4 +-2 +-4\.772 to 0\.7719 +-3 +1\.2\.3\.2$/m)
    expect(text).toMatch(/^Right lung +segmentation +2 +0\.000 +0\.000 /m)
  })

  it('what ran on other inputs is not compared', async () => {
    await put(route({ pipeline: 'lung@1.9.0' }))
    await complete(1, 1)
    await runAll()
    await put(shadow())
    await complete(1, 11)
    await runAll()
    const known = { a: await knownDigests(store.database, 'lung@1.9.0'), b: await knownDigests(store.database, 'lung') }
    const parts = { database: store.database, objects: store.objects, studies: 10 }
    expect(await comparePipelines(known, parts)).toMatchObject({ studies: [], otherInput: 1, measurements: [] })
    expect((await knownDigests(store.database, 'lung@9.9.9')).pinned).toEqual([])
  })
}
