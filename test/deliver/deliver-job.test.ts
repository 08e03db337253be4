import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Knex } from 'knex'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDeliverHandler } from '../../src/deliver/deliver-job.ts'
import { createDestinations, type Destinations } from '../../src/deliver/destinations.ts'
import type { Job, JobEnd } from '../../src/jobs/job.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/log.ts'
import { migrate, openDatabase } from '../../src/store/database.ts'
import { DiskObjects } from '../../src/store/disk-objects.ts'
import { Archive, json, storeAnswer } from './archive.ts'
import { writeSmallObject } from './small-object.ts'

let dataDir: string
let database: Knex
let archive: Archive
let destinations: Destinations
let queue: JobQueue
let now = new Date('2026-01-01T10:00:00.000Z')

beforeEach(async () => {
  now = new Date('2026-01-01T10:00:00.000Z')
  dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-job-'))
  database = await openDatabase({ url: '', dataDir, log: silentLog })
  await migrate(database)
  archive = new Archive()
  const url = await archive.start()
  destinations = createDestinations({ pacs: { url } }, { url, token: 't' })
  queue = new JobQueue({ database, now: () => now })
  await seed(2)
})

afterEach(async () => {
  await destinations.close()
  await archive.stop()
  await database.destroy()
  rmSync(dataDir, { recursive: true, force: true })
})

/** A study with an inference that left some result objects, and a delivery to `pacs` that is queued. */
async function seed(results: number, destination = 'pacs'): Promise<void> {
  const at = now.toISOString()
  const study = {
    state: 'processing',
    revision: 1,
    changed: 0,
    header: '{}',
    last_instance_at: at,
    created_at: at,
    updated_at: at,
  }
  await database('studies').insert({ ...study, id: 1, study_instance_uid: '2.25.31415926535.1' })
  await database('revisions').insert({
    id: 1,
    study_id: 1,
    number: 1,
    completed_at: at,
    reason: 'quiet',
    instances: 1,
    members: '{}',
    routed: 1,
  })
  await queue.enqueue({
    id: 'infer-1',
    kind: 'infer',
    studyId: 1,
    revisionId: 1,
    route: 'r',
    pipeline: 'p@sha256:0',
    destination: null,
    priority: 0,
    payload: {},
  })
  mkdirSync(path.join(dataDir, 'results'))
  for (let number = 1; number <= results; number++) {
    const object = writeSmallObject(path.join(dataDir, 'results'), { number })
    await database('results').insert({
      job_id: 'infer-1',
      study_id: 1,
      revision_id: 1,
      pipeline: 'p@sha256:0',
      role: `role-${number}`,
      sop_instance_uid: object.sopInstanceUID,
      sop_class_uid: '1.2.840.10008.5.1.4.1.1.7',
      series_instance_uid: object.seriesInstanceUID,
      modality: 'OT',
      object_key: `results/${number}.dcm`,
      size: 1,
      sha256: '0',
      created_at: at,
    })
  }
  const payload = { destination, inferJobId: 'infer-1' }
  await queue.enqueue({
    id: 'deliver-1',
    kind: 'deliver',
    studyId: 1,
    revisionId: 1,
    route: 'r',
    pipeline: null,
    destination,
    priority: 0,
    payload,
  })
}

/** One attempt, as the runner makes it. */
async function attempt(): Promise<{ job: Job; end: JobEnd }> {
  const job = await queue.claim('deliver')
  if (!job) throw new Error('no delivery is due')
  const objects = new DiskObjects(dataDir)
  const handler = createDeliverHandler({
    database,
    objects,
    destinations,
    log: silentLog,
    now: () => now,
    random: () => 1,
    proofPauses: [0],
  })
  const end = await handler(job, new AbortController().signal)
  await queue.end(job, end)
  return { job, end }
}

function deliveries() {
  return database('deliveries').orderBy('result_id').select('state', 'proof', 'error')
}

