import { LineCounter, parseDocument, parse as parseYaml } from 'yaml'
import { z } from 'zod'
import type { ConfigProblem } from './config-error.ts'
import type { Environment } from './config-values.ts'
import { messageOf } from './errors.ts'
import { suggestion } from './nearest-name.ts'

export type Tree = Record<string, unknown>
export type Path = readonly PropertyKey[]

/** A YAML file as a tree, and where each of its settings stands. */
export interface YamlSource {
  tree: Tree
  /** Line of the setting, counted from 1, or of the nearest one that contains it. */
  lineOf(path: Path): number | undefined
}

/** Reads YAML text; what is wrong with it goes to `problems`. */
export function readYaml(text: string, problems: ConfigProblem[]): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  for (const error of document.errors) {
    problems.push({ path: '', expectation: `YAML: ${error.message}`, line: lines.linePos(error.pos[0]).line })
  }
  const tree: unknown = document.errors.length > 0 ? {} : document.toJS({ maxAliasCount: 100 })
  const usable = typeof tree === 'object' && tree !== null && !Array.isArray(tree)
  if (!usable && tree !== null)
    problems.push({ path: '', expectation: 'expected settings, as in aeTitle: HILUM', line: 1 })
  const lineOf = (path: Path): number | undefined => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined
      if (node?.range) return lines.linePos(node.range[0]).line
    }
    return undefined
  }
  return { tree: usable ? (tree as Tree) : {}, lineOf }
}

/** A setting that an environment variable can give. */
interface Setting {
  variable: string
  path: string[]
  schema: z.ZodType
}

/** Every setting of the schema by its variable: `HILUM_` and the path in upper case with `_`. */
export function settingsOf(schema: z.ZodType): Map<string, Setting> {
  const settings = new Map<string, Setting>()
  const visit = (at: z.ZodType, path: string[]): void => {
    const inner = unwrap(at)
    if (inner instanceof z.ZodObject) {
      for (const [name, child] of Object.entries(inner.shape)) visit(child as z.ZodType, [...path, name])
      return
    }
    const variable = `HILUM_${path.join('_').toUpperCase()}`
    settings.set(variable, { variable, path, schema: inner })
  }
  visit(schema, [])
  return settings
}

/** A schema without what makes it optional. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let inner = schema
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodOptional || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap() as z.ZodType
  }
  return inner
}

/** Variables that begin with HILUM_ and are no settings. */
const otherVariables = new Set(['HILUM_CONFIG'])

/**
 * Lays the environment's settings over a tree.
 * @returns path (joined with dots) to the variable that gave it
 */
export function applyEnvironment(
  tree: Tree,
  schema: z.ZodType,
  environment: Environment,
  problems: ConfigProblem[],
): Map<string, string> {
  const settings = settingsOf(schema)
  const given = new Map<string, string>()
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('HILUM_') || otherVariables.has(variable) || text === undefined) continue
    const setting = settings.get(variable)
    if (!setting) {
      const members = [...settings.keys()].filter((name) => name.startsWith(`${variable}_`))
      const help =
        members.length > 0
          ? `: give each setting by itself: ${members.join(', ')}`
          : suggestion(variable, settings.keys())
      problems.push({ path: variable, expectation: `no setting has this environment variable${help}` })
      continue
    }
    try {
      const value = valueFrom(text, setting.schema)
      if (value === undefined) continue
      setIn(tree, setting.path, value)
      given.set(setting.path.join('.'), variable)
    } catch (error) {
      problems.push({
        path: setting.path.join('.'),
        source: variable,
        expectation: `expected YAML or JSON: ${messageOf(error)}`,
      })
    }
  }
  return given
}

/** Numbers and truth values as such, comma lists as lists, structures as YAML or JSON; an empty text is no value except for text. */
function valueFrom(text: string, schema: z.ZodType): unknown {
  if (schema instanceof z.ZodNumber) return text.trim() === '' ? undefined : asNumber(text)
  if (schema instanceof z.ZodBoolean) return text.trim() === '' ? undefined : asTruth(text)
  if (schema instanceof z.ZodArray && !(schema.element instanceof z.ZodObject)) {
    const members = text.split(',').map((member) => member.trim())
    return members.every((member) => member === '') ? undefined : members
  }
  if (schema instanceof z.ZodArray || schema instanceof z.ZodRecord)
    return text.trim() === '' ? undefined : parseYaml(text)
  return text
}

function asNumber(text: string): number | string {
  const number = Number(text)
  return Number.isFinite(number) ? number : text
}

function asTruth(text: string): boolean | string {
  const word = text.trim().toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(word)) return true
  return ['false', '0', 'no', 'off'].includes(word) ? false : text
}

function setIn(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree
  for (const name of path.slice(0, -1)) {
    const next = at[name]
    // A file that has something else here is faulted by the schema; a variable must not hide that.
    if (next !== undefined && next !== null && typeof next !== 'object') return
    at = (at[name] ??= {}) as Tree
  }
  at[path.at(-1) ?? ''] = value
}

/** The names that are known where an unknown one stands. */
export function namesAt(schema: z.ZodType, path: Path): string[] {
  let at = unwrap(schema)
  for (const step of path) {
    if (at instanceof z.ZodObject) at = unwrap((at.shape[String(step)] ?? z.never()) as z.ZodType)
    else if (at instanceof z.ZodArray) at = unwrap(at.element as z.ZodType)
    else if (at instanceof z.ZodRecord) at = unwrap(at.valueType as z.ZodType)
    else break
  }
  if (at instanceof z.ZodObject) return Object.keys(at.shape)
  if (!(at instanceof z.ZodUnion)) return []
  return at.options.flatMap((option) => (option instanceof z.ZodObject ? Object.keys(option.shape) : []))
}
