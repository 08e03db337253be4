import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as described from '../../src/admin/api-schemas-routes.ts'
import { applyRoutes } from '../../src/flow/routes.ts'
import { parseRouteDefinition, type RouteDefinition, routeDefinitionSchema } from '../../src/route/route-definition.ts'
import { insertStudies } from '../flow/many-studies.ts'
import { ctSlice, part10Bytes } from '../support/part10-file.ts'
import { bootstrapToken, RunningApp } from './running-app.ts'

let app: RunningApp

const inputs = { ct: { where: 'series.Modality == "CT"', prefer: ['thinnest-slices'] } }
function route(name: string, more: Record<string, unknown> = {}): RouteDefinition {
  const parsed = parseRouteDefinition({ name, inputs, pipeline: 'some', destinations: ['self'], ...more })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.definition
}
const study = '2.25.100'

beforeAll(async () => {
  app = await new RunningApp().start()
  const series = (uid: string, SliceThickness: number) => ({ uid, elements: { Modality: 'CT', SliceThickness } })
  const at = new Date().toISOString()
  await insertStudies(app.knex, [
    {
      uid: study,
      at,
      elements: { PatientName: { Alphabetic: '<img onerror>' } },
      series: [series('2.25.1', 5), series('2.25.2', 1)],
    },
    { uid: '2.25.101', at, series: [{ uid: '2.25.3', elements: { Modality: 'MR' } }] },
  ])
  await applyRoutes(app.knex, [route('lung'), route('other', { fallback: true })], { at, author: 'test' })
})
afterAll(() => app.stop())

type Json = Record<string, unknown>

