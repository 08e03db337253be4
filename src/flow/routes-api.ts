import type { Readable } from 'node:stream'
import type { Knex } from 'knex'
import type { RoutesDeps } from '../admin/api-routes.ts'
import { parseRouteDefinition, type RouteDefinition, type RouteProblem } from '../route/route-definition.ts'
import { diffRoutes } from '../route/route-diff.ts'
import { type KnownNames, unknownReferences } from '../route/unknown-references.ts'
import { changeDraft, createDraft, deleteDraft, findDraft, listDrafts } from '../store/route-drafts.ts'
import { RouteError } from '../store/route-error.ts'
import {
  activateVersion,
  activationsOf,
  activeVersions,
  orderRoutes,
  putInForce,
  type RouteAct,
  type RouteVersion,
  retiredVersions,
  retireRoute,
  type StoredDefinition,
  versionsOf,
} from '../store/route-versions.ts'
import { readRoutesYaml, writeRoutesYaml } from './routes-yaml.ts'

export interface RoutesApiParts {
  database: Knex
  /** The pipelines and destinations that a route may name. */
  known: () => KnownNames | Promise<KnownNames>
}

type Routes = RoutesDeps['routes']
type Draft = Awaited<ReturnType<Routes['createDraft']>>
type Version = Awaited<ReturnType<Routes['list']>>['routes'][number]

/** Words that stand in the API's addresses where a name may stand. */
const reserved = new Set([
  'order',
  'validate',
  'export',
  'import',
  'test',
  'replay',
  'vocabulary',
  'calendar',
  'activity',
])
const longestYaml = 8 * 1024 * 1024

/** The routes as the API offers them. What is stored has the form that the API describes: it was checked when it came in. */
export function routesApi({ database, known }: RoutesApiParts): Routes {
  const now = () => new Date().toISOString()
  const check = async (definition: unknown) => checkDefinition(definition, await known())
  const requireValid = async (definition: unknown): Promise<RouteDefinition> => {
    const { definition: valid, problems } = await check(definition)
    if (valid && problems.length === 0) return valid
    throw new RouteError('route-invalid', `the route is not valid: ${sentenceOf(problems)}`)
  }
  const begin = async (definition: StoredDefinition, basedOn: number | null, actor: string): Promise<Draft> => {
    if (reserved.has(definition.name))
      throw new RouteError('name-reserved', `no route can be called "${definition.name}": the API uses the word`)
    return await createDraft(database, definition, { at: now(), actor, basedOn })
  }
  const inForce = async (name: string): Promise<RouteVersion> => {
    const active = (await versionsOf(database, name)).find((one) => one.active)
    if (!active) throw new RouteError('route-unknown', `no route "${name}" is in force`)
    return active
  }
  return {
    list: async () => ({
      routes: (await activeVersions(database)).map(versionAnswer),
      drafts: await listDrafts(database),
      retired: (await retiredVersions(database)).map(versionAnswer),
    }),
    get: async (name) => {
      const versions = await versionsOf(database, name)
      const draft = await findDraft(database, name)
      if (versions.length === 0 && !draft) return null
      return {
        name,
        activeVersion: versions.find((one) => one.active)?.version ?? null,
        draft,
        versions: versions.map(versionAnswer),
        activations: await activationsOf(database, name),
      }
    },
    validate: async (definition) => (await check(definition)).problems.map(problemAnswer),
    draft: (name) => findDraft(database, name),
    createDraft: async (from, actor) => {
      const name = 'definition' in from ? from.definition.name : from.name
      const versions = await versionsOf(database, name)
      if ('definition' in from)
        return await begin(from.definition, versions.find((one) => one.active)?.version ?? null, actor)
      const { version } = from
      const base = versions.find((one) => (version === null ? one.active : one.version === version))
      if (!base)
        throw new RouteError(
          version === null ? 'route-unknown' : 'version-unknown',
          version === null ? `no route "${name}" is in force` : `there is no version ${version} of a route "${name}"`,
        )
      return await begin(base.definition, base.version, actor)
    },
    changeDraft: (seen, definition, actor) => changeDraft(database, seen, definition, { at: now(), actor }),
    deleteDraft: (name) => deleteDraft(database, name),
    activateDraft: async (draft, act) => {
      const definition = await requireValid(draft.definition)
      const version = await putInForce(database, definition, actOf(act, now()))
      await deleteDraft(database, draft.name)
      return version
    },
    activateVersion: async (name, version, act) => {
      const found = (await versionsOf(database, name)).find((one) => one.version === version)
      // What was valid when it was made may name what is there no more.
      if (found) await requireValid(found.definition)
      await activateVersion(database, name, version, actOf(act, now()))
      return version
    },
    setEnabled: async (name, enabled, act) => {
      const { definition } = await inForce(name)
      const changed = { ...definition, enabled }
      return await putInForce(database, enabled ? await requireValid(changed) : changed, actOf(act, now()))
    },
    retire: (name, act) => retireRoute(database, name, actOf(act, now())),
    order: async () => (await activeVersions(database)).map(({ name }) => name),
    setOrder: (names) => orderRoutes(database, names),
    differences: async (name, from, to) => {
      const [before, after] = [await definitionOf(database, name, from), await definitionOf(database, name, to)]
      return { changes: diffRoutes(before, after) }
    },
    exportYaml: async (names) => {
      const active = await activeVersions(database)
      for (const name of names ?? [])
        if (!active.some((one) => one.name === name))
          throw new RouteError('route-unknown', `no route "${name}" is in force`)
      const wanted = active.filter((one) => names === null || names.includes(one.name))
      return writeRoutesYaml(wanted.map(({ definition }) => definition))
    },
    importYaml: async (stream, { actor, replace }) => {
      const { definitions, problems } = readRoutesYaml(await textOf(stream))
      const names = await known()
      for (const definition of definitions)
        for (const problem of unknownReferences(definition, names))
          problems.push({ route: definition.name, line: 1, column: 1, ...problem })
      const active = new Map((await activeVersions(database)).map((one) => [one.name, one]))
      const changed = definitions.filter(
        (definition) => JSON.stringify(active.get(definition.name)?.definition) !== JSON.stringify(definition),
      )
      for (const { name } of changed)
        if (!replace && (await findDraft(database, name)))
          problems.push({ route: name, path: '', expectation: `there is a draft of it`, line: 1, column: 1 })
      const unchanged = definitions.filter((one) => !changed.includes(one)).map(({ name }) => name)
      if (problems.length > 0)
        return { drafts: [], unchanged, problems: problems.map((one) => ({ ...problemAnswer(one), route: one.route })) }
      for (const definition of changed) {
        if (replace) await deleteDraft(database, definition.name)
        await begin(definition, active.get(definition.name)?.version ?? null, actor)
      }
      return { drafts: changed.map(({ name }) => name), unchanged, problems: [] }
    },
  }
}

