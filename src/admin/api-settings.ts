import { z } from 'zod'
import { certificate } from './api-destinations.ts'
import type { Endpoint } from './endpoint.ts'
import { endpoint } from './endpoint.ts'

const plain = z.union([z.string(), z.number(), z.boolean()])
const value = z.union([plain, z.array(plain)]).nullable()

const origin = z
  .object({
    kind: z.enum(['default', 'file', 'environment', 'program']).describe('program: given by what started the node'),
    file: z.string().nullable(),
    line: z.number().nullable(),
    variable: z.string().nullable(),
  })
  .meta({ id: 'SettingOrigin' })

/** A setting, or a group of them. */
export const setting = z
  .object({
    name: z.string(),
    path: z.string().describe('with dots'),
    description: z.string().nullable(),
    kind: z.enum(['group', 'setting', 'secret']),
    value: value.describe('of a setting; null where nothing is set. Of a secret: "set" or "not set"'),
    default: value.describe('what holds where nothing is said'),
    changed: z.boolean().describe('true: something else than the default holds'),
    origin: origin.nullable().describe('null for groups'),
    get settings() {
      return z.array(setting).describe('of a group')
    },
  })
  .meta({ id: 'Setting' })

/** A certificate that the node uses or has seen. */
const watched = z
  .object({
    where: z.string().describe('for people'),
    kind: z.enum(['listener', 'client', 'peer']),
    file: z.string().nullable(),
    certificate: certificate.nullable(),
    problem: z.string().nullable().describe('why it cannot be read, or that it expires soon or has expired'),
    seenAt: z.string().nullable().describe('of a peer: when it was shown. ISO 8601, UTC'),
  })
  .meta({ id: 'WatchedCertificate' })

export type SettingNode = z.input<typeof setting>
export type WatchedCertificate = z.input<typeof watched>

export interface SettingsDeps {
  settings(): { file: string | null; version: string; settings: SettingNode[] }
  certificates(): Promise<WatchedCertificate[]>
}

/** The settings in force, and the certificates. */
export function settingsEndpoints(deps: SettingsDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/settings',
      summary: 'The settings in force, each with its default and where it came from; secrets only as set or not set',
      answer: z.object({ file: z.string().nullable(), version: z.string(), settings: z.array(setting) }),
      handle: () => deps.settings(),
    }),
    endpoint({
      method: 'get',
      path: '/certificates',
      summary: 'TLS certificates of the listeners, of the node as a client, and of peers, with their expiry',
      answer: z.object({ certificates: z.array(watched) }),
      handle: async () => ({ certificates: await deps.certificates() }),
    }),
  ]
}
