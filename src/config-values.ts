import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { z } from 'zod'
import { messageOf } from './errors.ts'

const unitBytes: Record<string, number> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
}

/** A size: a number of bytes, or text such as `1 GiB`; parsed to bytes. */
export function bytes(description: string) {
  return z
    .union([z.number(), z.string()], { error: 'expected bytes, as in 1073741824 or "1 GiB"' })
    .transform((value, context) => {
      const found = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(String(value).trim())
      const unit = found ? unitBytes[found[2] === '' ? 'B' : (found[2] ?? '')] : undefined
      if (found && unit !== undefined) return Math.round(Number(found[1]) * unit)
      context.addIssue({ code: 'custom', message: 'expected bytes, as in 1073741824 or "1 GiB"' })
      return z.NEVER
    })
    .describe(description)
}

/** Seconds, fractions allowed. */
export function seconds(description: string, { min = 0, max = 86_400 } = {}) {
  return z.number().min(min).max(max).describe(description)
}

/** True for an IP address, and for a block of them with its prefix length. */
export function isAddressOrBlock(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 6 ? 128 : 32))
}

/** The first problem that a parser throws becomes the setting's problem. */
export function parsedBy(parse: (text: string) => unknown, description: string) {
  return z
    .string()
    .superRefine((text, context) => {
      try {
        parse(text)
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) })
      }
    })
    .describe(description)
}

export type Environment = Readonly<Record<string, string | undefined>>

/** A secret: the text itself, `{env: NAME}`, or `{file: path}` (its first line); parsed to the text. */
export function secret(environment: Environment, description: string) {
  const schema = z
    .union([z.string(), z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })], {
      error: 'expected a text, {env: NAME} or {file: path}',
    })
    .transform((value, context) => {
      if (typeof value === 'string') return value
      const found = 'env' in value ? environment[value.env] : firstLine(value.file)
      if (found !== undefined && found !== '') return found
      const where = 'env' in value ? `the environment variable ${value.env}` : `the file ${value.file}`
      context.addIssue({ code: 'custom', message: `expected a secret in ${where}, which is absent or empty` })
      return z.NEVER
    })
    .describe(description)
  secrets.add(schema)
  return schema
}

const secrets = new WeakSet<z.ZodType>()

/** Whether a setting is a secret, which is never shown. */
export function isSecret(schema: z.ZodType): boolean {
  return secrets.has(schema)
}

function firstLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[0]
  } catch {
    return undefined // the caller names the file
  }
}

/** A file that has to be readable at start. */
export function readableFile(description: string) {
  return z
    .string()
    .superRefine((file, context) => {
      try {
        readFileSync(file)
      } catch (error) {
        // The path stands before it already.
        const reason = messageOf(error).split(', ')[0] ?? ''
        context.addIssue({ code: 'custom', message: `expected a file that can be read (${reason})` })
      }
    })
    .describe(description)
}