async function call(method: string, where: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await app.fetch(`/api${where}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const json = text === '' ? null : (JSON.parse(text) as Json)
  return { status: answer.status, etag: answer.headers.get('etag') ?? '', json: json as Json }
}
const names = async () => (await call('GET', '/routes/order')).json.names

describe('routes over the API', () => {
  it('are drafted, changed by who has seen what is there, and put in force', async () => {
    const begun = await call('POST', '/routes/head/draft', { definition: { name: 'head', when: 'study.' } })
    expect(begun.status).toBe(201)
    described.routeDraft.strict().parse(begun.json)
    expect((await call('POST', '/routes/head/draft', { definition: { name: 'head' } })).status).toBe(409)
    expect((await call('POST', '/routes/order/draft', { definition: { name: 'order' } })).status).toBe(422)
    expect((await call('POST', '/routes/head/activate', {})).json).toMatchObject({
      code: 'route-invalid',
      detail: expect.stringContaining('when: line 1'),
    })
    const definition = { name: 'head', inputs, destinations: ['self'], pipeline: 'known' }
    expect((await call('PUT', '/routes/head/draft', { definition })).status).toBe(428)
    const seen = await call('GET', '/routes/head/draft')
    const changed = await call('PUT', '/routes/head/draft', { definition }, { 'if-match': seen.etag })
    expect(changed.status).toBe(200)
    expect((await call('PUT', '/routes/head/draft', { definition }, { 'if-match': seen.etag })).status).toBe(412)
    expect((await call('POST', '/routes/head/activate', {}, { 'if-match': seen.etag })).status).toBe(412)
    expect((await call('POST', '/routes/head/activate', { comment: 'try it' })).json).toEqual({ version: 1 })
    expect((await call('GET', '/routes/head/draft')).status).toBe(404)
    expect(await names()).toEqual(['lung', 'other', 'head'])
    const detail = await call('GET', '/routes/head')
    described.routeDetail.strict().parse(detail.json)
    expect(detail.json).toMatchObject({
      activeVersion: 1,
      versions: [{ version: 1, author: 'token:bootstrap', comment: 'try it' }],
    })
  })

  it('are switched off, on and back with one call each, ordered, compared and retired', async () => {
    expect((await call('POST', '/routes/head/disable', { comment: 'too many' })).json).toEqual({ version: 2 })
    const diff = await call('GET', '/routes/head/diff?from=1&to=active')
    expect(diff.json).toEqual({ changes: [{ path: 'enabled', before: true, after: false, text: null }] })
    expect((await call('POST', '/routes/head/enable', {})).json).toEqual({ version: 3 })
    expect((await call('POST', '/routes/head/activate', { version: 1 })).json).toEqual({ version: 1 })
    expect((await call('POST', '/routes/head/activate', { version: 9 })).status).toBe(404)

    const { etag } = await call('GET', '/routes/order')
    const order = { names: ['head', 'lung', 'other'] }
    expect((await call('PUT', '/routes/order', { names: ['head'] }, { 'if-match': etag })).status).toBe(422)
    expect((await call('PUT', '/routes/order', order, { 'if-match': etag })).json).toEqual(order)
    expect((await call('PUT', '/routes/order', order, { 'if-match': etag })).status).toBe(412)

    expect((await call('DELETE', '/routes/head')).status).toBe(204)
    expect((await call('DELETE', '/routes/head')).status).toBe(409)
    const all = await call('GET', '/routes')
    expect(all.json).toMatchObject({
      routes: [{ name: 'lung', version: 1, active: true, definition: { name: 'lung' } }, { name: 'other' }],
      drafts: [],
      retired: [{ name: 'head', version: 3 }],
    })
    for (const version of all.json.routes as unknown[]) described.routeVersion.strict().parse(version)
  })

  it('say everything that is wrong with a definition, and where', async () => {
    const definition = { name: 'x', inputs: { ct: { where: 'series.Modalty == "CT"' } }, destinations: ['sef'] }
    const { json } = await call('POST', '/routes/validate', { definition })
    expect(json).toMatchObject({ valid: false })
    expect(json.problems).toEqual(
      expect.arrayContaining([
        {
          path: 'inputs.ct.where',
          line: 1,
          column: 8,
          expectation: expect.stringContaining('did you mean "Modality"'),
        },
        expect.objectContaining({ path: 'pipeline' }),
      ]),
    )
    const known = await call('POST', '/routes/validate', {
      definition: route('y', { destinations: ['sef'], pipeline: 'known' }),
    })
    expect(known.json.problems).toMatchObject([
      { path: 'destinations.0', expectation: expect.stringContaining('"self"') },
    ])
  })

  it('go out as YAML and come in as drafts, with the place of each problem', async () => {
    const yaml = await (await app.fetch('/api/routes/export')).text()
    expect(yaml).toContain('- name: lung')
    const send = (text: string, query = '') =>
      fetch(new URL(`/api/routes/import${query}`, app.url), {
        method: 'POST',
        body: text,
        headers: { authorization: `Bearer ${bootstrapToken}`, 'content-type': 'application/yaml' },
      }).then(async (answer) => (await answer.json()) as Json)
    const changed = yaml
      .replaceAll('pipeline: some', 'pipeline: known')
      .replace('priority: normal', 'priority: off-peak')
    const wrong = await send(changed.replace('destinations:\n      - self', 'destinations: 7'))
    expect(wrong).toMatchObject({
      drafts: [],
      problems: [{ route: 'lung', path: 'destinations', line: expect.any(Number) }],
    })
    const line = (wrong.problems as { line: number }[])[0]?.line ?? 0
    expect(changed.split('\n')[line - 1]).toContain('destinations')
    expect(await send(changed)).toMatchObject({ drafts: ['lung', 'other'], problems: [] })
    expect(await send(changed)).toMatchObject({ drafts: [], problems: [{ route: 'lung' }, { route: 'other' }] })
    expect(await send(changed, '?replace=true')).toMatchObject({ drafts: ['lung', 'other'] })
    const draft = await call('GET', '/routes/lung/draft')
    expect(draft.json).toMatchObject({ basedOn: 1, definition: { priority: 'off-peak' } })
    expect((await call('DELETE', '/routes/lung/draft', undefined, { 'if-match': draft.etag })).status).toBe(204)
    expect(await send('routes: [')).toMatchObject({ problems: [{ route: '', line: 1 }] })
  })
})

describe('a test of routes', () => {
  it('explains what is in force on a study, and runs nothing', async () => {
    const { json } = await call('POST', '/routes/test', { studyInstanceUID: study })
    described.routeTest.strict().parse(json)
    expect(json).toMatchObject({
      decisions: [
        { route: 'lung', matched: true, series: { ct: '2.25.2' } },
        { route: 'other', matched: false, reason: expect.stringContaining('a fallback') },
      ],
      explanations: [
        {
          route: 'lung',
          when: null,
          inputs: [{ name: 'ct', chosen: ['2.25.2'], series: [{ place: 2 }, { place: 1 }] }],
        },
        { route: 'other' },
      ],
    })
    expect(await app.knex('jobs')).toEqual([])
    expect((await call('POST', '/routes/test', { studyInstanceUID: '2.25.404' })).status).toBe(404)
  })

  it('tries a definition, a draft or a version in the place of what is in force', async () => {
    const when = 'study.instances > 100 && study.PatientName == "X"'
    const tried = await call('POST', '/routes/test', {
      studyInstanceUID: study,
      definition: { ...route('lung'), when },
    })
    expect(tried.json).toMatchObject({
      decisions: [
        { route: 'lung', routeVersion: 0, matched: false },
        { route: 'other', matched: true },
      ],
      explanations: [
        {
          route: 'lung',
          when: {
            kind: 'and',
            verdict: 'false',
            members: [{ verdict: 'false', values: [{ path: 'study.instances', value: 6 }] }, { verdict: 'false' }],
          },
        },
      ],
    })
    expect((tried.json.explanations as unknown[]).length).toBe(1)
    const wrong = await call('POST', '/routes/test', { studyInstanceUID: study, definition: { name: 'lung' } })
    expect([wrong.status, wrong.json.code]).toEqual([422, 'route-invalid'])
    const first = await call('POST', '/routes/test', { studyInstanceUID: study, route: 'head', version: 1 })
    expect(first.json).toMatchObject({ explanations: [{ route: 'head' }] })
  })

  it('reads the header of a DICOM file that is sent, and keeps nothing', async () => {
    const send = (body: Uint8Array) =>
      fetch(new URL('/api/routes/test/file?explain=lung', app.url), {
        method: 'POST',
        body: body as Uint8Array<ArrayBuffer>,
        headers: { authorization: `Bearer ${bootstrapToken}`, 'content-type': 'application/dicom' },
      })
    const file = part10Bytes(ctSlice({ StudyInstanceUID: '2.25.777', SeriesInstanceUID: '2.25.778' }))
    const answer = await send(file)
    const json = (await answer.json()) as Json
    expect(json).toMatchObject({
      studyInstanceUID: '2.25.777',
      decisions: [{ route: 'lung', matched: true, series: { ct: '2.25.778' } }, {}],
      explanations: [{ route: 'lung' }],
    })
    expect(await app.knex('studies').where({ study_instance_uid: '2.25.777' })).toEqual([])
    expect((await send(new Uint8Array(Buffer.from('no DICOM at all')))).status).toBe(422)
  })
})

describe('a replay', () => {
  it('runs beside the node, and tells how far it is and what came of it', async () => {
    const definition = { ...route('lung'), when: 'study.instances > 100' }
    const begun = await call('POST', '/routes/replay', { days: 30, definition })
    expect([begun.status, begun.json]).toEqual([202, expect.objectContaining({ state: 'running', route: 'lung' })])
    const id = String(begun.json.id)
    await expect
      .poll(async () => (await call('GET', `/routes/replay/${id}`)).json.state, { timeout: 20_000 })
      .toBe('done')
    const { json } = await call('GET', `/routes/replay/${id}`)
    described.routeReplay.strict().parse(json)
    expect(json.result).toMatchObject({
      studies: 2,
      matched: 0,
      activeVersion: 1,
      activeMatched: 1,
      lost: 1,
      differences: [{ studyInstanceUID: study, kind: 'lost' }],
      otherRoutes: [{ route: 'other', gained: 1, lost: 0 }],
    })
  })

  it('can be ended, and needs a route', async () => {
    const begun = await call('POST', '/routes/replay', { days: 3, route: 'lung', version: 1 })
    const ended = await call('DELETE', `/routes/replay/${String(begun.json.id)}`)
    expect(['cancelled', 'done']).toContain(ended.json.state)
    expect((await call('POST', '/routes/replay', { days: 3 })).status).toBe(404)
    expect((await call('POST', '/routes/replay', { days: 3, route: 'nobody' })).status).toBe(404)
    expect((await call('GET', '/routes/replay/6f1f3f52-0000-4000-8000-000000000000')).status).toBe(404)
  })
})

describe('the words and the calendar', () => {
  it('are told', async () => {
    const words = await call('GET', '/routes/vocabulary?search=modality&limit=5')
    described.vocabulary.strict().parse(words.json)
    expect(words.json.fields).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: 'series.Modality', seen: 2 })]),
    )
    const seen = await call('GET', '/routes/calendar')
    described.calendarInForce.strict().parse(seen.json)
    expect(seen.json.author).toBeNull()
    const changed = { timeZone: 'UTC', windows: [{ days: ['mon'], from: '00:00', to: '24:00' }], exceptions: [] }
    const put = (body: unknown) => call('PUT', '/routes/calendar', body, { 'if-match': seen.etag })
    expect((await put({ ...changed, windows: [] })).status).toBe(422)
    expect((await put(changed)).json).toMatchObject({ calendar: changed, author: 'token:bootstrap' })
    expect((await put(changed)).status).toBe(412)
    const next = await call('GET', '/routes/calendar/next')
    expect(new Date(String(next.json.opens)).getTime()).toBeGreaterThan(0)
  })

  it('describe definitions as they are', () => {
    const fields = (schema: { shape: object }) => Object.keys(schema.shape).sort()
    expect(fields(described.routeDefinition)).toEqual(fields(routeDefinitionSchema as unknown as { shape: object }))
    for (const definition of [
      route('a'),
      route('b', {
        inputs: {
          x: { where: 'true', prefer: [{ highest: 'series.KVP' }], of: 'y' },
          y: { where: 'true', several: false },
        },
        canary: { pipeline: 'p@1.0.0', fraction: 0.5 },
        priority: 'off-peak',
        stop: true,
        fallback: true,
        assemble: { quiet: 3 },
        outputs: { default: ['segmentation'] },
      }),
    ])
      expect(described.routeDefinition.parse(definition)).toEqual(definition)
  })
})
