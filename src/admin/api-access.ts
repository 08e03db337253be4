import { z } from 'zod'
import type { Accounts } from './accounts.ts'
import { auditEntry, role } from './api-schemas.ts'
import type { Audit } from './audit.ts'
import type { Credentials } from './credentials.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

export interface AccessDeps {
  accounts: Accounts
  credentials: Credentials
  audit: Audit
}

const token = z.object({
  id: z.number(),
  name: z.string(),
  role,
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
})

/** Who may come in, and who did what. */
export function accessEndpoints({ accounts, credentials, audit }: AccessDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/tokens',
      summary: 'The tokens, without their secrets',
      role: 'administrator',
      answer: z.object({ tokens: z.array(token) }),
      handle: async () => ({ tokens: await credentials.listTokens() }),
    }),
    endpoint({
      method: 'post',
      path: '/tokens',
      summary: 'Make a token; the secret is shown this once',
      role: 'administrator',
      body: z.strictObject({
        name: z.string().min(1).max(100),
        role: role.default('viewer'),
        expiresAt: z.iso.datetime().nullable().default(null),
      }),
      answer: z.object({ id: z.number(), token: z.string() }),
      status: 201,
      action: 'token-create',
      handle: ({ body }) => credentials.createToken(body),
    }),
    endpoint({
      method: 'delete',
      path: '/tokens/{id}',
      summary: 'Revoke a token, at once',
      role: 'administrator',
      params: z.strictObject({ id: z.coerce.number().int() }),
      action: 'token-revoke',
      handle: async ({ params }) => {
        if ((await credentials.revokeToken(params.id)) === null)
          throw new ApiError(404, 'not-found', 'There is no such token.')
        return undefined
      },
    }),
    endpoint({
      method: 'get',
      path: '/users',
      summary: 'The users',
      role: 'administrator',
      answer: z.object({
        users: z.array(z.object({ name: z.string(), role, mustChangePassword: z.boolean(), createdAt: z.string() })),
      }),
      handle: async () => ({ users: await accounts.list() }),
    }),
    endpoint({
      method: 'get',
      path: '/audit',
      summary: 'Who did what, the newest first',
      role: 'administrator',
      query: z.strictObject({
        limit: z.coerce.number().int().min(1).max(500).default(100),
        before: z.coerce.number().int().optional().describe('only entries with a smaller id'),
      }),
      answer: z.object({ entries: z.array(auditEntry) }),
      handle: async ({ query }) => ({ entries: await audit.list(query) }),
    }),
  ]
}
