import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Idempotency } from '../../src/admin/idempotency.ts'
import { createDestinations } from '../../src/deliver/destinations.ts'
import { searchKey } from '../../src/dicom/search-key.ts'
import { ManagedDestinations } from '../../src/flow/managed-destinations.ts'
import { pipelineStatistics } from '../../src/flow/pipeline-statistics.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/log.ts'
import { DayFigures, figuresOf } from '../../src/store/day-figures.ts'
import { deliveryHealth } from '../../src/store/delivery-health.ts'
import { SecretBox } from '../../src/store/secret-box.ts'
import { findingNames, listStudies } from '../../src/store/study-list.ts'
import { seedStudies, studies } from '../admin/seed.ts'
import type { TemporaryStore } from '../support/temporary-store.ts'

const base = Date.parse('2026-11-21T12:00:00.000Z')
const ofFile = {
  pacs: { kind: 'stow-rs', url: 'https://pacs.example/dicom-web', auth: { kind: 'none' }, headers: {}, timeout: 60 },
}

/** What the pages ask of the database, on any. `open` gives the store that this test uses; somebody else disposes of it. */
export function nodeControlCases(open: () => Promise<TemporaryStore>): void {
  let store: TemporaryStore
  let server: Server | null = null
  beforeEach(async () => {
    store = await open()
    await seedStudies(store.database, base)
    for (const { uid, patient } of studies)
      await store
        .database('studies')
        .where({ study_instance_uid: uid })
        .update({ patient_name_key: searchKey(patient[0]) })
  })
  afterEach(() => {
    server?.close()
    server = null
  })

  const found = async (query: Partial<Parameters<typeof listStudies>[1]>) =>
    (await listStudies(store.database, { limit: 50, offset: 0, ...query })).studies.map(({ studyInstanceUID }) =>
      studies.findIndex(({ uid }) => uid === studyInstanceUID),
    )

  it('finds studies by patient, accession, date, modality, state and finding', async () => {
    expect(await found({ patient: 'yamada tarou' })).toEqual([2])
    expect(await found({ patient: '山田' })).toEqual([2])
    expect(await found({ patient: '4711' })).toEqual([0])
    expect(await found({ patient: '%' })).toEqual([])
    expect(await found({ accession: 'ACC-9002' })).toEqual([1])
    expect((await found({ accession: 'ACC-900*' })).length).toBe(7)
    expect(await found({ modality: 'MR', from: '20260114', to: '20260114' })).toEqual([5])
    expect(await found({ from: '20260115' })).toEqual([])
    expect(await found({ state: 'failed', modality: 'CT', sort: 'arrived' })).toEqual([7, 6])
    expect((await found({ finding: 'LAA-950', is: 'gt', value: 7 })).length).toBe(3)
    expect(await found({ finding: 'LAA-950', is: 'gt', value: 7.43 })).toEqual([])
    expect(await found({ finding: 'laa-950' })).toEqual([])
    expect((await findingNames(store.database)).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['LAA-950', 'Lung volume', 'Mean lung density', '15th percentile density']),
    )
    expect((await findingNames(store.database)).length).toBe(4)
  })

  it('counts a quarter of an hour, with the latency from the last instance to the last delivery', async () => {
    const { database } = store
    const at = (minutes: number) => new Date(base + minutes * 60_000).toISOString()
    const figures = await figuresOf(database, at(0), at(15), 12)
    expect(figures).toMatchObject({ studies: 8, instances: 1268, delivered: 2, failed: 2, late: 2 })
    expect(figures.latencyMedian).toBe(13)
    const day = new DayFigures(database, 12)
    expect(await day.since(base, base + 40 * 60_000)).toMatchObject([{ studies: 8 }, { studies: 0 }, { studies: 0 }])
    await database('studies').update({ last_instance_at: at(31) })
    // Quarters that are over are not asked about again.
    expect(await day.since(base, base + 41 * 60_000)).toMatchObject([{ studies: 8 }, { studies: 0 }, { studies: 8 }])
  })

  it('tells how a destination did lately', async () => {
    expect(await deliveryHealth(store.database, 'pacs')).toMatchObject({
      lastSuccessAt: null,
      lastError: 'STOW-RS was answered with HTTP 401 (the credentials are missing or wrong)',
      failed: 3,
      pending: 0,
    })
    expect(await deliveryHealth(store.database, 'self')).toMatchObject({ lastError: null, failed: 0 })
  })

  it('says what a pipeline did', async () => {
    const [statistics] = await pipelineStatistics(store.database, 'ct-lung-density', '2026-01-01T00:00:00.000Z')
    expect(statistics).toMatchObject({
      runs: 6,
      done: 4,
      failed: 1,
      refused: 1,
      duration: { median: 4.12 },
      agreement: null,
    })
    expect(await pipelineStatistics(store.database, 'ct', '2026-01-01T00:00:00.000Z')).toEqual([])
  })

  it('keeps an answer for its key', async () => {
    const idempotency = new Idempotency({ knex: store.database, box: new SecretBox(store.dataDir) })
    let done = 0
    const request = { actor: 'a', operation: 'POST /x', key: 'k', body: { a: 1 } }
    const act = async () => ({ status: 201, body: { done: ++done } })
    expect(await idempotency.once(request, act)).toEqual({ status: 201, body: { done: 1 }, replayed: false })
    expect(await idempotency.once(request, act)).toEqual({ status: 201, body: { done: 1 }, replayed: true })
    await expect(idempotency.once({ ...request, body: {} }, act)).rejects.toMatchObject({ status: 422 })
    expect((await idempotency.once({ ...request, actor: 'b' }, act)).body).toEqual({ done: 2 })
  })

  it('keeps destinations with sealed secrets, which it gives to nobody but the destination', async () => {
    const seen: (string | undefined)[] = []
    server = createServer((req, res) => {
      seen.push(req.headers.authorization)
      const isSearch = req.method === 'GET'
      res.statusCode = req.headers.authorization === 'Bearer s3cr3t-token' ? (isSearch ? 200 : 400) : 401
      res.setHeader('content-type', 'application/dicom+json')
      res.end(isSearch ? '[]' : '')
    })
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dicom-web`
    const destinations = createDestinations({}, { url, token: 'own' })
    const config = { dataDir: store.dataDir, destinations: { self: { kind: 'self' as const }, ...ofFile } } as never
    const managed = () =>
      new ManagedDestinations({
        config,
        database: store.database,
        destinations,
        self: { url, token: 'own' },
        box: new SecretBox(store.dataDir),
        log: silentLog,
      })
    const one = managed()
    const input = { kind: 'stow-rs' as const, url, headers: {}, tls: null, timeout: 5 }
    const bearer = (token: string | { keep: true } | { env: string } | { file: string }) => ({
      ...input,
      auth: { kind: 'bearer' as const, token },
    })
    await one.add('archive', bearer('s3cr3t-token'), 'ann')
    await expect(one.add('archive', bearer('x'), 'ann')).rejects.toMatchObject({ code: 'destination-exists' })
    await expect(one.add('pacs', bearer('x'), 'ann')).rejects.toMatchObject({ code: 'destination-in-file' })
    expect(destinations.names()).toContain('archive')
    const rows = JSON.stringify(await store.database('destinations'))
    expect([rows.includes('s3cr3t'), JSON.stringify(await one.list()).includes('s3cr3t')]).toEqual([false, false])
    expect((await one.list()).find(({ name }) => name === 'archive')).toMatchObject({
      auth: { kind: 'bearer', secret: 'set' },
      origin: 'api',
    })

    // As another node, or this one after a restart, finds it.
    const restarted = managed()
    await restarted.start()
    restarted.stop()
    const answer = await restarted.test('archive')
    expect(answer).toMatchObject({ ok: true, sentence: expect.stringContaining('It works') })
    expect(answer.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      'address passed',
      'connection passed',
      'answer passed',
      'access passed',
      'search passed',
      'store passed',
    ])
    expect(seen.every((authorization) => authorization === 'Bearer s3cr3t-token')).toBe(true)

    // Kept where it is not said anew; never sent to another host; read only from where secrets are put.
    await restarted.replace('archive', { ...bearer({ keep: true }), timeout: 7 }, 'ben')
    expect((await restarted.test('archive')).ok).toBe(true)
    const elsewhere = { ...bearer({ keep: true }), url: 'http://127.0.0.1:9/elsewhere' }
    await expect(restarted.replace('archive', elsewhere, 'ben')).rejects.toThrow('for another host')
    await expect(restarted.tryOut(null, bearer({ file: '/etc/passwd' }))).rejects.toThrow('a file in')
    await expect(restarted.tryOut(null, bearer({ file: '../hilum.sqlite' }))).rejects.toThrow('a file in')
    const refused = await restarted.tryOut(null, bearer('wrong'))
    expect(refused).toMatchObject({ ok: false, sentence: expect.stringContaining('HTTP 401') })
    expect(refused.steps.find(({ step }) => step === 'access')?.advice).toMatch(/credentials/)
    const closed = await restarted.tryOut(null, { ...bearer('x'), url: 'http://127.0.0.1:9/x' })
    expect(closed.steps.map(({ outcome }) => outcome)).toEqual([
      'passed',
      'failed',
      'skipped',
      'skipped',
      'skipped',
      'skipped',
    ])

    const definition = JSON.stringify({ destinations: ['archive'] })
    await store
      .database('routes')
      .insert({ name: 'r', version: 1, active: 1, position: 0, definition, created_at: '2026' })
    await expect(restarted.remove('archive')).rejects.toMatchObject({ code: 'destination-in-use' })
    await store.database('routes').delete()
    await restarted.remove('archive')
    expect(destinations.names()).not.toContain('archive')
    await destinations.close()
  })

  it('tells a queue of another process by the database alone', async () => {
    const queue = new JobQueue({ database: store.database })
    expect(await queue.cancel('infer-21', 'ann')).toBe('running')
  })
}
