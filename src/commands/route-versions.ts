import type { Knex } from 'knex'
import type { Config } from '../config.ts'
import { HilumError } from '../errors.ts'
import { checkDefinition, definitionOf, sentenceOf } from '../flow/routes-api.ts'
import { writeRoutesYaml } from '../flow/routes-yaml.ts'
import { diffRoutes, type TextPart } from '../route/route-diff.ts'
import type { KnownNames } from '../route/unknown-references.ts'
import { deleteDraft, findDraft } from '../store/route-drafts.ts'
import {
  activateVersion,
  activationsOf,
  activeVersions,
  putInForce,
  type RouteAct,
  type StoredDefinition,
  versionsOf,
} from '../store/route-versions.ts'
import { print } from './arguments.ts'
import { withDatabase } from './with-database.ts'

/** The commands that speak of versions; each answers with the exit code. */

/** Everything that is known of a route. */
export async function showRoute(config: Config, name: string, json: boolean): Promise<number> {
  return await withStarted(config, async (database) => {
    const versions = await versionsOf(database, name)
    const draft = await findDraft(database, name)
    const activations = await activationsOf(database, name)
    if (versions.length === 0 && !draft) throw new HilumError('route-unknown', `no route is called "${name}"`)
    if (json) print(JSON.stringify({ name, versions, draft, activations }, null, 2))
    else {
      for (const { version, active, author, createdAt, comment } of versions)
        print(
          `version ${version}  ${active ? 'in force' : '        '}  ${createdAt}  ${author ?? '?'}${comment ? `  ${comment}` : ''}`,
        )
      if (draft) print(`draft  ${draft.updatedAt}  ${draft.updatedBy}`)
      for (const { version, at, actor, comment } of activations)
        print(
          `${at}  ${version === null ? 'out of force' : `version ${version} in force`}  ${actor}${comment ? `  ${comment}` : ''}`,
        )
      const shown = versions.find((one) => one.active)?.definition ?? draft?.definition
      if (shown) print(writeRoutesYaml([shown]).trimEnd())
    }
    return 0
  })
}

/** What differs; exit code 1 where something does. @param from, to a version, `active` or `draft` */
export async function diffRoute(
  config: Config,
  name: string,
  { from, to, json }: { from: string; to: string; json: boolean },
): Promise<number> {
  return await withStarted(config, async (database) => {
    const changes = diffRoutes(await definitionOf(database, name, from), await definitionOf(database, name, to))
    if (json) print(JSON.stringify(changes, null, 2))
    else
      for (const { path, before, after, text } of changes)
        print(`${path}: ${text ? text.map(marked).join('') : `${JSON.stringify(before)} -> ${JSON.stringify(after)}`}`)
    return changes.length === 0 ? 0 : 1
  })
}

function marked({ kind, text }: TextPart): string {
  return kind === 'same' ? text : kind === 'removed' ? `[-${text}-]` : `{+${text}+}`
}

/** Puts a version in force again, or the draft as the next one. @param which a version, or `draft` */
export async function activateRoute(
  config: Config,
  name: string,
  { which, known, comment }: { which: string; known: KnownNames; comment: string | undefined },
): Promise<number> {
  return await withStarted(config, async (database) => {
    const { definition, problems } = checkDefinition(await definitionOf(database, name, which), known)
    if (!definition || problems.length > 0)
      throw new HilumError('route-invalid', `the route is not valid: ${sentenceOf(problems)}`)
    const act = actWith(comment)
    if (which === 'draft') {
      const version = await putInForce(database, definition, act)
      await deleteDraft(database, name)
      print(`${name}: version ${version} is in force`)
    } else {
      await activateVersion(database, name, Number(which), act)
      print(`${name}: version ${which} is in force`)
    }
    return 0
  })
}

/** Switches a route on or off, as its next version. */
export async function switchRoute(
  config: Config,
  name: string,
  { enabled, comment }: { enabled: boolean; comment: string | undefined },
): Promise<number> {
  return await withStarted(config, async (database) => {
    const definition: StoredDefinition = { ...(await definitionOf(database, name, 'active')), enabled }
    const version = await putInForce(database, definition, actWith(comment))
    print(`${name}: ${enabled ? 'on' : 'off'}, version ${version}`)
    return 0
  })
}

/** Routes in force as YAML, as `apply` reads them. */
export async function exportRoutes(config: Config, name: string | undefined): Promise<number> {
  return await withStarted(config, async (database) => {
    const active = (await activeVersions(database)).filter((one) => name === undefined || one.name === name)
    if (name !== undefined && active.length === 0)
      throw new HilumError('route-unknown', `no route "${name}" is in force`)
    print(writeRoutesYaml(active.map(({ definition }) => definition)).trimEnd())
    return 0
  })
}

function actWith(comment: string | undefined): RouteAct {
  return { at: new Date().toISOString(), actor: 'command line', comment: comment ?? null }
}

/** @throws HilumError before the first start: then there are the configuration's routes only */
export async function withStarted(config: Config, use: (database: Knex) => Promise<number>): Promise<number> {
  return await withDatabase(config, async (database) => {
    if (!database) throw new HilumError('not-started', 'the node has not been started yet: it has no routes of its own')
    return await use(database)
  })
}
