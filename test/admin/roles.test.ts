import { afterAll, beforeAll, expect, it } from 'vitest'
import { Audit } from '../../src/admin/audit.ts'
import { endpoint, endpointRouter } from '../../src/admin/endpoint.ts'
import type { Need, Permission, Role } from '../../src/admin/permissions.ts'
import { addresses, operations, permissionNames, permissionsOf, roles, rolesWith } from '../../src/admin/permissions.ts'
import { RunningApp } from './running-app.ts'

/** Everything that can be asked for: what lies below /api as the OpenAPI document names it, and the rest. */
const everything: [operation: string, need: Need][] = [
  ...Object.entries(operations).map(([name, need]): [string, Need] => [name.replace(' ', ' /api'), need]),
  ...Object.entries(addresses),
]

interface Caller {
  name: string
  token: string | null
  permissions: ReadonlySet<Permission> | null
}

let app: RunningApp
const callers: Caller[] = []

beforeAll(async () => {
  app = await new RunningApp().start()
  const add = async (name: string, rights: { role: Role } | { permissions: Permission[] }, expiresAt: string | null) =>
    (await app.auth.credentials.createToken({ name, expiresAt, ...rights })).token
  for (const role of roles)
    callers.push({ name: role, token: await add(role, { role }, null), permissions: permissionsOf(role) })
  const scope: Permission[] = ['studies.read', 'quarantine.act', 'audit.read']
  callers.push({
    name: 'scoped',
    token: await add('scoped', { permissions: scope }, null),
    permissions: new Set(scope),
  })
  callers.push({ name: 'anonymous', token: null, permissions: null })
  const expired = await add('expired', { role: 'administrator' }, '2020-01-01T00:00:00Z')
  callers.push({ name: 'expired', token: expired, permissions: null })
  callers.push({ name: 'unknown', token: 'guess', permissions: null })
})
afterAll(() => app.stop())

/** The code of the refusal, or null where the caller is let through, whatever comes of it. */
async function refusalOf(operation: string, { token }: Caller): Promise<{ status: number; code: string | null }> {
  const [method = '', path = ''] = operation.split(' ')
  // Nothing is there under these names, and a body that is missing is refused: what is allowed comes to nothing.
  const where = path.replace(/\{\w*(studyInstanceUID|UID)\}/gi, '1.2.3').replace(/\{\w+\}/g, '999999')
  const abort = new AbortController()
  try {
    const answer = await app.fetch(where, { method, token, signal: abort.signal })
    const isProblem = answer.headers.get('content-type')?.includes('application/problem+json') === true
    const code = isProblem ? ((await answer.json()) as { code: string }).code : null
    return { status: answer.status, code }
  } finally {
    abort.abort()
  }
}

it.each(everything)('%s needs %s, and nobody else is let through', async (operation, need) => {
  for (const caller of callers) {
    const { status, code } = await refusalOf(operation, caller)
    const told = [operation, caller.name, status, code]
    if (need === 'nothing') {
      // A token that is not valid is refused where anybody may come, too; health and the page do not look at it.
      if (caller.permissions !== null) expect(told).not.toContain('permission-needed')
    } else if (caller.permissions === null) expect(told).toEqual([operation, caller.name, 401, 'unauthorized'])
    else if (need === 'login' || caller.permissions.has(need)) {
      expect(told).not.toContain('permission-needed')
      expect(told).not.toContain('unauthorized')
    } else expect(told).toEqual([operation, caller.name, 403, 'permission-needed'])
  }
})

it('describes every operation with its permission and roles, and no other', async () => {
  const { paths } = (await (await app.fetch('/api/openapi.json')).json()) as {
    paths: Record<string, Record<string, { security: unknown[]; 'x-permission': string | null; 'x-roles': string[] }>>
  }
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const { security, 'x-permission': permission, 'x-roles': whose } = operation
      return [
        `${method.toUpperCase()} ${path.slice('/api'.length)}`,
        { security: security.length > 0, permission, whose },
      ]
    }),
  )
  const expected = Object.entries(operations).map(([name, need]: [string, Need]) => [
    name,
    {
      security: need !== 'nothing',
      permission: need === 'nothing' || need === 'login' ? null : need,
      whose: need === 'nothing' ? [] : [...rolesWith(need)],
    },
  ])
  expect(Object.fromEntries(described)).toEqual(Object.fromEntries(expected))
})

it('gives every permission to the administrator, and none that is needed nowhere beside those of later parts', () => {
  expect(permissionsOf('administrator')).toEqual(new Set(permissionNames))
  expect(permissionsOf('radiologist').has('feedback.give')).toBe(true)
  expect(permissionsOf('operator').has('feedback.give')).toBe(false)
  for (const permission of permissionsOf('viewer')) {
    expect(permissionsOf('radiologist').has(permission)).toBe(true)
    expect(permissionsOf('operator').has(permission)).toBe(true)
  }
})

it('does not start with an operation without a row, one that is declared twice, or a row without an operation', () => {
  const audit = new Audit(app.knex)
  const one = endpoint({ method: 'get', path: '/new', summary: 'new', handle: () => undefined })
  expect(() => endpointRouter([one], audit, {})).toThrow('GET /new has no row')
  expect(() => endpointRouter([one, one], audit, { 'GET /new': 'login' })).toThrow('declared twice')
  expect(() => endpointRouter([], audit, { 'GET /new': 'login' })).toThrow('no operation: GET /new')
})

it('tells the page what its user may do', async () => {
  const scoped = callers.find(({ name }) => name === 'scoped')
  const answer = await app.fetch('/api/session', { token: scoped?.token ?? null })
  expect(await answer.json()).toEqual({
    name: 'token:scoped',
    node: 'HILUM',
    role: null,
    permissions: ['studies.read', 'quarantine.act', 'audit.read'],
    mustChangePassword: false,
  })
})
