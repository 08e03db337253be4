import { afterAll, beforeAll, expect, it } from 'vitest'
import { RunningApp } from './running-app.ts'

/** Who may do what: the least role of every operation, null for anybody. A new operation has to be named here. */
const leastRole: Record<string, 'viewer' | 'operator' | 'administrator' | null> = {
  'post /api/session': null,
  'get /api/session': null,
  'delete /api/session': null,
  'post /api/session/password': null,
  'get /api/studies': 'viewer',
  'get /api/studies/{studyInstanceUID}': 'viewer',
  'post /api/studies/{studyInstanceUID}/complete': 'operator',
  'get /api/events': 'viewer',
  'get /api/studies/{studyInstanceUID}/exports': 'viewer',
  'get /api/exports/{id}': 'viewer',
  'get /api/jobs': 'viewer',
  'post /api/jobs/{id}/retry': 'operator',
  'get /api/routes': 'viewer',
  'post /api/routes/test': 'operator',
  'post /api/routes/replay': 'operator',
  'get /api/pipelines': 'viewer',
  'get /api/destinations': 'viewer',
  'post /api/destinations/{name}/echo': 'operator',
  'get /api/remotes': 'viewer',
  'post /api/remotes': 'administrator',
  'put /api/remotes/{aeTitle}': 'administrator',
  'delete /api/remotes/{aeTitle}': 'administrator',
  'post /api/remotes/{aeTitle}/echo': 'operator',
  'get /api/remotes/refused': 'viewer',
  'post /api/remotes/refused/{id}/admit': 'administrator',
  'delete /api/remotes/refused/{id}': 'administrator',
  'get /api/quarantine': 'operator',
  'get /api/quarantine/{id}/file': 'operator',
  'post /api/quarantine/{id}/reingest': 'operator',
  'post /api/quarantine/{id}/discard': 'operator',
  'post /api/quarantine/reingest': 'operator',
  'post /api/quarantine/discard': 'operator',
  'get /api/folders': 'viewer',
  'post /api/results/{sopInstanceUID}/feedback': 'operator',
  'get /api/feedback': 'operator',
  'get /api/feedback/export': 'operator',
  'get /api/storage': 'viewer',
  'get /api/retention': 'viewer',
  'post /api/retention/run': 'administrator',
  'get /api/retention/deletions': 'viewer',
  'get /api/tokens': 'administrator',
  'post /api/tokens': 'administrator',
  'delete /api/tokens/{id}': 'administrator',
  'get /api/users': 'administrator',
  'get /api/audit': 'administrator',
}
const roles = [null, 'viewer', 'operator', 'administrator'] as const

let app: RunningApp
const tokens = new Map<string | null, string | null>([[null, null]])

beforeAll(async () => {
  app = await new RunningApp().start()
  for (const role of roles)
    if (role !== null)
      tokens.set(role, (await app.auth.credentials.createToken({ name: role, role, expiresAt: null })).token)
})
afterAll(() => app.stop())

it('every operation that the API describes is named here', async () => {
  const { paths } = (await (await app.fetch('/api/openapi.json')).json()) as { paths: Record<string, object> }
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  expect(described.sort()).toEqual(Object.keys(leastRole).sort())
})

it.each(Object.entries(leastRole))(
  '%s is for the role %s and those above, and for nobody below',
  async (name, least) => {
    const [method = '', path = ''] = name.split(' ')
    // Nothing is there under these names, and a body that is missing is refused: what is allowed comes to nothing.
    const where = path.replace('{studyInstanceUID}', '1.2.3').replace(/\{\w+\}/g, '999999')
    for (const role of roles) {
      const abort = new AbortController()
      const answer = await app.fetch(where, {
        method: method.toUpperCase(),
        token: tokens.get(role) ?? null,
        signal: abort.signal,
      })
      const code = answer.ok ? null : ((await answer.json()) as { code: string }).code
      abort.abort()
      const isAllowed = roles.indexOf(role) >= roles.indexOf(least)
      if (isAllowed) expect([name, role, code]).not.toEqual([name, role, 'role-needed'])
      else expect([name, role, code]).toEqual([name, role, role === null ? 'unauthorized' : 'role-needed'])
      if (isAllowed && least !== null) expect(answer.status).not.toBe(401)
    }
  },
)