describe('a delivery job', () => {
  it('delivers what awaits it, though a later inference of another route wrote the same objects again', async () => {
    const rows = await database('results').select('id')
    for (const { id } of rows)
      await database('deliveries').insert({
        result_id: id,
        job_id: 'deliver-1',
        destination: 'pacs',
        state: 'pending',
        updated_at: now.toISOString(),
      })
    await queue.enqueue({
      id: 'infer-2',
      kind: 'infer',
      studyId: 1,
      revisionId: 1,
      route: 'other',
      pipeline: 'p@sha256:0',
      destination: null,
      priority: 0,
      payload: {},
    })
    await database('results').update({ job_id: 'infer-2' })
    const { end } = await attempt()
    expect(end.kind).toBe('done')
    expect((await deliveries()).map((row) => row.state)).toEqual(['verified', 'verified'])
  })

  it('ends done with every delivery verified by a proof', async () => {
    const { end } = await attempt()
    expect(end.kind).toBe('done')
    const rows = await deliveries()
    expect(rows).toHaveLength(2)
    for (const row of rows)
      expect(row).toMatchObject({
        state: 'verified',
        error: null,
        proof: expect.stringContaining('identical data set'),
      })
    expect(await database('studies').first('state')).toEqual({ state: 'processing' }) // the inference has not ended
  })

  it('goes back to the queue after a transient failure, and delivers when the server is back', async () => {
    archive.onStore = (_uids, res) => {
      res.writeHead(503).end()
      return true
    }
    const first = await attempt()
    expect(first.end).toMatchObject({ kind: 'retry', runAfter: '2026-01-01T10:00:05.000Z' })
    expect(await deliveries()).toMatchObject([
      { state: 'pending' },
      { state: 'pending', error: expect.stringContaining('HTTP 503') },
    ])

    archive.onStore = null
    now = new Date('2026-01-01T10:00:05.000Z')
    expect((await attempt()).end.kind).toBe('done')
    expect(await deliveries()).toMatchObject([{ state: 'verified' }, { state: 'verified', error: null }])
  })

  it('sends only what is not verified yet when it is repeated', async () => {
    archive.onStore = (uids, res) => {
      if (uids.length === 1) return false
      json(
        res,
        202,
        storeAnswer(
          [],
          uids.map((uid) => ({ uid, reason: 0xa700 })),
        ),
      )
      return true
    }
    await attempt()
    const stored = await database('results').orderBy('id').first('sop_instance_uid')
    await database('deliveries').where({ result_id: 1 }).update({ state: 'verified', proof: 'as seen before' })
    now = new Date('2026-01-01T10:00:30.000Z')
    expect((await attempt()).end.kind).toBe('done')
    expect(archive.objects.has(stored.sop_instance_uid)).toBe(false)
    expect(await deliveries()).toMatchObject([{ state: 'verified', proof: 'as seen before' }, { state: 'verified' }])
  })

  it('fails at once with a permanent error, and starts anew when an operator says so', async () => {
    archive.onStore = (_uids, res) => {
      res.writeHead(401).end()
      return true
    }
    expect((await attempt()).end).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('2 of 2 objects not verified'),
    })
    expect(await deliveries()).toMatchObject([{ state: 'failed' }, { state: 'failed' }])

    await queue.retry('deliver-1', 'user:admin')
    archive.onStore = null
    expect((await attempt()).end.kind).toBe('done')
  })

  it('keeps an accepted object that cannot be proven as sent, never as verified', async () => {
    archive.onStore = (uids, res) => {
      json(res, 200, storeAnswer(uids, []))
      return true
    }
    expect((await attempt()).end.kind).toBe('retry')
    expect(await deliveries()).toMatchObject([
      { state: 'sent', proof: null },
      { state: 'sent', error: 'accepted by STOW-RS, but not listed by QIDO-RS' },
    ])
  })

  it('gives up after its attempts, and has all of them again after an operator queued it', async () => {
    archive.onStore = (_uids, res) => {
      res.writeHead(503).end()
      return true
    }
    const ends: string[] = []
    for (let i = 0; i < 12; i++) {
      ends.push((await attempt()).end.kind)
      now = new Date(now.getTime() + 3_600_000)
    }
    expect(ends).toEqual([...Array<string>(11).fill('retry'), 'failed'])
    await queue.retry('deliver-1', 'user:admin')
    expect((await attempt()).end.kind).toBe('retry')
  })

  it('fails with a reason where the destination is not configured, or the object is gone', async () => {
    rmSync(path.join(dataDir, 'results', '1.dcm'))
    expect((await attempt()).end).toMatchObject({ kind: 'failed', reason: expect.stringContaining('results/1.dcm') })
    await database('jobs')
      .where({ id: 'deliver-1' })
      .update({ state: 'queued', payload: JSON.stringify({ destination: 'gone', resultIds: [1, 2] }) })
    expect((await attempt()).end).toMatchObject({ kind: 'failed', reason: 'the destination gone is not configured' })
    expect(await database('deliveries').where({ destination: 'gone' }).select('state')).toEqual([
      { state: 'failed' },
      { state: 'failed' },
    ])
  })
})
