import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Knex } from 'knex'
import type { Config } from '../config.ts'
import { isUID } from '../dicom/uid.ts'
import { HilumError, messageOf } from '../errors.ts'
import { earlierStudies } from '../flow/earlier-studies.ts'
import { routableStudy } from '../flow/routable-study.ts'
import { activeRoutes, applyRoutes } from '../flow/routes.ts'
import { readRoutesYaml } from '../flow/routes-yaml.ts'
import { loadPipelines } from '../infer/load-pipelines.ts'
import { type ActiveRoute, evaluateRoutes } from '../route/evaluate-routes.ts'
import { explainRoutes } from '../route/explain.ts'
import type { RouteDefinition } from '../route/route-definition.ts'
import type { RoutableStudy } from '../route/study-facts.ts'
import { type KnownNames, unknownReferences } from '../route/unknown-references.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { knownPipelines } from './check.ts'
import { decisionText, explanationText, replay } from './route-trials.ts'
import { activateRoute, diffRoute, exportRoutes, showRoute, switchRoute } from './route-versions.ts'
import { studiesIn } from './studies-in.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum route list
hilum route show NAME
hilum route check [FILE]
hilum route test FILE|FOLDER|UID [--routes FILE] [--explain]
hilum route replay NAME|FILE [--days N] [--which VERSION|active|draft]
hilum route diff NAME [--from VERSION|active|draft] [--to VERSION|active|draft]
hilum route activate NAME --which VERSION|draft [--comment TEXT]
hilum route disable|enable NAME [--comment TEXT]
hilum route export [NAME]
hilum route apply [FILE]

  list      the active routes, of the database or, before the first start, of the configuration
  show      the versions of a route, when which was in force, and the one that is
  check     check the routes in a YAML file (one route, a list, or a file with "routes:"), or those of the configuration
  test      decide every route for the studies in DICOM files, or for a study that the node has; nothing is stored
  replay    decide a route for the studies of the last days, and compare it with the version in force; nothing is stored
  diff      what differs between two versions, field by field; from the active one to the draft where nothing is said
  activate  put an earlier version in force again, or the draft as the next version
  disable   switch a route off; enable switches it on again: each is the next version
  export    the active routes as YAML, as apply reads them
  apply     put the routes of a YAML file, or of the configuration, in force instead of all that are: each changed one becomes
            its next version, one that is no longer there is switched off; a running node takes them for the next study

  --routes FILE   try the routes of this file instead of the active ones
  --explain       every condition with its values
  --days N        the last N days (30)
  --which WHICH   a version, active or draft (replay: draft)
  --comment TEXT  why, for those who look at the versions
  --json          as JSON
  --config FILE   the configuration file (default: config/hilum.yaml)

