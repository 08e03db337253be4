import type { Knex } from 'knex'
import type { ActiveRoute } from '../route/evaluate-routes.ts'
import { parseRouteDefinition, type RouteDefinition } from '../route/route-definition.ts'
import { recordActivation } from '../store/route-versions.ts'

/**
 * Puts the configured routes into the database at the first start. Afterwards the database is the truth: an edit of the
 * file changes nothing by itself (`applyRoutes` does), so that a route's versions and their decisions always belong together.
 * @returns how many routes were written; 0 where there were some already
 */
export async function seedRoutes(database: Knex, definitions: readonly RouteDefinition[], at: string): Promise<number> {
  return database.transaction(async (trx) => {
    const row = await trx('routes').count<{ n: number | string }[]>({ n: '*' })
    if (Number(row[0]?.n ?? 0) > 0 || definitions.length === 0) return 0
    const rows = definitions.map((definition, position) =>
      rowOf(definition, { version: 1, position, author: 'configuration', at }),
    )
    await trx('routes').insert(rows)
    for (const { name } of definitions) await recordActivation(trx, name, 1, { actor: 'configuration', at })
    return definitions.length
  })
}

/** What applying route definitions changed, by route name. */
export interface AppliedRoutes {
  added: string[]
  changed: string[]
  removed: string[]
  unchanged: string[]
}

/**
 * Puts route definitions in force, instead of all that are: a changed definition becomes the next version of its name, one that is no
 * longer named is switched off. Earlier versions stay, because decisions refer to them. Takes effect with the next completed study.
 */
export async function applyRoutes(
  database: Knex,
  definitions: readonly RouteDefinition[],
  { at, author, comment = null }: { at: string; author: string; comment?: string | null },
): Promise<AppliedRoutes> {
  const act = { at, actor: author, comment }
  return database.transaction(async (trx) => {
    const rows: StoredRoute[] = await trx('routes').select('name', 'version', 'active', 'position', 'definition')
    const applied: AppliedRoutes = { added: [], changed: [], removed: [], unchanged: [] }
    for (const [position, definition] of definitions.entries()) {
      const { name } = definition
      const versions = rows.filter((row) => row.name === name)
      const active = versions.find((row) => row.active === 1)
      if (active?.definition === JSON.stringify(definition)) {
        await trx('routes').where({ name, active: 1 }).update({ position })
        applied.unchanged.push(name)
        continue
      }
      const version = Math.max(0, ...versions.map((row) => row.version)) + 1
      await trx('routes').where({ name, active: 1 }).update({ active: 0 })
      await trx('routes').insert(rowOf(definition, { version, position, author, at, comment }))
      await recordActivation(trx, name, version, act)
      applied[active ? 'changed' : 'added'].push(name)
    }
    const names = definitions.map((definition) => definition.name)
    for (const { name } of rows.filter((row) => row.active === 1 && !names.includes(row.name))) {
      await trx('routes').where({ name, active: 1 }).update({ active: 0 })
      await recordActivation(trx, name, null, act)
      applied.removed.push(name)
    }
    return applied
  })
}

interface StoredRoute {
  name: string
  version: number
  active: number
  definition: string
}

function rowOf(
  definition: RouteDefinition,
  row: { version: number; position: number; author: string; at: string; comment?: string | null },
) {
  const { version, position, author, at, comment = null } = row
  const { name } = definition
  return { name, version, active: 1, position, definition: JSON.stringify(definition), author, comment, created_at: at }
}

/** A stored route that this version of the program cannot read: it decides nothing, and says so, while the others go on. */
export interface InvalidRoute {
  name: string
  version: number
  /** One sentence. */
  reason: string
}

/** The active version of every route, in order; those whose stored definition is no longer valid apart. */
export async function activeRoutes(database: Knex): Promise<{ routes: ActiveRoute[]; invalid: InvalidRoute[] }> {
  const rows: { name: string; version: number; definition: string }[] = await database('routes')
    .where({ active: 1 })
    .orderBy(['position', 'name'])
    .select('name', 'version', 'definition')
  const routes: ActiveRoute[] = []
  const invalid: InvalidRoute[] = []
  for (const { name, version, definition } of rows) {
    const parsed = parseRouteDefinition(JSON.parse(definition))
    if (parsed.ok) routes.push({ version, definition: parsed.definition })
    else {
      const problem = parsed.problems[0]
      invalid.push({ name, version, reason: `the route is no longer valid: ${problem?.path}: ${problem?.expectation}` })
    }
  }
  return { routes, invalid }
}