/** A definition in all its forms: `draft`, `active`, or the number of a version. */
export async function definitionOf(database: Knex, name: string, which: string): Promise<StoredDefinition> {
  if (which === 'draft') {
    const draft = await findDraft(database, name)
    if (!draft) throw new RouteError('draft-unknown', `there is no draft of a route "${name}"`)
    return draft.definition
  }
  const versions = await versionsOf(database, name)
  const found = versions.find((one) => (which === 'active' ? one.active : one.version === Number(which)))
  if (found) return found.definition
  if (which === 'active') throw new RouteError('route-unknown', `no route "${name}" is in force`)
  throw new RouteError('version-unknown', `there is no version ${which} of a route "${name}"`)
}

/** Whether a definition can be put in force; every problem at once. */
export function checkDefinition(
  definition: unknown,
  known: KnownNames,
): { definition: RouteDefinition | null; problems: RouteProblem[] } {
  const parsed = parseRouteDefinition(definition)
  if (!parsed.ok) return { definition: null, problems: parsed.problems }
  return { definition: parsed.definition, problems: unknownReferences(parsed.definition, known) }
}

/** Problems as one text, each in its first line: the caret under a mistake needs lines of its own. */
export function sentenceOf(problems: readonly RouteProblem[]): string {
  return problems.map(({ path, expectation }) => `${path || 'the route'}: ${expectation.split('\n')[0]}`).join('; ')
}

function actOf({ actor, comment }: { actor: string; comment?: string | undefined }, at: string): RouteAct {
  return { actor, at, comment: comment ?? null }
}

function versionAnswer(version: RouteVersion): Version {
  return version as unknown as Version
}

function problemAnswer({ path, expectation, line, column }: RouteProblem) {
  return { path, expectation, line: line ?? null, column: column ?? null }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > longestYaml) throw new RouteError('body-too-long', `a file of routes has at most ${longestYaml} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
