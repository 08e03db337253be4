import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Knex } from 'knex'
import { parse as parseYaml } from 'yaml'
import type { Config } from '../config.ts'
import { isUID } from '../dicom/uid.ts'
import { HilumError, messageOf } from '../errors.ts'
import { earlierStudies } from '../flow/earlier-studies.ts'
import { routableStudy } from '../flow/routable-study.ts'
import { activeRoutes, applyRoutes } from '../flow/routes.ts'
import { loadPipelines } from '../infer/load-pipelines.ts'
import { type ActiveRoute, type Decision, evaluateRoutes } from '../route/evaluate-routes.ts'
import { parseRouteDefinition, type RouteDefinition } from '../route/route-definition.ts'
import type { RoutableStudy } from '../route/study-facts.ts'
import { unknownReferences } from '../route/unknown-references.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { knownPipelines } from './check.ts'
import { studiesIn } from './studies-in.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum route list
hilum route check [FILE]
hilum route test FILE|FOLDER|UID [--routes FILE] [--json]
hilum route apply [FILE]

  list    the active routes, of the database or, before the first start, of the configuration
  check   check the routes in a YAML file (one route, a list, or a file with "routes:"), or those of the configuration
  test    decide every route for the studies in DICOM files, or for a study that the node has; nothing is stored
  apply   put the routes of a YAML file, or of the configuration, in force instead of all that are: each changed one becomes
          its next version, one that is no longer there is switched off; a running node takes them for the next study

  --routes FILE   try the routes of this file instead of the active ones
  --json          as JSON
  --config FILE   the configuration file (default: config/hilum.yaml)

