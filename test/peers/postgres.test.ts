import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Assembler } from '../../src/assemble/assembler.ts'
import { silentLog } from '../../src/log.ts'
import { insertQuarantined } from '../../src/receive/quarantine-queries.ts'
import { databaseVersion, migrate } from '../../src/store/database.ts'
import { listQuarantined } from '../../src/store/quarantine-list.ts'
import { listStudies } from '../../src/store/study-list.ts'
import { studyTimeline } from '../../src/store/timeline.ts'
import { accountsCases } from '../admin/accounts-cases.ts'
import { auditCases } from '../admin/audit-cases.ts'
import { archiveCases } from '../assemble/archive-cases.ts'
import { completenessCases } from '../assemble/completeness-cases.ts'
import { commitmentsCases } from '../flow/commitments-cases.ts'
import { governanceCases } from '../flow/governance-cases.ts'
import { nodeControlCases } from '../flow/node-control-cases.ts'
import { remotesCases } from '../flow/remotes-cases.ts'
import { retentionCases } from '../flow/retention-cases.ts'
import { routeCases } from '../flow/route-cases.ts'
import { schedulesCases } from '../flow/schedules-cases.ts'
import { standingCases } from '../flow/standing-cases.ts'
import { queueCases } from '../jobs/queue-cases.ts'
import { notifyCases } from '../notify/notify-cases.ts'
import { indexerCases } from '../receive/indexer-cases.ts'
import { feedbackCases } from '../store/feedback-cases.ts'
import { insightsCases } from '../store/insights/insights-cases.ts'
import { routeActivityCases } from '../store/route-activity-cases.ts'
import { type PostgresCluster, postgresPrograms, startPostgres } from '../support/postgres.ts'
import { receiveSmall, studyUID } from '../support/small-instance.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'
import { findCases } from '../view/find-cases.ts'
import { searchCases } from '../view/search-cases.ts'

const programs = postgresPrograms()

it.runIf(programs === null)('needs PostgreSQL', ({ skip }) => {
  expect(process.env.CI, 'PostgreSQL (initdb) is not installed').not.toBe('true')
  skip('PostgreSQL (initdb) is not installed')
})

describe.skipIf(programs === null)('on PostgreSQL', () => {
  let cluster: PostgresCluster
  const stores: TemporaryStore[] = []

  beforeAll(async () => {
    cluster = await startPostgres(programs ?? '')
  })
  afterAll(() => cluster?.dispose())
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.dispose()
  })

  /** The one database, emptied. */
  async function open(): Promise<TemporaryStore> {
    const store = await temporaryStore(cluster.url)
    stores.push(store)
    await store.database.raw(
      'truncate studies, quarantine, refused_callers, remotes, remote_days, deletions, completion_hints, routes, route_drafts, route_activations, route_calendar, commitments, pipelines, pauses, idempotency_keys, destinations, destination_tests, disabled_pipelines, peer_certificates, feedback, insight_runs, drift_evaluations, audit, audit_outlets, users, tokens, notification_targets, notification_subscriptions, notification_events, schedules, schedule_runs restart identity cascade',
    )
    await store.database('insight_state').update({ filled: 1, filled_after: '' })
    await store.database('audit_head').update({ sequence: 0, hash: '0'.repeat(64) })
    return { ...store, dispose: async () => {} }
  }

  it('migrates once, and knows its version', async () => {
    const { database } = await open()
    await migrate(database)
    expect(await databaseVersion(database)).toMatch(/^\d{3}-/)
  })

  describe('the indexer', () => indexerCases(open))
  describe('the job queue', () => queueCases(open))
  describe('the remotes', () => remotesCases(open))
  describe('what the pages ask of the database', () => nodeControlCases(open))
  describe('versions of a pipeline', () => governanceCases(open))
  describe('feedback on a result', () => feedbackCases(open))
  describe('what routes matched in the last days', () => routeActivityCases(open))
  describe('notifications', () => notifyCases(open))
  describe('what runs by schedule', () => schedulesCases(open))
  describe('insights', () => insightsCases(open))
  describe('retention', () => retentionCases(open))
  describe('the chain of the audit', () => auditCases(open))
  describe('users, tokens and sessions', () => accountsCases(open))
  describe('searches', () => searchCases(open))
  describe('the index, asked by DIMSE', () => findCases(open))
  describe('storage commitments', () => commitmentsCases(open))
  describe('routes in the database', () => routeCases(open))
  describe('results of an earlier revision', () => standingCases(open))
  describe('completion by what is known', () => completenessCases(open))
  describe('completion by what archives count', () => archiveCases(open))

  it('takes the same instances from two nodes at once, and counts each once', async () => {
    const [one, two] = [await open(), await open()]
    const batch = Array.from({ length: 40 }, (_, i) => ({ study: 1 + (i % 3), series: 1, instance: i + 1 }))
    const sent = [one, two].map((store) => batch.map((small) => receiveSmall(store.incoming, small)))
    await Promise.all([one.indexer.index(sent[0] ?? []), two.indexer.index(sent[1] ?? [])])
    const counts = await one.database('studies').sum('source_instances as n')
    expect(counts[0]?.n).toBe(40)
    expect(await one.database('instances').pluck('id')).toHaveLength(40)
  })

  it('completes, lists and tells a study, with numbers as numbers', async () => {
    const { database, indexer, incoming } = await open()
    await indexer.index([receiveSmall(incoming, { study: 1, series: 1, instance: 1 })])
    const assembler = new Assembler({
      database,
      log: silentLog,
      settings: { quietSeconds: 20, releaseSeconds: 5 },
      onRevision: async () => {},
    })
    expect(await assembler.completeNow(studyUID(1), 'ada')).toMatchObject({ number: 1, instances: 1 })
    expect(await studyTimeline(database, studyUID(1))).toMatchObject({
      state: 'complete',
      instances: 1,
      completion: { reason: 'completed by ada' },
    })
    expect(await listStudies(database, { limit: 5, offset: 0, search: 'PHANTOM' })).toMatchObject({
      total: 1,
      studies: [{ instances: 1, modalities: ['CT'] }],
    })
    expect(typeof (await database('instances').first('size')).size).toBe('number')
  })

  it('keeps quarantine', async () => {
    const { database } = await open()
    const sender = { callingAETitle: 'CT1', calledAETitle: 'HILUM', address: '10.0.0.5' }
    const at = '2026-11-21T12:00:00.000Z'
    for (let i = 0; i < 2; i++) {
      await insertQuarantined(database, {
        file: 'a.dcm',
        at,
        size: 2 ** 33,
        code: 'x',
        reason: 'nul \0 inside',
        via: 'c-store',
        sender,
        sopClassUID: null,
        sopInstanceUID: null,
        transferSyntaxUID: null,
      })
    }
    expect(await listQuarantined(database, { limit: 5, offset: 0 })).toMatchObject({
      total: 1,
      objects: [{ size: 2 ** 33 }],
    })
  })
})
