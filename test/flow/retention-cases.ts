import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Knex } from 'knex'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { completeStudy } from '../../src/assemble/complete-study.ts'
import { Retention, type RetentionOptions } from '../../src/flow/retention.ts'
import type { RetentionRule } from '../../src/flow/retention-verdict.ts'
import { silentLog } from '../../src/log.ts'
import { deletionsOf, removeDeletedObjects } from '../../src/store/delete-study.ts'
import { studyTimeline } from '../../src/store/timeline.ts'
import { addRevision } from '../receive/index-contents.ts'
import { instanceUID, receiveSmall, studyUID } from '../support/small-instance.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'
import { MemoryDestination } from './memory-destination.ts'

const rule: RetentionRule = {
  name: 'half-a-year',
  schedule: '30 2 * * *',
  olderThanDays: 180,
  states: ['done'],
  verifiedAt: ['pacs'],
  storedAt: ['pacs'],
  belowFree: 0,
}
const old = '2026-01-01T12:00:00.000Z'
const now = new Date('2026-11-21T12:00:00.000Z')

/** What retention has to do on every database. */
export function retentionCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let database: Knex
  let pacs: MemoryDestination
  let free = 0

  beforeEach(async () => {
    store = await open()
    database = store.database
    pacs = new MemoryDestination()
    free = 0
  })
  afterEach(() => store.dispose())

  const make = (changes: Partial<RetentionRule> = {}, options: Partial<RetentionOptions> = {}) =>
    new Retention({
      rules: [{ ...rule, ...changes }],
      database,
      objects: store.objects,
      destinations: { get: (name) => (name === 'pacs' ? pacs : undefined) },
      own: { host: '0.0.0.0', port: 8080 },
      free: () => free,
      log: silentLog,
      now: () => now,
      ...options,
    })
  const run = async (retention: Retention, dryRun = false) =>
    (await retention.run({ dryRun, actor: 'anna' }))[0] ?? expect.fail('no run')

  /** Files of the objects store and of the results. */
  const files = () =>
    ['objects', 'results', 'incoming']
      .filter((name) => existsSync(path.join(store.dataDir, name)))
      .flatMap((name) => readdirSync(path.join(store.dataDir, name), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
  const rowsLeft = async () => {
    const tables = ['studies', 'series', 'instances', 'replaced_instances', 'arrivals', 'revisions', 'jobs', 'results']
    const counts = await Promise.all(
      [...tables, 'deliveries', 'study_events', 'deleted_objects'].map((table) =>
        database(table).count({ n: '*' }).first(),
      ),
    )
    return counts.reduce((sum, row) => sum + Number(row?.n), 0)
  }

  /** A study that is done: three instances, which the PACS holds. */
  async function addStudy(study: number, at = old): Promise<number> {
    const received = [1, 2, 3].map((n) =>
      receiveSmall(store.incoming, { study, series: study, instance: study * 10 + n, at, association: `a${study}` }),
    )
    await store.indexer.index(received)
    for (const { sopInstanceUID } of received) pacs.held.set(sopInstanceUID, '')
    const { id } = await database('studies')
      .where({ study_instance_uid: studyUID(study) })
      .first('id')
    await addRevision(database, id)
    await database('studies').where({ id }).update({ state: 'done' })
    return id
  }

  /** A result of a study, delivered to the PACS in a state. */
  async function addResult(studyId: number): Promise<string> {
    const uid = '2.25.771'
    const key = `results/${uid}-0123456789ab.dcm`
    const kept = path.join(store.dataDir, key)
    mkdirSync(path.dirname(kept), { recursive: true })
    const { object_key } = await database('instances').where({ study_id: studyId }).first('object_key')
    copyFileSync(await store.objects.pathOf(object_key), kept)
    pacs.held.set(uid, kept)
    const revision = await database('revisions').where({ study_id: studyId }).first('id')
    const times = { run_after: old, created_at: old }
    const job = { study_id: studyId, revision_id: revision.id, state: 'done', payload: '{}', ...times }
    await database('jobs').insert({ ...job, id: `infer-${studyId}`, kind: 'infer' })
    const [result] = await database('results')
      .insert({
        job_id: `infer-${studyId}`,
        study_id: studyId,
        revision_id: revision.id,
        pipeline: 'p@sha256:0',
        role: 'segmentation',
        sop_instance_uid: uid,
        sop_class_uid: '1.2.3',
        series_instance_uid: `${uid}.1`,
        modality: 'SEG',
        object_key: key,
        size: 1000,
        sha256: '0'.repeat(64),
        created_at: old,
      })
      .returning('id')
    await database('deliveries').insert({
      result_id: result.id,
      job_id: `infer-${studyId}`,
      destination: 'pacs',
      state: 'verified',
      updated_at: old,
    })
    return key
  }

  it('deletes what is proven to be elsewhere, and leaves a note of it', async () => {
    const id = await addStudy(1)
    await addResult(id)
    // An instance that came again with other bytes: the older is kept aside, and goes too.
    const again = { study: 1, series: 1, instance: 11, content: 'other', at: old, association: 'a1' }
    await store.indexer.index([receiveSmall(store.incoming, again)])
    await database('studies').where({ id }).update({ changed: 0, state: 'done' })
    const newest = await database('instances')
      .where({ sop_instance_uid: instanceUID(11) })
      .first('object_key')
    copyFileSync(await store.objects.pathOf(newest.object_key), path.join(store.dataDir, 'in-the-archive'))
    pacs.held.set(instanceUID(11), path.join(store.dataDir, 'in-the-archive'))
    expect(files()).toHaveLength(5)
    const told: string[] = []
    const retention = make({}, { onDeleted: ({ studyInstanceUID }) => told.push(studyInstanceUID) })
    const done = await run(retention)
    expect(done).toMatchObject({ studies: 1, deleted: 1, stopped: null, dryRun: false })
    expect([files(), await rowsLeft(), told]).toEqual([[], 0, [studyUID(1)]])
    const [deletion] = await deletionsOf(database, studyUID(1))
    expect(deletion).toMatchObject({ instances: 3, results: 1, bytes: done.bytes, rule: rule.name, actor: 'anna' })
    const proofs = ['3 instances listed by pacs', '1 instance that had replaced others read back from pacs']
    expect(deletion?.proof).toBe(`${proofs.join('; ')}; 1 result read back from pacs (${now.toISOString()})`)
    const audit = await database('audit').orderBy('id', 'desc').first('action', 'subject', 'actor', 'outcome')
    expect(audit).toEqual({ action: 'study-delete', subject: studyUID(1), actor: 'anna', outcome: 'success' })
    expect(retention.status()[0]).toMatchObject({ lastRun: { deleted: 1 }, nextRun: null })
  })

  it('deletes what only a shadow route found with its study: it was delivered nowhere', async () => {
    const id = await addStudy(1)
    await addResult(id)
    const { id: _, ...delivered } = await database('results').first()
    const { id: job, ...inference } = await database('jobs').first()
    await database('jobs').insert({ ...inference, id: `${job}-shadow`, shadow: 1 })
    const uid = '2.25.772'
    await database('results').insert({
      ...delivered,
      job_id: `${job}-shadow`,
      sop_instance_uid: uid,
      object_key: 'results/shadow.dcm',
    })
    writeFileSync(path.join(store.dataDir, 'results', 'shadow.dcm'), 'x')
    expect(await run(make())).toMatchObject({ deleted: 1 })
    expect([files(), await rowsLeft()]).toEqual([[], 0])
    const [deletion] = await deletionsOf(database, studyUID(1))
    expect(deletion?.proof).toContain('; 1 result read back from pacs')
  })

  it('takes a study that comes again as a new one, and deletes it again', async () => {
    await addStudy(1)
    await run(make())
    await addStudy(1)
    expect(files()).toHaveLength(3)
    expect(await run(make())).toMatchObject({ deleted: 1 })
    expect(await deletionsOf(database, studyUID(1))).toHaveLength(2)
  })

  it('goes on with the revisions where a study comes again with other instances, and never takes a number twice', async () => {
    const complete = async () => {
      const { id } = await database('studies').first('id')
      const reasonFor = () => 'for a test'
      const completion = await completeStudy(database, { studyId: id, now: old, reasonFor })
      await database('studies').where({ id }).update({ state: 'done' })
      return completion.kind === 'revision' ? completion.revision.number : completion.kind
    }
    const receive = (...instances: number[]) =>
      store.indexer.index(
        instances.map((instance) => {
          const small = receiveSmall(store.incoming, { study: 1, series: 1, instance, at: old, association: 'again' })
          pacs.held.set(small.sopInstanceUID, '')
          return small
        }),
      )
    await receive(11, 12)
    expect(await complete()).toBe(1)
    await receive(13)
    expect(await complete()).toBe(2)
    expect(await run(make())).toMatchObject({ deleted: 1 })
    // The very same study: its results are the same objects again.
    await receive(13, 12, 11)
    expect(await complete()).toBe(2)
    expect(await run(make())).toMatchObject({ deleted: 1 })
    // A late instance alone: its results must not take the place of those that the archive holds of all.
    await receive(14)
    expect(await complete()).toBe(3)
    const timeline = await studyTimeline(database, studyUID(1))
    expect(timeline?.events.map(({ kind }) => kind)).toEqual(['deleted', 'deleted'])
    expect(timeline?.events[0]?.sentence).toContain('with 3 source instances: 3 instances listed by pacs')
  })

  describe('keeps a study', () => {
    const spoil: [string, (id: number) => unknown, RegExp, Partial<RetentionRule>?][] = [
      ['that is being received', (id) => database('studies').where({ id }).update({ changed: 1 }), /being received/],
      ['in another state', (id) => database('studies').where({ id }).update({ state: 'failed' }), /state is failed/],
      [
        'with a job that waits',
        (id) => database('jobs').where({ study_id: id }).update({ state: 'queued' }),
        /1 of its jobs are queued or running/,
      ],
      [
        'with a delivery that failed',
        () => database('deliveries').update({ state: 'failed' }),
        /delivery to pacs is failed/,
      ],
      [
        'with a result that was never delivered there',
        () => database('deliveries').update({ destination: 'self' }),
        /never delivered to pacs/,
      ],
      ['whose result is no longer there', () => pacs.held.delete('2.25.771'), /not listed by QIDO-RS/],
      [
        'whose result is another one there',
        async () => {
          const other = await database('instances')
            .where({ sop_instance_uid: instanceUID(12) })
            .first('object_key')
          pacs.held.set('2.25.771', await store.objects.pathOf(other.object_key))
        },
        /SOPInstanceUID differ/,
      ],
      [
        'of which an instance is missing there',
        () => pacs.held.delete(instanceUID(12)),
        /does not list 1 of 3 instances/,
      ],
      [
        'of which an instance was replaced, and is there as it was before',
        async (id) => {
          const older = await database('instances')
            .where({ sop_instance_uid: instanceUID(12) })
            .first('object_key')
          pacs.held.set(instanceUID(12), await store.objects.pathOf(older.object_key))
          const again = { study: 1, series: 1, instance: 12, content: 'other', at: old, association: 'a1' }
          await store.indexer.index([receiveSmall(store.incoming, again)])
          await database('studies').where({ id }).update({ changed: 0, state: 'done' })
        },
        /12, which has replaced another: .* the server changed the data set/,
      ],
      [
        'while the archive does not answer',
        () => (pacs.failure = new Error('ECONNREFUSED')),
        /pacs cannot be asked: ECON/,
      ],
      ['when no proof of its instances is asked for', () => {}, /the rule names no storedAt/, { storedAt: [] }],
      ['when no proof of its results is asked for', () => {}, /the rule names no verifiedAt/, { verifiedAt: [] }],
      ['when the node itself is the proof', () => {}, /self is no destination/, { storedAt: ['self'] }],
      [
        'when the proof is the node itself under another name',
        () => (pacs.url = 'http://localhost:8080/dicomweb'),
        /pacs is this node itself/,
      ],
      ['when there is enough space', () => (free = 100), /100 bytes are free/, { belowFree: 100 }],
      [
        'that is not old enough',
        (id) => database('studies').where({ id }).update({ last_instance_at: '2026-10-01' }),
        /^$/,
      ],
    ]

    it.each(spoil)('%s', async (_, act, reason, changes = {}) => {
      const id = await addStudy(1)
      await addResult(id)
      await act(id)
      const before = files().length
      const done = await run(make(changes))
      expect(done.deleted).toBe(0)
      expect(done.stopped ?? done.outcomes[0]?.reason ?? '').toMatch(reason)
      expect(files()).toHaveLength(before)
    })

    it('that changes while the archive is asked', async () => {
      const id = await addStudy(1)
      const arrived: Promise<number>[] = []
      const retention = make(
        {},
        {
          destinations: {
            get: () => {
              arrived.push(Promise.resolve(database('studies').where({ id }).update({ changed: 1 })))
              return pacs
            },
          },
        },
      )
      const kept = { deleted: false, reason: expect.stringContaining('changed while') }
      expect(await run(retention)).toMatchObject({ deleted: 0, outcomes: [kept] })
      expect(await Promise.all(arrived)).toEqual([1])
      expect(await database('studies').pluck('id')).toEqual([id])
    })
  })

  it('only says what it would do in a dry run', async () => {
    await addStudy(1)
    await addStudy(2)
    await addStudy(3, '2026-11-01T00:00:00.000Z')
    pacs.held.delete(instanceUID(21))
    const would = await run(make(), true)
    expect(would.outcomes).toEqual([
      { studyInstanceUID: studyUID(1), deleted: true, reason: expect.stringContaining('3 instances listed by pacs') },
      { studyInstanceUID: studyUID(2), deleted: false, reason: 'pacs does not list 1 of 3 instances' },
    ])
    expect(would).toMatchObject({ dryRun: true, studies: 2, deleted: 1 })
    expect(await database('studies').pluck('id')).toHaveLength(3)
    expect(await database('deletions').pluck('id')).toEqual([])
    const { asked } = pacs
    const [preview] = await make().run({ dryRun: true, ask: false, limit: 1, actor: 'anna' })
    expect(preview).toMatchObject({ deleted: 1, stopped: 'only 1 studies were looked at' })
    expect(pacs.asked).toBe(asked)
  })

  it('deletes the oldest first, and no more than the space needs', async () => {
    await addStudy(1, '2026-02-01T00:00:00.000Z')
    await addStudy(2, '2026-01-01T00:00:00.000Z')
    const retention = make({ belowFree: 100 }, { onDeleted: () => (free = 100) })
    expect(await run(retention)).toMatchObject({ deleted: 1, outcomes: [{ studyInstanceUID: studyUID(2) }] })
    expect(await database('studies').pluck('study_instance_uid')).toEqual([studyUID(1)])
  })

  it('asks an archive that does not answer three times, and then no more', async () => {
    for (let study = 1; study <= 6; study++) await addStudy(study)
    pacs.failure = new Error('ECONNREFUSED')
    expect(await run(make())).toMatchObject({ studies: 6, deleted: 0 })
    expect(pacs.asked).toBe(3)
  })

  it('removes the files that a crash left behind, and none that belongs to a study that is here again', async () => {
    const key = await addResult(await addStudy(1))
    let crashed = true
    const objects = {
      pathOf: (one: string) => store.objects.pathOf(one),
      remove: async (one: string) => {
        if (crashed) throw new Error('EIO')
        await store.objects.remove(one)
      },
    }
    expect(await run(make({}, { objects }))).toMatchObject({ deleted: 1 })
    expect(files()).toHaveLength(4)
    crashed = false
    // The study comes again, with the same result, whose file has the same name.
    await addResult(await addStudy(1))
    await database('jobs').update({ state: 'running' })
    await database('results').update({ object_key: 'results/not-yet.dcm' })
    expect(await removeDeletedObjects(database, objects, silentLog)).toEqual({ removed: 3, left: 1 })
    await database('jobs').update({ state: 'done' })
    await database('results').update({ object_key: key })
    expect(await removeDeletedObjects(database, objects, silentLog)).toEqual({ removed: 1, left: 0 })
    expect(existsSync(path.join(store.dataDir, key))).toBe(true)
    expect(files()).toHaveLength(4)
  })

  it('refuses a rule that is none', async () => {
    await expect(make().run({ rule: 'other', dryRun: true, actor: 'anna' })).rejects.toMatchObject({
      code: 'rule-unknown',
    })
  })
}