Exit code 1 when a route has a problem, or when no route matches.`

/** `hilum route`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, { routes: { type: 'string' }, json: { type: 'boolean' } })
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, subject, ...more] = positionals
  if (more.length > 0) throw new UsageError(`route ${what}: one file, folder or UID at a time`, usage)
  if (what === 'list') return listRoutes(configOf(values), values.json ?? false)
  if (what === 'check') return checkRoutes(configOf(values), subject)
  if (what === 'apply') return apply(configOf(values), subject)
  if (what !== 'test') throw new UsageError('route: list, check, test or apply', usage)
  if (subject === undefined)
    throw new UsageError('route test: name a DICOM file, a folder or a Study Instance UID', usage)
  return testRoutes(configOf(values), subject, values)
}

async function listRoutes(config: Config, json: boolean): Promise<number> {
  const routes = await withDatabase(config, (database) => routesOf(config, database))
  if (json) print(JSON.stringify(routes, null, 2))
  else
    for (const { definition: d, version } of routes)
      print(`${d.name}  version ${version}  ${d.enabled ? 'on' : 'off'}  ${pipelineText(d)} -> ${destinationText(d)}`)
  return 0
}

function pipelineText({ pipeline, canary }: RouteDefinition): string {
  return canary ? `${pipeline} (canary: ${canary.fraction} to ${canary.pipeline})` : pipeline
}

function destinationText({ shadow, destinations }: RouteDefinition): string {
  return shadow ? 'nowhere (shadow)' : destinations.join(', ')
}

/** The routes of a file, with every problem of each. */
async function readRoutes(file: string): Promise<{ routes: ActiveRoute[]; problems: string[] }> {
  let tree: unknown
  try {
    tree = parseYaml(await readFile(file, 'utf8'))
  } catch (error) {
    return { routes: [], problems: [`${file}: ${messageOf(error)}`] }
  }
  const inner = typeof tree === 'object' && tree !== null && 'routes' in tree ? tree.routes : tree
  const definitions: unknown[] = Array.isArray(inner) ? inner : [inner]
  const parsed = definitions.map(parseRouteDefinition)
  return {
    routes: parsed.flatMap((p) => (p.ok ? [{ version: 0, definition: p.definition }] : [])),
    problems: parsed.flatMap((p, i) =>
      p.ok ? [] : p.problems.map((problem) => `route ${i + 1}: ${problem.path}: ${problem.expectation}`),
    ),
  }
}

async function checkRoutes(config: Config, file: string | undefined): Promise<number> {
  const { routes, problems } =
    file === undefined ? { routes: configured(config), problems: [] } : await readRoutes(file)
  const { pipelines } = await loadPipelines(config.pipelines.folder)
  const known = { destinations: Object.keys(config.destinations), pipelines: knownPipelines(pipelines) }
  for (const { definition } of routes) {
    problems.push(
      ...unknownReferences(definition, known).map((p) => `route "${definition.name}": ${p.path}: ${p.expectation}`),
    )
  }
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  if (problems.length > 0) return 1
  print(`${routes.length} route${routes.length === 1 ? '' : 's'}: no problem`)
  return 0
}

async function apply(config: Config, file: string | undefined): Promise<number> {
  if ((await checkRoutes(config, file)) !== 0) return 1
  const routes = file === undefined ? configured(config) : (await readRoutes(file)).routes
  return withDatabase(config, async (database) => {
    if (!database) {
      print('the node has not been started yet: its first start takes the routes of the configuration')
      return file === undefined ? 0 : 1
    }
    const definitions = routes.map(({ definition }) => definition)
    const applied = await applyRoutes(database, definitions, { at: new Date().toISOString(), author: 'command line' })
    for (const [what, names] of Object.entries(applied) as [string, string[]][])
      if (names.length > 0) print(`${what}: ${names.join(', ')}`)
    print('A running node uses them for the next study. Destinations and pipelines that are new need a restart before.')
    return 0
  })
}

async function testRoutes(
  config: Config,
  subject: string,
  options: { routes?: string | undefined; json?: boolean | undefined },
): Promise<number> {
  let tried: ActiveRoute[] | null = null
  if (options.routes !== undefined) {
    const { routes, problems } = await readRoutes(options.routes)
    for (const problem of problems) process.stderr.write(`${problem}\n`)
    if (problems.length > 0) return 1
    tried = routes
  }
  return withDatabase(config, async (database) => {
    const routes = tried ?? (await routesOf(config, database))
    const stored = isUID(subject) && !existsSync(subject) ? await storedStudy(database, subject) : null
    const studies = stored ? [stored.study] : await studiesIn(subject)
    const answers = studies.map((study) => ({
      studyInstanceUID: study.studyInstanceUID,
      decisions: evaluateRoutes(routes, study, stored?.earlier),
    }))
    if (options.json) print(JSON.stringify(answers, null, 2))
    else for (const { studyInstanceUID, decisions } of answers) print(decisionText(studyInstanceUID, decisions))
    return answers.some(({ decisions }) => decisions.some((decision) => decision.matched)) ? 0 : 1
  })
}

function decisionText(studyInstanceUID: string, decisions: readonly Decision[]): string {
  const lines = [`study ${studyInstanceUID}`]
  for (const { route, matched, reason, because } of decisions) {
    lines.push(`  ${route}: ${matched ? 'matches' : 'does not match'}: ${reason}`)
    for (const [at, value] of Object.entries(because)) lines.push(`      ${at} = ${JSON.stringify(value)}`)
  }
  return lines.join('\n')
}

/** A study that the node has, and the earlier ones of its patient. */
async function storedStudy(
  database: Knex | null,
  studyInstanceUID: string,
): Promise<{ study: RoutableStudy; earlier: RoutableStudy[] }> {
  const row = await database?.('studies').where({ study_instance_uid: studyInstanceUID }).first('id')
  if (!database || !row) throw new HilumError('unknown-study', `study ${studyInstanceUID} is not known here`)
  return { study: await routableStudy(database, row.id), earlier: await earlierStudies(database, row.id) }
}

function configured(config: Config): ActiveRoute[] {
  return config.routes.map((definition) => ({ version: 0, definition }))
}

/** The active routes: the database's once it has some, until then those of the configuration. */
async function routesOf(config: Config, database: Knex | null): Promise<ActiveRoute[]> {
  const stored = database ? (await activeRoutes(database)).routes : []
  return stored.length > 0 ? stored : configured(config)
}