Exit code 1 when a route has a problem, when no route matches, or when versions differ.`

const optionsOfRoute = {
  routes: { type: 'string' },
  explain: { type: 'boolean' },
  days: { type: 'string' },
  which: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  comment: { type: 'string' },
  json: { type: 'boolean' },
} as const

/** `hilum route`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, optionsOfRoute)
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, subject, ...more] = positionals
  if (more.length > 0) throw new UsageError(`route ${what}: one file, folder, name or UID at a time`, usage)
  const named = (needed: string): string => {
    if (subject === undefined) throw new UsageError(`route ${what}: name ${needed}`, usage)
    return subject
  }
  const json = values.json ?? false
  const { comment } = values
  switch (what) {
    case 'list':
      return await listRoutes(configOf(values), json)
    case 'check':
      return await checkRoutes(configOf(values), subject)
    case 'apply':
      return await apply(configOf(values), subject, comment)
    case 'export':
      return await exportRoutes(configOf(values), subject)
    case 'test':
      return await testRoutes(configOf(values), named('a DICOM file, a folder or a Study Instance UID'), values)
    case 'show':
      return await showRoute(configOf(values), named('a route'), json)
    case 'diff': {
      const [from, to] = [whichOf(values.from ?? 'active'), whichOf(values.to ?? 'draft')]
      return await diffRoute(configOf(values), named('a route'), { from, to, json })
    }
    case 'activate': {
      if (values.which === undefined || values.which === 'active')
        throw new UsageError('route activate: say --which version, or --which draft', usage)
      const name = named('a route')
      const config = configOf(values)
      const known = await knownTo(config)
      return await activateRoute(config, name, { which: whichOf(values.which), known, comment })
    }
    case 'disable':
    case 'enable':
      return await switchRoute(configOf(values), named('a route'), { enabled: what === 'enable', comment })
    case 'replay':
      return await replayRoutes(configOf(values), named('a route, or a YAML file'), values)
    default:
      throw new UsageError(
        'route: list, show, check, test, replay, diff, activate, disable, enable, export or apply',
        usage,
      )
  }
}

function whichOf(text: string): string {
  if (!/^([1-9]\d{0,8}|active|draft)$/.test(text))
    throw new UsageError(`route: "${text}" is no version, nor active or draft`, usage)
  return text
}

async function replayRoutes(
  config: Config,
  subject: string,
  values: { days?: string | undefined; which?: string | undefined; json?: boolean | undefined },
): Promise<number> {
  const days = Number(values.days ?? 30)
  if (!Number.isInteger(days) || days < 1 || days > 3650)
    throw new UsageError('route replay: --days is a whole number from 1 to 3650', usage)
  const json = values.json ?? false
  if (!existsSync(subject))
    return await replay(config, { name: subject, which: whichOf(values.which ?? 'draft') }, { days, json })
  const { routes, problems } = await readRoutes(subject)
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  const [route, ...others] = routes
  if (problems.length > 0) return 1
  if (!route || others.length > 0) throw new UsageError('route replay: a file with one route is expected', usage)
  return await replay(config, route.definition, { days, json })
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

/** The routes of a file, with every problem of each and its place. */
async function readRoutes(file: string): Promise<{ routes: ActiveRoute[]; problems: string[] }> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    return { routes: [], problems: [`${file}: ${messageOf(error)}`] }
  }
  const { definitions, problems } = readRoutesYaml(text)
  return {
    routes: definitions.map((definition) => ({ version: 0, definition })),
    problems: problems.map(({ route, path, expectation, line, column }) => {
      const subject = route === '' ? '' : `${route.includes(' ') ? route : `route "${route}"`}: `
      return `${file}:${line}:${column}: ${subject}${path === '' ? '' : `${path}: `}${expectation}`
    }),
  }
}

/** What the routes of this node may name. */
async function knownTo(config: Config): Promise<KnownNames> {
  const { pipelines } = await loadPipelines(config.pipelines.folder)
  const added = await withDatabase(config, async (database) =>
    database && (await database.schema.hasTable('destinations'))
      ? database('destinations').pluck<string[]>('name')
      : [],
  )
  return { destinations: [...Object.keys(config.destinations), ...added], pipelines: knownPipelines(pipelines) }
}

async function checkRoutes(config: Config, file: string | undefined): Promise<number> {
  const { routes, problems } =
    file === undefined ? { routes: configured(config), problems: [] } : await readRoutes(file)
  const known = await knownTo(config)
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

async function apply(config: Config, file: string | undefined, comment: string | undefined): Promise<number> {
  if ((await checkRoutes(config, file)) !== 0) return 1
  const routes = file === undefined ? configured(config) : (await readRoutes(file)).routes
  return withDatabase(config, async (database) => {
    if (!database) {
      print('the node has not been started yet: its first start takes the routes of the configuration')
      return file === undefined ? 0 : 1
    }
    const definitions = routes.map(({ definition }) => definition)
    const applied = await applyRoutes(database, definitions, {
      at: new Date().toISOString(),
      author: 'command line',
      comment: comment ?? null,
    })
    for (const [what, names] of Object.entries(applied) as [string, string[]][])
      if (names.length > 0) print(`${what}: ${names.join(', ')}`)
    print('A running node uses them for the next study. Destinations and pipelines that are new need a restart before.')
    return 0
  })
}

async function testRoutes(
  config: Config,
  subject: string,
  options: { routes?: string | undefined; json?: boolean | undefined; explain?: boolean | undefined },
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
      ...(options.explain && { explanations: explainRoutes(routes, study, stored ? { earlier: stored.earlier } : {}) }),
    }))
    if (options.json) print(JSON.stringify(answers, null, 2))
    else
      for (const { studyInstanceUID, decisions, explanations } of answers)
        print(
          explanations
            ? [`study ${studyInstanceUID}`, ...explanations.map(explanationText)].join('\n')
            : decisionText(studyInstanceUID, decisions),
        )
    return answers.some(({ decisions }) => decisions.some((decision) => decision.matched)) ? 0 : 1
  })
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
