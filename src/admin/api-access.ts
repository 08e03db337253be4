import type { Request } from 'express'
import { z } from 'zod'
import type { Accounts } from './accounts.ts'
import { AccountError } from './accounts.ts'
import { permission, role } from './api-schemas.ts'
import { listedSession, refusalOf } from './api-session.ts'
import { identityOf } from './auth.ts'
import type { Credentials, TokenRights } from './credentials.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import type { Permission } from './permissions.ts'
import { permissionsOf } from './permissions.ts'

export interface AccessDeps {
  accounts: Accounts
  credentials: Credentials
}

const token = z
  .object({
    id: z.number(),
    name: z.string(),
    role: role.nullable().describe('null: it has a scope of its own'),
    permissions: z.array(permission),
    createdBy: z.string().nullable(),
    createdAt: z.string(),
    expiresAt: z.string().nullable(),
    lastUsedAt: z.string().nullable(),
  })
  .meta({ id: 'Token' })

const user = z
  .object({
    name: z.string(),
    role,
    kind: z.enum(['local', 'oidc']).describe('oidc: logs in at the OpenID provider, which gives the role'),
    mustChangePassword: z.boolean(),
    disabled: z.boolean(),
    createdAt: z.string(),
    lastLoginAt: z.string().nullable(),
  })
  .meta({ id: 'User' })

const oneTimePassword = z.string().describe('shown this once; has to be changed at the first login')
const userName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\s:/](?:[^:/]*[^\s:/])?$/u, 'no colon or slash, and no blank at either end')
  .regex(/^\P{C}*$/u, 'no character that cannot be seen')
const named = z.strictObject({ name: z.string().min(1).max(100) })

/** Who may come in. */
export function accessEndpoints(deps: AccessDeps): Endpoint[] {
  return [...userEndpoints(deps), ...sessionListEndpoints(deps), ...tokenEndpoints(deps)]
}

function userEndpoints({ accounts }: AccessDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/users',
      summary: 'The users',
      answer: z.object({ users: z.array(user) }),
      handle: async () => ({ users: await accounts.list() }),
    }),
    endpoint({
      method: 'post',
      path: '/users',
      summary: 'Add a user, who changes the one-time password at the first login',
      body: z.strictObject({ name: userName, role }),
      answer: z.object({ name: z.string(), oneTimePassword }),
      status: 201,
      action: 'user-create',
      subject: ({ body }) => `${body.name} ${body.role}`,
      handle: async ({ body, req }) => {
        refuseWider(permissionsOf(body.role), req)
        return { name: body.name, oneTimePassword: await accounts.add(body).catch(refused) }
      },
    }),
    endpoint({
      method: 'put',
      path: '/users/{name}/role',
      summary: 'Give a user another role, from the next request on',
      params: named,
      body: z.strictObject({ role }),
      answer: user,
      action: 'user-role',
      handle: async ({ params, body, req, about }) => {
        about(`${params.name} ${body.role}`)
        refuseWider(permissionsOf(body.role), req)
        return await accounts.change(params.name, body, identityOf(req)?.user?.name ?? null).catch(refused)
      },
    }),
    endpoint({
      method: 'put',
      path: '/users/{name}/disabled',
      summary: 'Disable a user, whose sessions end, or enable them again',
      params: named,
      body: z.strictObject({ disabled: z.boolean() }),
      answer: user,
      action: 'user-disable',
      handle: async ({ params, body, req, about }) => {
        about(`${params.name} ${body.disabled ? 'disabled' : 'enabled'}`)
        return await accounts.change(params.name, body, identityOf(req)?.user?.name ?? null).catch(refused)
      },
    }),
    endpoint({
      method: 'post',
      path: '/users/{name}/password',
      summary: 'Give a user a one-time password; the user’s sessions end',
      params: named,
      answer: z.object({ oneTimePassword }),
      action: 'user-password',
      handle: async ({ params, req }) => {
        const whose = (await accounts.list()).find(({ name }) => name === params.name)
        if (whose) refuseWider(permissionsOf(whose.role), req)
        return { oneTimePassword: await accounts.resetPassword(params.name).catch(refused) }
      },
    }),
    endpoint({
      method: 'delete',
      path: '/users/{name}',
      summary: 'Remove a user, whose sessions end; the audit keeps the name',
      params: named,
      action: 'user-remove',
      handle: async ({ params, req }) => {
        await accounts.remove(params.name, identityOf(req)?.user?.name ?? null).catch(refused)
        return undefined
      },
    }),
  ]
}

