import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'
import { crossChecks, type Describe, type SoundSections } from './config-checks.ts'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import { rememberOrigins } from './config-origins.ts'
import { type ConfigSchema, configSchema } from './config-schema.ts'
import { applyEnvironment, namesAt, type Path, readYaml, type Tree } from './config-source.ts'
import type { Environment } from './config-values.ts'
import { messageOf } from './errors.ts'
import { suggestion } from './nearest-name.ts'
import type { DeepReadonly } from './route/route-definition.ts'

/** The configuration: parsed once, complete, deeply frozen. Times are seconds, sizes bytes, paths absolute. */
export type Config = DeepReadonly<z.output<ConfigSchema>>
export type DestinationConfig = Config['destinations'][string]
export type RemoteConfig = Config['remotes'][number]
export type Role = Config['roles'][number]
/** Settings as a file gives them: all optional. */
export type ConfigInput = z.input<ConfigSchema>

/** The folder that holds `config/`, `models/` and `dist/`. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url))

export interface ConfigSources {
  /**
   * A YAML file; it has to exist. Without it HILUM_CONFIG, `config/hilum.yaml` in the working directory, or the
   * default that comes with the program. `null`: no file, built-in defaults only.
   */
  file?: string | null | undefined
  env: Environment
  /** Laid over everything else, for tests and for programs that start a node. */
  overrides?: ConfigInput
}

/**
 * Reads the configuration: file, then environment (`HILUM_` and the setting's path in upper case with `_`), then overrides.
 * @throws ConfigError with every problem at once: values, unknown settings, references to what is not there
 */
export function loadConfig({ file, env, overrides }: ConfigSources): Config {
  const problems: ConfigProblem[] = []
  const schema = configSchema(env)
  const chosen = file === undefined ? defaultFile(env) : file
  const yaml = readYaml(chosen === null ? '' : textOf(chosen, problems), problems)
  const tree = yaml.tree
  const ofFile = structuredClone(tree)
  const given = applyEnvironment(tree, schema, env, problems)
  if (overrides) merge(tree, overrides)
  const parsed = schema.safeParse(tree)
  const describe = (at: Path, expectation: string): ConfigProblem => {
    const dotted = at.map(String).join('.')
    const source = [...given].find(([setting]) => dotted === setting || dotted.startsWith(`${setting}.`))?.[1]
    const line = source === undefined ? yaml.lineOf(at) : undefined
    const value = shownValue(tree, at)
    return {
      path: dotted,
      ...(value === undefined ? {} : { value }),
      expectation,
      ...(source === undefined ? {} : { source }),
      ...(line === undefined ? {} : { line }),
    }
  }
  for (const issue of parsed.error?.issues ?? []) problems.push(...fromIssue(issue, schema, describe))
  problems.push(...crossChecks(parsed.data ?? soundSections(schema, tree), describe))
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  if (problems.length > 0 || !parsed.success) throw new ConfigError(chosen, problems)
  const { dataDir, pipelines, destinations, receive } = parsed.data
  const config = deepFreeze({
    ...parsed.data,
    dataDir: path.resolve(dataDir),
    receive: {
      ...receive,
      ...marksOf(receive),
      folders: receive.folders.map((folder) => ({ ...folder, path: path.resolve(folder.path) })),
    },
    pipelines: { ...pipelines, folder: path.resolve(pipelines.folder) },
    destinations: { self: { kind: 'self' as const }, ...destinations },
  })
  rememberOrigins(config, { file: chosen, ofFile, lineOf: yaml.lineOf, variables: given, overrides, schema })
  return config
}

function defaultFile(env: Environment): string | null {
  if (env.HILUM_CONFIG) return env.HILUM_CONFIG
  const candidates = [path.resolve('config/hilum.yaml'), path.join(packageRoot, 'config/hilum.yaml')]
  return candidates.find((candidate) => existsSync(candidate)) ?? null
}

function textOf(file: string, problems: ConfigProblem[]): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    problems.push({ path: '', expectation: `the configuration file cannot be read: ${messageOf(error)}` })
    return ''
  }
}

function fromIssue(issue: z.core.$ZodIssue, schema: ConfigSchema, describe: Describe): ConfigProblem[] {
  if (issue.code !== 'unrecognized_keys') return [describe(issue.path, issue.message.replace(/^Invalid input: /, ''))]
  const known = namesAt(schema, issue.path)
  return issue.keys.map((key) => {
    // What a mistyped setting holds might be a secret: its value is not shown.
    const { value: _, ...problem } = describe([...issue.path, key], `no setting has this name${suggestion(key, known)}`)
    return problem
  })
}

/** Whoever sets one mark of free space need not think of the others: they keep their order. */
function marksOf({ warnFree, minimumFree, emergencyFree }: z.output<ConfigSchema>['receive']) {
  return { warnFree: Math.max(warnFree, minimumFree), emergencyFree: Math.min(emergencyFree, minimumFree) }
}

/** Section by section: a mistake in one must not hide what can be said of the others. */
function soundSections(schema: ConfigSchema, tree: Tree): SoundSections {
  const sound = Object.entries(schema.shape).flatMap(([name, section]) => {
    const parsed = section.safeParse(tree[name])
    return parsed.success ? [[name, parsed.data]] : []
  })
  return Object.fromEntries(sound) as SoundSections
}

/** Whatever stands at a path, for the reader of a problem; never a secret. */
function shownValue(tree: unknown, at: Path): string | undefined {
  let value = tree
  for (const step of at)
    value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[step] : undefined
  if (value === undefined || value === null || typeof value === 'object') return undefined
  if (at.some((step) => /token|password|secret|authorization|headers/i.test(String(step)))) return '(hidden)'
  const text = JSON.stringify(value).replace(/:\/\/[^@/"]*@/, '://(hidden)@')
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

function merge(into: Tree, over: Tree): void {
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue
    const there = into[name]
    if (isTree(there) && isTree(value)) merge(there, value)
    else into[name] = value
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function deepFreeze<T>(value: T): DeepReadonly<T> {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value as DeepReadonly<T>
}
