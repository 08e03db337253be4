import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { JobQueue } from '../../src/jobs/queue.ts'
import { recomputeStudyState } from '../../src/jobs/study-state.ts'
import { listStudies } from '../../src/store/study-list.ts'
import { studyTimeline } from '../../src/store/timeline.ts'
import { addRevision } from '../receive/index-contents.ts'
import { instanceUID, receiveSmall, type SmallInstance, seriesUID, studyUID } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

describe('the timeline', () => {
  let store: TemporaryStore
  let queue: JobQueue
  beforeEach(async () => {
    store = await temporaryStore()
    queue = new JobQueue({ database: store.database })
  })
  afterEach(() => store.dispose())

  const index = (...small: SmallInstance[]) =>
    store.indexer.index(small.map((one) => receiveSmall(store.incoming, one)))
  const studyId = async (n = 1): Promise<number> =>
    (
      await store
        .database('studies')
        .where({ study_instance_uid: studyUID(n) })
        .first('id')
    ).id

  /** Decision, inference, finding, result and delivery of a revision. */
  async function work(revisionId: number, number: number, supersedes: string | null) {
    const { database } = store
    const study = await studyId()
    const owner = { study_id: study, revision_id: revisionId }
    const at = `2026-11-21T12:0${number}:00.000Z`
    await database('decisions').insert({
      ...owner,
      route: 'lung',
      route_version: 1,
      matched: 1,
      expression: 'series.Modality == "CT"',
      because: JSON.stringify({ 'series.Modality': 'CT' }),
      series: JSON.stringify({ ct: seriesUID(1, 1) }),
      reason: 'it is a CT',
      at,
    })
    const jobId = `infer-${number}`
    await queue.enqueue({
      id: jobId,
      kind: 'infer',
      studyId: study,
      revisionId,
      route: 'lung',
      pipeline: 'p@sha256:0',
      destination: null,
      priority: 0,
      payload: null,
    })
    const job = await queue.claim('infer')
    if (job === null) throw new Error('there is no job')
    await queue.end(job, { kind: 'done', provider: 'cpu' })
    const uid = `1.2.7.${number}`
    const [result] = await database('results')
      .insert({
        ...owner,
        job_id: jobId,
        pipeline: 'p@sha256:0',
        role: 'segmentation',
        sop_instance_uid: uid,
        sop_class_uid: '1.2.840.10008.5.1.4.1.1.66.4',
        series_instance_uid: '1.2.6',
        modality: 'SEG',
        object_key: 'results/x/y.dcm',
        size: 3,
        sha256: 'f',
        supersedes,
        created_at: at,
      })
      .returning('id')
    await database('deliveries').insert({
      result_id: result.id,
      job_id: jobId,
      destination: 'self',
      state: 'verified',
      proof: 'QIDO-RS gave it',
      updated_at: at,
    })
    await database('findings').insert({
      ...owner,
      job_id: jobId,
      pipeline: 'p@sha256:0',
      name: 'Total lung volume',
      value: 4.3 + number,
      unit: 'L',
      code: 'SCT:1',
      site: null,
    })
    return uid
  }

  it('knows nothing of a study that never came', async () => {
    expect(await studyTimeline(store.database, '1.2.3.4')).toBeNull()
  })

  it('tells of a study that is being received', async () => {
    await index(
      { study: 1, series: 1, instance: 1 },
      { study: 1, series: 1, instance: 1, content: 'other' },
      { study: 1, series: 1, instance: 1, content: 'other' },
    )
    const timeline = await studyTimeline(store.database, studyUID(1))
    expect(timeline).toMatchObject({
      studyInstanceUID: studyUID(1),
      state: 'receiving',
      instances: 1,
      revision: 0,
      completion: null,
    })
    expect(timeline?.arrivals).toEqual([
      {
        at: '2026-11-21T12:00:00.000Z',
        until: '2026-11-21T12:00:00.000Z',
        from: 'CT1@10.0.0.5',
        via: 'c-store',
        seriesInstanceUID: seriesUID(1, 1),
        modality: 'CT',
        seriesNumber: 1,
        seriesDescription: null,
        instances: 1,
        identical: 1,
        replaced: 1,
      },
    ])
    expect(timeline?.events).toMatchObject([{ kind: 'replaced' }])
    expect(timeline).toMatchObject({ decisions: [], jobs: [], results: [], findings: [] })
  })

  it('tells what happened and why, the newest revision first', async () => {
    await index({ study: 1, series: 1, instance: 1 })
    const first = await work(await addRevision(store.database, await studyId(), 1), 1, null)
    await work(await addRevision(store.database, await studyId(), 2), 2, first)
    await recomputeStudyState(store.database, await studyId())
    const timeline = await studyTimeline(store.database, studyUID(1))
    expect(timeline).toMatchObject({
      state: 'done',
      instances: 1,
      revision: 2,
      completion: { at: '2026-11-21T12:01:00.000Z', reason: 'for a test' },
      decisions: [
        {
          route: 'lung',
          matched: true,
          because: { 'series.Modality': 'CT' },
          series: { ct: seriesUID(1, 1) },
          reason: 'it is a CT',
          revision: 2,
        },
        { revision: 1 },
      ],
      jobs: [
        {
          id: 'infer-2',
          kind: 'infer',
          pipeline: 'p@sha256:0',
          state: 'done',
          refused: false,
          attempts: [{ provider: 'cpu', error: null }],
        },
        { id: 'infer-1' },
      ],
      results: [
        {
          sopInstanceUID: '1.2.7.2',
          modality: 'SEG',
          supersedes: first,
          deliveries: [{ destination: 'self', state: 'verified', proof: 'QIDO-RS gave it', error: null }],
        },
        { sopInstanceUID: first, supersedes: null },
      ],
      findings: [{ name: 'Total lung volume', value: 6.3, unit: 'L' }, { value: 5.3 }],
    })
  })

  it('does not show our own results among the arrivals', async () => {
    await index({ study: 1, series: 1, instance: 1 })
    await work(await addRevision(store.database, await studyId()), 1, null)
    await store.database('results').update({ sop_instance_uid: instanceUID(60) })
    await index({ study: 1, series: 9, instance: 60, association: 'self' })
    const timeline = await studyTimeline(store.database, studyUID(1))
    expect(timeline?.instances).toBe(1)
    expect(timeline?.arrivals.map(({ seriesInstanceUID }) => seriesInstanceUID)).toEqual([seriesUID(1, 1)])
  })

  it('lists studies with totals, by state, and by a part of what names them', async () => {
    await index(
      { study: 1, series: 1, instance: 1 },
      { study: 1, series: 2, instance: 2 },
      { study: 2, series: 1, instance: 3, patientName: '100%_Sure' },
    )
    await work(await addRevision(store.database, await studyId()), 1, null)
    await recomputeStudyState(store.database, await studyId())
    const page = { limit: 10, offset: 0 }
    const all = await listStudies(store.database, page)
    expect(all.total).toBe(2)
    expect(all.studies.find((study) => study.studyInstanceUID === studyUID(1))).toMatchObject({
      state: 'done',
      patientName: 'Phantom^Small',
      patientID: 'P1',
      modalities: ['CT'],
      instances: 2,
      revision: 1,
      findings: [{ name: 'Total lung volume', value: 5.3 }],
      remark: null,
    })
    const found = async (query: object) =>
      (await listStudies(store.database, { ...page, ...query })).studies.map((study) => study.studyInstanceUID)
    expect(await found({ state: 'receiving' })).toEqual([studyUID(2)])
    expect(await found({ search: 'phantom' })).toEqual([studyUID(1)])
    expect(await found({ search: 'p2' })).toEqual([studyUID(2)])
    expect(await found({ search: studyUID(2) })).toEqual([studyUID(2)])
    expect(await found({ search: '%_' })).toEqual([studyUID(2)])
    expect(await found({ search: '_1' })).toEqual([])
    const second = await listStudies(store.database, { limit: 1, offset: 1 })
    expect(second).toMatchObject({ total: 2, studies: { length: 1 } })
  })

  it('says why a study failed', async () => {
    await index({ study: 1, series: 1, instance: 1 })
    const revisionId = await addRevision(store.database, await studyId())
    await queue.enqueue({
      id: 'a',
      kind: 'infer',
      studyId: await studyId(),
      revisionId,
      route: 'lung',
      pipeline: null,
      destination: null,
      priority: 0,
      payload: null,
    })
    const job = await queue.claim('infer')
    if (job) await queue.end(job, { kind: 'failed', reason: 'no memory' })
    const { studies } = await listStudies(store.database, { limit: 10, offset: 0, state: 'failed' })
    expect(studies).toMatchObject([{ state: 'failed', remark: 'no memory' }])
  })
})