function sessionListEndpoints({ credentials: { sessions } }: AccessDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/sessions',
      summary: 'Who is logged in, the last used first',
      query: z.strictObject({ user: z.string().max(100).optional() }),
      answer: z.object({ sessions: z.array(listedSession) }),
      handle: async ({ query, req }) => ({
        sessions: await sessions.list({ user: query.user, current: identityOf(req)?.session ?? null }),
      }),
    }),
    endpoint({
      method: 'delete',
      path: '/sessions/{id}',
      summary: 'End somebody’s session',
      params: z.strictObject({ id: z.string().max(64) }),
      action: 'session-end',
      handle: async ({ params, about }) => {
        const whose = await sessions.end(params.id)
        if (whose === null) throw new ApiError(404, 'not-found', 'There is no such session.')
        about(whose)
        return undefined
      },
    }),
  ]
}

function tokenEndpoints({ credentials }: AccessDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/tokens',
      summary: 'The tokens, without their secrets',
      answer: z.object({ tokens: z.array(token) }),
      handle: async () => ({ tokens: await credentials.listTokens() }),
    }),
    endpoint({
      method: 'post',
      path: '/tokens',
      summary: 'Make a token; the secret is shown this once',
      body: z.strictObject({
        name: z.string().min(1).max(100),
        role: role.optional().describe('viewer, where there are no permissions either'),
        permissions: z
          .array(permission)
          .min(1)
          .optional()
          .describe('a scope instead of a role; no wider than what the maker may do'),
        expiresAt: z.iso.datetime().nullable().default(null),
      }),
      answer: z.object({ id: z.number(), token: z.string() }),
      status: 201,
      action: 'token-create',
      subject: ({ body }) => body.name,
      handle: async ({ body, actor, req }) => {
        const { name, expiresAt } = body
        if (body.role !== undefined && body.permissions !== undefined)
          throw new ApiError(400, 'bad-parameter', 'A token has a role or permissions, not both.')
        if (expiresAt !== null && Date.parse(expiresAt) <= Date.now())
          throw new ApiError(422, 'expired', 'The token would have expired before it was made.')
        const rights: TokenRights = body.permissions
          ? { permissions: body.permissions }
          : { role: body.role ?? 'viewer' }
        const wanted = 'role' in rights ? permissionsOf(rights.role) : new Set(rights.permissions)
        refuseWider(wanted, req)
        return await credentials.createToken({ name, expiresAt, createdBy: actor, ...rights }).catch(refused)
      },
    }),
    endpoint({
      method: 'delete',
      path: '/tokens/{id}',
      summary: 'Revoke a token, at once',
      params: z.strictObject({ id: z.coerce.number().int() }),
      action: 'token-revoke',
      handle: async ({ params, about }) => {
        const name = await credentials.revokeToken(params.id)
        if (name === null) throw new ApiError(404, 'not-found', 'There is no such token.')
        about(name)
        return undefined
      },
    }),
  ]
}

/** A token of a narrow scope must not lead to a wider one, nor to a user who may do more. @throws ApiError `wider-than-own` */
function refuseWider(wanted: ReadonlySet<Permission>, req: Request): void {
  const own = identityOf(req)?.permissions
  const wider = [...wanted].filter((one) => !own?.has(one))
  if (wider.length > 0)
    throw new ApiError(403, 'wider-than-own', `Nobody gives away what they may not do themselves: ${wider.join(', ')}.`)
}

/** @throws ApiError for what the caller has to know */
function refused(error: unknown): never {
  throw error instanceof AccountError ? refusalOf(error) : error
}
