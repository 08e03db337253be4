import { z } from 'zod'
import { roles } from './admin/permissions.ts'
import { type Environment, readableFile, secret } from './config-values.ts'

const role = z.enum(roles)

/** OpenID Connect needs TLS; only a provider on this machine may do without. */
function isSafeIssuer(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

/** `admin`: who may come in. */
export function adminSchema(environment: Environment) {
  const oidc = z
    .strictObject({
      issuer: z
        .url({ protocol: /^https?$/, error: 'expected the issuer’s URL' })
        .refine(isSafeIssuer, 'an issuer without TLS is taken on this machine only')
        .describe('URL of the OpenID provider; its /.well-known/openid-configuration is asked at the first login.'),
      clientId: z.string().min(1).describe('As the provider knows this node.'),
      clientSecret: secret(
        environment,
        'Text, {env: NAME} or {file: path}; absent: a public client, by PKCE alone.',
      ).optional(),
      scopes: z.array(z.string().regex(/^\S+$/)).default(['openid', 'profile', 'email']).describe('What is asked for.'),
      publicUrl: z
        .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
        .optional()
        .describe('How browsers reach this node, as in https://hilum.hospital.example; default: as they ask.'),
      rolesClaim: z
        .string()
        .min(1)
        .default('roles')
        .describe(
          'Where the roles or groups stand in the ID token or in what the userinfo endpoint says, as in realm_access.roles.',
        ),
      roles: z
        .record(z.string(), role)
        .default({})
        .describe('Role by value of that claim; of several, the one with the most permissions.'),
      defaultRole: role
        .nullable()
        .default(null)
        .describe('Of those whose values are not named; null: they are refused.'),
      nameClaim: z.string().min(1).default('preferred_username').describe('The claim that is the user’s name here.'),
      label: z.string().min(1).max(60).default('Log in with your hospital account').describe('Of the button.'),
    })
    .describe('Login at an OpenID provider, beside the users of this node.')
  return z
    .strictObject({
      token: secret(environment, "A bearer token for the API; '': none. Text, {env: NAME} or {file: path}.").default(
        '',
      ),
      sessionHours: z.number().min(0.1).max(720).default(12).describe('Hours until a login expires.'),
      sessionIdleMinutes: z
        .number()
        .min(1)
        .max(43_200)
        .default(120)
        .describe('Minutes without a request until a login expires.'),
      oidc: oidc.optional(),
    })
    .prefault({})
    .describe('Access.')
}

/** `audit`: where the audit is written to, beside the database. */
export const auditSchema = z
  .strictObject({
    sourceId: z.string().max(64).default('').describe("Names this node in its messages; '': its AE title."),
    site: z.string().max(64).default('').describe('Names the hospital or its part in the messages.'),
    file: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Write a file a day.'),
        folder: z.string().default('').describe("Where; '': audit in the data folder."),
        keepDays: z
          .number()
          .int()
          .min(0)
          .max(36_500)
          .default(0)
          .describe('Days until a file is deleted; 0: never. The database keeps every entry.'),
      })
      .prefault({})
      .describe('Files of JSON lines, one a day (UTC).'),
    syslog: z
      .strictObject({
        host: z.string().min(1).describe('Of the server.'),
        port: z.number().int().min(1).max(65_535).optional().describe('Default: 6514 for TLS, else 514.'),
        transport: z
          .enum(['tls', 'tcp', 'udp'])
          .default('tls')
          .describe('RFC 5425, RFC 6587 (octets are counted) or RFC 5426.'),
        ca: readableFile('PEM file of the authorities; default: those of the system.').optional(),
        certificate: readableFile('PEM file of our certificate, where the server asks for one.').optional(),
        key: readableFile('PEM file of its private key.').optional(),
        facility: z.number().int().min(0).max(23).default(10).describe('10: security (RFC 5424 6.2.1).'),
      })
      .optional()
      .describe('A syslog server (RFC 5424). While it is away the database keeps what it is owed.'),
  })
  .prefault({})
  .describe('The audit.')
