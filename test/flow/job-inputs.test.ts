import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { completeStudy } from '../../src/assemble/complete-study.ts'
import { createInferHandler } from '../../src/flow/infer-job.ts'
import { routeRevision } from '../../src/flow/route-revision.ts'
import { applyRoutes } from '../../src/flow/routes.ts'
import type { Pipeline } from '../../src/infer/load-pipelines.ts'
import type { InferOutcome, InferTask, WrittenResult } from '../../src/infer/task.ts'
import type { Job, JobEnd } from '../../src/jobs/job.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/log.ts'
import { parseRouteDefinition } from '../../src/route/route-definition.ts'
import { receiveSmall, type SmallInstance, seriesUID, studyUID } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

const at = '2026-11-21T12:10:00.000Z'
const first = { where: 'series.SeriesNumber == 1' }

describe('what a job is given', () => {
  let store: TemporaryStore
  let queue: JobQueue
  let tasks: InferTask[]
  let outcome: InferOutcome

  beforeEach(async () => {
    store = await temporaryStore()
    queue = new JobQueue({ database: store.database })
    tasks = []
    outcome = { kind: 'refused', reason: 'for a test', log: [] }
  })
  afterEach(() => store.dispose())

  async function put(overrides: Record<string, unknown>): Promise<void> {
    const parsed = parseRouteDefinition({ name: 'r', pipeline: 'p', destinations: ['self'], ...overrides })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
    await applyRoutes(store.database, [parsed.definition], { at, author: 'test' })
  }
  const rowOf = (study: number) => store.database('studies').where({ study_instance_uid: studyUID(study) })
  /** Studies 1, 2, … of one patient; a greater number is a later one. */
  async function receive(
    ...instances: (Partial<SmallInstance> & { study: number; instance: number })[]
  ): Promise<void> {
    await store.indexer.index(instances.map((small) => receiveSmall(store.incoming, { series: 1, ...small })))
    for (const { study } of instances)
      await rowOf(study).update({ patient_id: 'P', study_date: `2026112${study}`, study_time: null })
  }
  async function complete(study: number): Promise<void> {
    const { id } = await rowOf(study).first('id')
    const completion = await completeStudy(store.database, { studyId: id, now: at, reasonFor: () => 'for a test' })
    if (completion.kind !== 'revision') throw new Error(`the study is not complete: ${completion.kind}`)
    const pinnedPipeline = (name: string) => `${name}@sha256:0`
    await routeRevision(completion.revision.id, { database: store.database, queue, log: silentLog, pinnedPipeline })
  }
  async function run(): Promise<JobEnd | null> {
    const job: Job | null = await queue.claim('infer')
    if (!job) return null
    const outputs = [{ kind: 'segmentation' }, { kind: 'parametric-map', id: 'growth' }, { kind: 'json' }]
    const handler = createInferHandler({
      database: store.database,
      objects: {
        pathOf: async (key: string) => key,
        put: async () => {},
      } as unknown as typeof store.objects,
      queue,
      pool: {
        run: async (task) => {
          tasks.push(task)
          return outcome
        },
      },
      pipeline: () => ({ name: 'p', digest: 'sha256:0', folder: '/models/p', outputs }) as unknown as Pipeline,
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
  const decision = async () => await store.database('decisions').orderBy('id', 'desc').first('reason', 'matched')

  it('is every series of an input that takes several', async () => {
    const several = { where: 'series.Modality == "CT"', prefer: [{ lowest: 'series.SeriesNumber' }], several: true }
    await put({ inputs: { dynamic: several } })
    await receive({ study: 1, instance: 1, series: 2 }, { study: 1, instance: 2, series: 1 }, { study: 1, instance: 3 })
    await complete(1)
    await run()
    const { dynamic } = tasks[0]?.inputs ?? {}
    expect(dynamic).toMatchObject({
      seriesInstanceUID: seriesUID(1, 1),
      further: [{ seriesInstanceUID: seriesUID(1, 2) }],
    })
    expect([dynamic?.files.length, dynamic?.further?.[0]?.files.length]).toEqual([2, 1])
    // Another phase is another input.
    await receive({ study: 1, instance: 4, series: 3 })
    await complete(1)
    await run()
    expect(tasks[1]?.inputs.dynamic?.further).toHaveLength(2)
    // What is no CT is not.
    await put({ inputs: { dynamic: { ...several, where: 'series.SeriesNumber < 4' } } })
    await receive({ study: 1, instance: 5, series: 4 })
    await complete(1)
    await run()
    await receive({ study: 1, instance: 6, series: 5 })
    await complete(1)
    expect(await run()).toBeNull()
    expect((await decision()).reason).toContain('the same input as in revision 3')
  })

  describe('of an earlier study', () => {
    const inputs = { now: first, before: { ...first, from: 'prior' } }
    beforeEach(async () => {
      await put({ inputs })
      for (const study of [1, 2, 3]) await receive({ study, instance: study })
    })

    it('is the newest complete one, whole, as it was when the route was decided', async () => {
      await complete(1)
      await complete(2)
      await complete(3)
      await run()
      await receive({ study: 2, instance: 22 })
      await run()
      expect(
        tasks.map(({ studyInstanceUID, inputs: given }) => [studyInstanceUID, given.before?.studyInstanceUID]),
      ).toEqual([
        [studyUID(2), studyUID(1)],
        [studyUID(3), studyUID(2)],
      ])
      expect(tasks[1]?.inputs.before).toMatchObject({
        seriesInstanceUID: seriesUID(2, 1),
        studyInstanceUID: studyUID(2),
      })
      expect(tasks[1]?.inputs.before?.files).toHaveLength(1)
      expect(tasks[1]?.inputs.now).not.toHaveProperty('studyInstanceUID')
    })

    it('is none that is later, or is not complete, or of which no time says that it is earlier', async () => {
      await rowOf(1).update({ study_date: '20261122' })
      await complete(1)
      await complete(2)
      expect(await run()).toBeNull()
      expect(await decision()).toEqual({
        matched: 0,
        reason: 'input "before": there is no earlier study of the patient',
      })
      await rowOf(1).update({ study_date: '20261123', study_time: '101500' })
      await rowOf(3).update({ study_time: '093000' })
      await rowOf(2).update({ study_date: '20261124' })
      await complete(3)
      expect(await run()).toBeNull()
    })

    it.each([
      ['Patient ID', { patient_id: 'Q' }],
      ['issuer', { header: '{"00100021":{"vr":"LO","Value":["other hospital"]}}' }],
      ['birth date', { patient_birth_date: '19700101' }],
    ])('is none with another %s', async (_, other) => {
      await rowOf(2).update({ patient_birth_date: '19600101' })
      await complete(1)
      await rowOf(1).update(other)
      await complete(2)
      expect(await run()).toBeNull()
      expect((await decision()).reason).toContain('there is no earlier study of the patient')
    })

    it('fails the job when it is deleted in between', async () => {
      await complete(1)
      await complete(2)
      await rowOf(1).delete()
      expect(await run()).toMatchObject({
        kind: 'failed',
        reason: 'the earlier study that was to be compared is here no more',
      })
      expect(tasks).toEqual([])
    })
  })

  describe('of outputs', () => {
    const result = (output: string, n: number): WrittenResult => ({
      role: output,
      output,
      file: `${output}.dcm`,
      size: 1,
      sha256: '0'.repeat(64),
      sopClassUID: '1.2.3',
      sopInstanceUID: `1.2.8.${n}`,
      seriesInstanceUID: '1.2.7',
      modality: 'SEG',
      supersedes: null,
    })
    const delivered = async () =>
      await store
        .database('deliveries')
        .join('results', 'results.id', 'deliveries.result_id')
        .orderBy(['destination', 'role'])
        .select('destination', 'role')
    beforeEach(async () => {
      await receive({ study: 1, instance: 1 })
      const results = [result('segmentation', 1), result('growth', 2)]
      outcome = { kind: 'done', provider: 'cpu', results, files: [], findings: [], log: [] }
    })

    it('is each destination’s own choice, and what none has chosen is not made', async () => {
      const outputs = { default: ['segmentation'], pacs: ['parametric-map'], archive: ['json'] }
      await put({ inputs: { now: first }, destinations: ['self', 'pacs', 'archive'], outputs })
      await complete(1)
      await run()
      expect(tasks[0]?.outputs).toEqual(['segmentation', 'parametric-map', 'json'])
      expect(await delivered()).toEqual([
        { destination: 'pacs', role: 'growth' },
        { destination: 'self', role: 'segmentation' },
      ])
      const jobs = await store.database('jobs').where({ kind: 'deliver' }).orderBy('destination').select()
      expect(jobs.map(({ destination }) => destination)).toEqual(['pacs', 'self'])
      expect(JSON.parse(jobs[0].payload).resultIds).toHaveLength(1)
    })

    it('is all of them for a destination without a choice', async () => {
      await put({ inputs: { now: first }, destinations: ['self', 'pacs'], outputs: { pacs: ['growth'] } })
      await complete(1)
      await run()
      expect(tasks[0]?.outputs).toBeUndefined()
      expect(await delivered()).toEqual([
        { destination: 'pacs', role: 'growth' },
        { destination: 'self', role: 'growth' },
        { destination: 'self', role: 'segmentation' },
      ])
    })
  })
})
