import { z } from 'zod'
import type { Path } from './config-source.ts'
import { unwrap } from './config-source.ts'
import { isSecret } from './config-values.ts'

/** Where the settings of a configuration came from. */
export interface Origins {
  /** null: there is no file. */
  file: string | null
  /** What the file says, before anything else. */
  ofFile: unknown
  /** Line of a setting in the file. */
  lineOf(path: Path): number | undefined
  /** Settings (with dots) that variables of the environment gave. */
  variables: ReadonlyMap<string, string>
  /** What the program that started the node gave. */
  overrides: unknown
  schema: z.ZodObject
}

const origins = new WeakMap<object, Origins>()

/** Keeps where a configuration's settings came from, for those who ask about it. */
export function rememberOrigins(config: object, of: Origins): void {
  origins.set(config, of)
}

type Plain = string | number | boolean
export type ShownValue = Plain | Plain[] | null

/** A setting for a person, or a group of them. Secrets are told as `set` or `not set`. */
export interface ShownSetting {
  name: string
  /** With dots. */
  path: string
  description: string | null
  kind: 'group' | 'setting' | 'secret'
  value: ShownValue
  default: ShownValue
  /** True: something else than the default holds. */
  changed: boolean
  origin: {
    kind: 'default' | 'file' | 'environment' | 'program'
    file: string | null
    line: number | null
    variable: string | null
  } | null
  settings: ShownSetting[]
}

/** The settings in force, in the order of their schema. Empty for a configuration that `loadConfig` did not make. */
export function shownSettings(config: object): ShownSetting[] {
  const of = origins.get(config)
  if (!of) return []
  const defaults = of.schema.safeParse({})
  return shownMembers(of.schema, { value: config, otherwise: defaults.success ? defaults.data : {}, path: [], of })
}

/** The file that the settings were read from; null where there is none. */
export function fileOf(config: object): string | null {
  return origins.get(config)?.file ?? null
}

interface Place {
  value: unknown
  otherwise: unknown
  path: readonly string[]
  of: Origins
}

function shownMembers(schema: z.ZodType | null, { value, otherwise, path, of }: Place): ShownSetting[] {
  const names = new Set([
    ...(schema instanceof z.ZodObject ? Object.keys(schema.shape) : []),
    ...Object.keys(asRecord(value)),
  ])
  return [...names].map((name) => {
    const member = memberOf(schema, name)
    return shown(name, member, {
      value: asRecord(value)[name],
      otherwise: asRecord(otherwise)[name],
      path: [...path, name],
      of,
    })
  })
}

function shown(name: string, schema: z.ZodType | null, place: Place): ShownSetting {
  const { value, otherwise, path, of } = place
  const inner = schema && unwrap(schema)
  const dotted = path.join('.')
  const base = { name, path: dotted, description: schema?.description ?? inner?.description ?? null }
  const isHidden = (inner !== null && isSecret(inner)) || /token|password|secret|authorization|headers/i.test(dotted)
  if (isHidden && !isGroup(value)) {
    const told = (what: unknown) => (what === undefined || what === null || what === '' ? 'not set' : 'set')
    const changed = told(value) !== told(otherwise)
    return {
      ...base,
      kind: 'secret',
      value: told(value),
      default: told(otherwise),
      changed,
      origin: originOf(place),
      settings: [],
    }
  }
  if (isGroup(value) || (inner instanceof z.ZodObject && value !== undefined)) {
    const settings = Array.isArray(value)
      ? value.map((one, index) =>
          shown(nameOf(one, index), elementOf(inner), {
            value: one,
            otherwise: undefined,
            path: [...path, String(index)],
            of,
          }),
        )
      : shownMembers(inner, place)
    const changed = settings.some((one) => one.changed)
    return { ...base, kind: 'group', value: null, default: null, changed, origin: null, settings }
  }
  const now = plain(value)
  const usual = plain(otherwise)
  const changed = JSON.stringify(now) !== JSON.stringify(usual)
  return { ...base, kind: 'setting', value: now, default: usual, changed, origin: originOf(place), settings: [] }
}

function originOf({ path, of }: Place): ShownSetting['origin'] {
  const none = { file: null, line: null, variable: null }
  if (isThere(of.overrides, path)) return { kind: 'program', ...none }
  const dotted = path.join('.')
  const variable = [...of.variables].find(([setting]) => dotted === setting || dotted.startsWith(`${setting}.`))?.[1]
  if (variable !== undefined) return { kind: 'environment', ...none, variable }
  if (!isThere(of.ofFile, path)) return { kind: 'default', ...none }
  const steps = path.map((step) => (/^\d+$/.test(step) ? Number(step) : step))
  return { kind: 'file', ...none, file: of.file, line: of.lineOf(steps) ?? null }
}

function isThere(tree: unknown, path: readonly string[]): boolean {
  let at = tree
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return false
    at = (at as Record<string, unknown>)[step]
  }
  return at !== undefined
}

/** Objects, and lists of objects. */
function isGroup(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return !Array.isArray(value) || value.some((member) => typeof member === 'object' && member !== null)
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function memberOf(schema: z.ZodType | null, name: string): z.ZodType | null {
  if (schema instanceof z.ZodObject) return (schema.shape[name] as z.ZodType | undefined) ?? null
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType
  if (schema instanceof z.ZodUnion)
    for (const option of schema.options)
      if (option instanceof z.ZodObject && name in option.shape) return option.shape[name] as z.ZodType
  return null
}

function elementOf(schema: z.ZodType | null): z.ZodType | null {
  return schema instanceof z.ZodArray ? unwrap(schema.element as z.ZodType) : null
}

/** What people call a member of a list. */
function nameOf(member: unknown, index: number): string {
  const { name, aeTitle, path } = asRecord(member)
  const found = [name, aeTitle, path].find((one) => typeof one === 'string')
  return typeof found === 'string' ? found : String(index + 1)
}

function plain(value: unknown): ShownValue {
  if (value === undefined || value === null) return null
  if (Array.isArray(value))
    return value
      .map((member) => plain(member))
      .filter((member) => member !== null)
      .flat()
  if (typeof value === 'string') return value.replace(/:\/\/[^@/]*@/, '://(hidden)@')
  return typeof value === 'number' || typeof value === 'boolean' ? value : JSON.stringify(value)
}
