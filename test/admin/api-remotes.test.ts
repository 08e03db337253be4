import { afterAll, beforeAll, expect, it } from 'vitest'
import { RunningApp } from './running-app.ts'
import { seedStudies, studies } from './seed.ts'

let app: RunningApp
const tokens: Record<string, string> = {}

beforeAll(async () => {
  app = await new RunningApp().start()
  for (const role of ['viewer', 'operator'] as const) {
    const made = await app.auth.credentials.createToken({ name: role, role, expiresAt: null })
    tokens[role] = made.token
  }
})
afterAll(() => app.stop())

const json = async (where: string) => (await (await app.fetch(where)).json()) as Record<string, never>
async function send(method: string, where: string, body?: unknown, token?: string) {
  const answer = await app.fetch(where, {
    method,
    headers: { 'if-match': '*' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(token === undefined ? {} : { token }),
  })
  const text = await answer.text()
  return { status: answer.status, body: (text === '' ? null : JSON.parse(text)) as Record<string, unknown> | null }
}
const refuse = async (callingAETitle: string, address: string) => {
  const sender = { callingAETitle, calledAETitle: 'HILUM', address }
  app.remotes.refusals.add({ sender, at: new Date().toISOString(), reason: 'the calling AE title is not configured' })
  const { refused } = (await json('/api/remotes/refused')) as unknown as { refused: { id: number }[] }
  return refused[0]?.id ?? 0
}

it('adds, changes and removes a remote, for administrators, with an audit', async () => {
  const mr1 = { aeTitle: 'MR/1 A', addresses: ['10.1.0.0/16'], may: ['store', 'query'] }
  expect(await send('POST', '/api/remotes', mr1, tokens.operator)).toMatchObject({ status: 403 })
  expect(await send('POST', '/api/remotes', mr1)).toEqual({
    status: 201,
    body: { ...mr1, host: null, port: 104, tls: false, origin: 'api', etag: expect.stringMatching(/^"/) },
  })
  expect(await send('POST', '/api/remotes', mr1)).toMatchObject({ status: 409, body: { code: 'remote-exists' } })
  const path = '/api/remotes/MR%2F1%20A'
  expect(await send('PUT', path, { host: 'mr1', port: 11112 })).toMatchObject({
    status: 200,
    body: { addresses: [], may: ['store'], host: 'mr1', port: 11112 },
  })
  expect(await send('DELETE', path)).toEqual({ status: 204, body: null })
  expect(await send('DELETE', path)).toMatchObject({ status: 404, body: { code: 'remote-unknown' } })
  const { entries } = (await json('/api/audit')) as unknown as { entries: { action: string; subject: string }[] }
  expect(entries.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
    'remote-remove MR/1 A',
    'remote-remove MR/1 A',
    'remote-change MR/1 A',
    'remote-add MR/1 A',
    'remote-add MR/1 A',
  ])
})

it.each([
  [{ aeTitle: 'MR2', addresses: ['10.0.0.0/40'] }, 400],
  [{ aeTitle: 'MR2', may: ['delete'] }, 400],
  [{ aeTitle: 'MR2', port: 0 }, 400],
  [{ aeTitle: 'longer than sixteen characters' }, 400],
  [{ aeTitle: 'MR2', adresses: [] }, 400],
  [{ aeTitle: 'CT1' }, 409],
])('refuses %j', async (body, status) => {
  expect(await send('POST', '/api/remotes', body)).toMatchObject({ status, body: { detail: expect.any(String) } })
})

it('lists remotes with what they sent, and refused callers, in the shape that the page knows', async () => {
  await refuse('STRANGER', '10.9.9.9')
  app.remotes.counters.count('CT1', { instances: 2, bytes: 10 })
  app.remotes.counters.count('MADE-UP', { instances: 1, bytes: 1 })
  expect(await json('/api/remotes')).toMatchObject({
    unknownCallers: 'loopback',
    configured: [{ aeTitle: 'CT1', origin: 'file', traffic: { instances: 2, lastMinute: { bytes: 10 } } }],
    others: { instances: 1 },
    refused: [{ callingAETitle: 'STRANGER', address: '10.9.9.9', times: 1 }],
  })
  const metrics = await (await app.fetch('/metrics')).text()
  expect(metrics).toContain('hilum_remote_instances_total{remote="CT1"} 2')
  expect(metrics).toContain('hilum_remote_bytes_total{remote="unconfigured callers"} 1')
  expect(metrics).not.toContain('MADE-UP')
})

it('admits a refused caller by one call, or forgets it', async () => {
  const id = await refuse('US7', '10.9.9.7')
  expect(await send('POST', `/api/remotes/refused/${id}/admit`, {}, tokens.operator)).toMatchObject({ status: 403 })
  expect(await send('POST', `/api/remotes/refused/${id}/admit`)).toMatchObject({
    status: 200,
    body: { aeTitle: 'US7', addresses: ['10.9.9.7'], may: ['store'] },
  })
  expect(await send('POST', `/api/remotes/refused/${id}/admit`, {})).toMatchObject({ status: 404 })
  const other = await refuse('CT1', '10.0.0.6')
  expect(await send('POST', `/api/remotes/refused/${other}/admit`, { may: ['query'] })).toMatchObject({
    status: 409,
    body: { code: 'remote-in-file' },
  })
  expect(await send('DELETE', `/api/remotes/refused/${other}`)).toMatchObject({ status: 204 })
  expect(await send('DELETE', `/api/remotes/refused/${other}`)).toMatchObject({ status: 404 })
  expect(await send('DELETE', '/api/remotes/refused/99999999999')).toMatchObject({ status: 400 })
  // Whose refusal it was is gone with its row: the audit has to say it.
  const { entries } = (await json('/api/audit')) as unknown as { entries: { action: string; subject: string }[] }
  const of = (action: string) => entries.filter((one) => one.action === action).map(({ subject }) => subject)
  expect(of('remote-admit')).toEqual([`${other}`, `${id}`, 'US7'])
  expect(of('remote-forget')).toContain('CT1@10.0.0.6')
})

it('explains why a remote does not answer', async () => {
  await send('POST', '/api/remotes', { aeTitle: 'GONE', host: '127.0.0.1', port: 9 })
  expect(await send('POST', '/api/remotes/GONE/echo', undefined, tokens.operator)).toMatchObject({
    status: 200,
    body: { ok: false, sentence: expect.stringMatching(/ECONNREFUSED.*firewall/) },
  })
  expect(await send('POST', '/api/remotes/CT1/echo')).toMatchObject({
    status: 409,
    body: { code: 'remote-without-host' },
  })
})

it('tells of the disk, of retention, and of what was deleted', async () => {
  await seedStudies(app.knex)
  expect(await json('/api/storage')).toMatchObject({ disk: { state: 'enough', minimumFree: 2 } })
  const { rules } = (await json('/api/retention')) as unknown as { rules: { preview: Record<string, unknown> }[] }
  expect(rules[0]).toMatchObject({ rule: { name: 'never' }, nextRun: null, lastRun: null })
  expect(rules[0]?.preview).toMatchObject({ dryRun: true, studies: studies.length, deleted: 0 })
  expect(await send('POST', '/api/retention/run', { dryRun: false, rule: 'no-such' })).toMatchObject({ status: 404 })
  expect(await send('POST', '/api/retention/run', { dryRun: false }, tokens.operator)).toMatchObject({ status: 403 })
  expect(await send('POST', '/api/retention/run', { dryRun: false })).toMatchObject({
    status: 200,
    body: { runs: [{ rule: 'never', dryRun: false, deleted: 0 }] },
  })
  const proof = '3 instances listed by pacs'
  const deletion = { study_instance_uid: '1.2.3.77', instances: 3, results: 0, bytes: 9, rule: 'r', proof, actor: 'a' }
  await app.knex('deletions').insert({ ...deletion, at: '2026-11-21T12:00:00.000Z' })
  expect(await send('GET', '/api/studies/1.2.3.77')).toMatchObject({
    status: 410,
    body: { detail: expect.stringMatching(/deleted at 2026-11-21.* by the retention rule r.*listed by pacs/) },
  })
  expect(await json('/api/retention/deletions')).toMatchObject({ total: 1, deletions: [{ rule: 'r', bytes: 9 }] })
})
