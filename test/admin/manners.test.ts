import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { operations } from '../../src/admin/permissions.ts'
import { RunningApp } from './running-app.ts'
import { seedStudies, studies } from './seed.ts'

let app: RunningApp
let now = Date.now()

beforeAll(async () => {
  app = new RunningApp()
  app.now = () => new Date(now)
  await app.start()
  await seedStudies(app.knex)
})
afterAll(() => app.stop())

const act = (where: string, key: string, body: unknown = {}) =>
  app.post(where, body, { headers: { 'idempotency-key': key } })

it('does an action once for an Idempotency-Key, and answers it as at first', async () => {
  const first = await act('/api/queue/pauses', 'a', { scope: 'all', reason: 'the disk is changed' })
  const paused = (await first.json()) as { id: number }
  expect(first.status).toBe(201)
  const again = await act('/api/queue/pauses', 'a', { scope: 'all', reason: 'the disk is changed' })
  expect([again.status, again.headers.get('idempotency-replayed'), await again.json()]).toEqual([201, 'true', paused])
  const other = await act('/api/queue/pauses', 'a', { scope: 'all', reason: 'another' })
  expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([422, 'idempotency-key-reused'])
  await app.fetch(`/api/queue/pauses/${paused.id}`, { method: 'DELETE' })
  // The key is of the operation and of who asks.
  expect((await act('/api/queue/cancel', 'a')).status).toBe(202)
})

it('keeps no refusal, and no answer that can be read in the database', async () => {
  expect((await act('/api/jobs/nothing/retry', 'b')).status).toBe(404)
  expect((await act('/api/jobs/nothing/retry', 'b')).headers.get('idempotency-replayed')).toBeNull()
  const made = await act('/api/tokens', 'c', { name: 'ci', role: 'viewer' })
  const { token } = (await made.json()) as { token: string }
  expect(await (await act('/api/tokens', 'c', { name: 'ci', role: 'viewer' })).json()).toMatchObject({ token })
  const rows = JSON.stringify(await app.knex('idempotency_keys'))
  expect(rows).not.toContain(token)
  // Bodies hold passwords: nothing is kept by which they could be guessed.
  const body = JSON.stringify({ name: 'ci', role: 'viewer' })
  expect(rows).not.toContain(createHash('sha256').update(body).update('\0').digest('hex'))
})

it('refuses a second request while the first is under way, and forgets keys after a day', async () => {
  const row = await app.knex('idempotency_keys').first('key')
  await app.knex('idempotency_keys').where({ key: row.key }).update({ status: null })
  const kept = await app.knex('idempotency_keys').count({ n: '*' })
  now += 25 * 3_600_000
  expect((await act('/api/queue/cancel', 'd')).status).toBe(202)
  expect(Number(kept[0]?.n)).toBeGreaterThan(1)
  expect(await app.knex('idempotency_keys').count({ n: '*' })).toEqual([{ n: 1 }])
})

it('answers two requests with the same key at once by doing it once', async () => {
  const answers = await Promise.all(
    [1, 2, 3].map(() => act('/api/queue/pauses', 'e', { scope: 'kind', name: 'infer', reason: 'together' })),
  )
  const statuses = answers.map(({ status }) => status)
  expect(statuses.every((status) => status === 201 || status === 409)).toBe(true)
  expect(statuses).toContain(201)
  expect(await app.knex('pauses').count({ n: '*' })).toEqual([{ n: 1 }])
})

it('gives entity tags, and nothing again that has not changed', async () => {
  const first = await app.fetch('/api/studies?limit=2')
  const etag = first.headers.get('etag') ?? ''
  expect(etag).toMatch(/^"[\w-]{22}"$/)
  const again = await app.fetch('/api/studies?limit=2', { headers: { 'if-none-match': etag } })
  expect([again.status, await again.text()]).toEqual([304, ''])
  await app.knex('studies').where({ study_instance_uid: studies[0]?.uid }).update({ state: 'failed' })
  const uid = studies[0]?.uid ?? ''
  await app.knex('studies').where({ study_instance_uid: uid }).update({ updated_at: '2999-01-01T00:00:00.000Z' })
  expect((await app.fetch('/api/studies?limit=2', { headers: { 'if-none-match': etag } })).status).toBe(200)
})

it('lets edits pass only where the editor has seen what is there', async () => {
  await app.post('/api/remotes', { aeTitle: 'MR1' })
  const put = (headers: Record<string, string>) =>
    app.fetch('/api/remotes/MR1', { method: 'PUT', body: JSON.stringify({ host: 'mr1' }), headers })
  expect((await put({})).status).toBe(428)
  expect((await put({ 'if-match': '"other"' })).status).toBe(412)
  const { etag } = (await (await app.fetch('/api/remotes/MR1')).json()) as { etag: string }
  expect((await put({ 'if-match': etag })).status).toBe(200)
  expect((await put({ 'if-match': etag })).status).toBe(412)
})

it('names schemas once, tags every operation, and says which headers it wants', async () => {
  const description = (await (await app.fetch('/api/openapi.json')).json()) as {
    paths: Record<
      string,
      Record<string, { tags: string[]; parameters: { in: string; name: string; required: boolean }[] }>
    >
    components: { schemas: Record<string, unknown> }
    tags: { name: string; description?: string }[]
  }
  expect(Object.keys(description.components.schemas)).toEqual(
    expect.arrayContaining(['JobRow', 'Overview', 'Pause', 'Destination', 'Setting', 'StudyRow', 'Timeline']),
  )
  const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to ?? '')
  const missing = references.filter((to) => !((to.split('/').at(-1) ?? '') in description.components.schemas))
  expect([references.length > 20, missing]).toEqual([true, []])
  for (const operation of Object.keys(operations)) {
    const [method = '', path = ''] = operation.split(' ')
    expect(description.paths[`/api${path}`]?.[method.toLowerCase()]?.tags, operation).toEqual([path.split('/')[1]])
  }
  const headers = (path: string, method: string) =>
    description.paths[path]?.[method]?.parameters.filter((one) => one.in === 'header').map(({ name }) => name)
  expect(headers('/api/remotes/{aeTitle}', 'put')).toEqual(['If-Match'])
  expect(headers('/api/queue/retry', 'post')).toEqual(['Idempotency-Key'])
})
