import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { studyList, timeline } from '../../src/admin/api-schemas.ts'
import { operations } from '../../src/admin/permissions.ts'
import { RunningApp } from './running-app.ts'
import { seedStudies, studies } from './seed.ts'

let app: RunningApp

beforeAll(async () => {
  app = await new RunningApp().start()
  await seedStudies(app.knex)
})

afterAll(() => app.stop())

async function json(where: string): Promise<Record<string, unknown>> {
  const answer = await app.fetch(where)
  if (!answer.ok) throw new Error(`${where}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Record<string, unknown>
}

describe('the API', () => {
  it('lists studies by page, by search and by state, as its description says', async () => {
    const all = studyList.parse(await json('/api/studies?limit=3'))
    expect([all.total, all.studies.length]).toEqual([8, 3])
    expect(studyList.parse(await json('/api/studies?search=okafor')).studies[0]).toMatchObject({
      patientName: 'OKAFOR^DAVID',
      modalities: ['CT'],
      instances: 312,
    })
    expect(studyList.parse(await json('/api/studies?state=failed')).total).toBe(2)
    expect(studyList.parse(await json(`/api/studies?search=${studies[2]?.uid}`)).studies[0]?.findings[0]).toEqual({
      name: 'Lung volume',
      value: 4.312,
      unit: 'L',
      site: null,
    })
  })

  it('tells the timeline of every study as its description says', async () => {
    for (const { uid, state } of studies) {
      const told = timeline.strict().parse(await json(`/api/studies/${uid}`))
      expect(told.state).toBe(state)
    }
  })

  it('answers what is unknown or wrong with a problem document', async () => {
    for (const [where, status] of [
      ['/api/studies/1.2.3', 404],
      ['/api/studies/not-a-uid', 400],
      ['/api/studies?limit=0', 400],
      ['/api/studies?limt=5', 400],
      ['/api/quarantine/99/file', 404],
      ['/api/nothing', 404],
    ] as const) {
      const answer = await app.fetch(where)
      expect(answer.status, where).toBe(status)
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      expect(((await answer.json()) as { detail: string }).detail.length).toBeGreaterThan(10)
    }
    const broken = await app.fetch('/api/tokens', { method: 'POST', body: '{' })
    expect(broken.status).toBe(400)
  })

  it('queues a failed job again, once, and says who did', async () => {
    const id = 'deliver-pacs-71'
    expect(await (await app.fetch(`/api/jobs/${id}/retry`, { method: 'POST' })).json()).toEqual({ id, state: 'queued' })
    const again = await app.fetch(`/api/jobs/${id}/retry`, { method: 'POST' })
    expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([409, 'job-not-failed'])
    const { jobs } = await json('/api/jobs?state=queued')
    expect(jobs).toMatchObject([{ id, kind: 'deliver', destination: 'pacs', studyInstanceUID: studies[6]?.uid }])
    const told = timeline.parse(await json(`/api/studies/${studies[6]?.uid}`))
    expect(told.events.at(-1)?.sentence).toContain('token:bootstrap')
  })

  it('counts a study as complete when an operator says so', async () => {
    const uid = studies[0]?.uid ?? ''
    const answer = await app.fetch(`/api/studies/${uid}/complete`, { method: 'POST' })
    expect([answer.status, await answer.json()]).toEqual([200, { sentence: 'complete by an operator' }])
    expect(app.completed).toEqual([uid])
    expect((await app.fetch('/api/studies/1.2.3/complete', { method: 'POST' })).status).toBe(404)
  })

  it('gives back the bytes of a quarantined object, and nothing from outside the folder', async () => {
    writeFileSync(path.join(app.dataDir, 'quarantine', 'q1.bin'), 'broken bytes')
    const row = {
      at: new Date().toISOString(),
      code: 'truncated',
      reason: 'it ends early',
      via: 'c-store',
      sender: 'CT1@10.0.0.5',
      size: 12,
    }
    const [first] = await app
      .knex('quarantine')
      .insert({ ...row, file: 'q1.bin' })
      .returning('id')
    const [outside] = await app
      .knex('quarantine')
      .insert({ ...row, file: '../hilum.sqlite' })
      .returning('id')
    expect(await (await app.fetch(`/api/quarantine/${first.id}/file`)).text()).toBe('broken bytes')
    expect((await app.fetch(`/api/quarantine/${outside.id}/file`)).status).toBe(410)
    expect(await json('/api/quarantine')).toMatchObject({
      total: 2,
      objects: [{ id: outside.id }, { id: first.id, code: 'truncated', size: 12 }],
    })
  })

  it('lists the refused callers beside the configured ones', async () => {
    const now = new Date().toISOString()
    await app.knex('refused_callers').insert({
      calling_ae_title: 'STRANGER',
      called_ae_title: 'HILUM',
      address: '10.9.9.9',
      reason: 'calling AE title not recognized',
      first_at: now,
      last_at: now,
    })
    expect(await json('/api/remotes')).toMatchObject({
      unknownCallers: 'loopback',
      refused: [{ callingAETitle: 'STRANGER', address: '10.9.9.9', times: 1 }],
    })
  })

  it('describes itself in OpenAPI 3.1: every operation, its parameters and its answer', async () => {
    const description = (await json('/api/openapi.json')) as {
      openapi: string
      paths: Record<string, Record<string, { parameters: unknown[]; responses: Record<string, unknown> }>>
      components: { schemas: Record<string, unknown> }
    }
    expect(description.openapi).toBe('3.1.0')
    const declared = Object.keys(operations).map((operation) => `/api${operation.split(' ')[1]}`)
    expect(Object.keys(description.paths).sort()).toEqual([...new Set(declared)].sort())
    expect(description.paths['/api/studies']?.get?.parameters).toContainEqual({
      name: 'limit',
      in: 'query',
      required: false,
      schema: { default: 50, type: 'integer', minimum: 1, maximum: 200 },
    })
    expect(JSON.stringify(description.paths['/api/studies/{studyInstanceUID}']?.get?.responses['200'])).toContain(
      '#/components/schemas/Timeline',
    )
    expect(JSON.stringify(description.components.schemas.Timeline)).toContain('completion')
  })

  it('keeps pages to their own origin, and lets the viewer do what it must', async () => {
    const own = (await app.fetch('/admin')).headers.get('content-security-policy') ?? ''
    expect(own).toContain("default-src 'none'")
    expect(own).not.toContain('unsafe')
    expect(own).not.toContain('upgrade-insecure-requests')
    const viewer = (await app.fetch('/viewer')).headers.get('content-security-policy') ?? ''
    expect(viewer).toContain("'wasm-unsafe-eval'")
    expect((await app.fetch('/admin')).headers.get('x-powered-by')).toBeNull()
  })

  it('is ready only while every check passes, and says which one does not', async () => {
    expect(await (await app.fetch('/readyz', { token: null })).json()).toMatchObject({
      ok: true,
      checks: { database: { ok: true } },
    })
    app.checks.disk = () => ({ ok: false, sentence: '0.1 GiB free, 1.0 GiB needed' })
    const answer = await app.fetch('/readyz', { token: null })
    expect([answer.status, await answer.json()]).toMatchObject([
      503,
      { ok: false, checks: { disk: { ok: false, sentence: '0.1 GiB free, 1.0 GiB needed' } } },
    ])
    delete app.checks.disk
  })

  it('tells Prometheus what the database knows, without a UID', async () => {
    const text = await (await app.fetch('/metrics')).text()
    expect(text).toContain('hilum_studies{state="done"} 4')
    expect(text).toMatch(/hilum_jobs\{kind="infer",state="failed"\} 2/)
    expect(text).toMatch(/hilum_disk_free_bytes \d+/)
    expect(text).not.toContain('1.2.826')
  })
})
