import type { Knex } from 'knex'
import type { ActiveRoute } from '../route/evaluate-routes.ts'
import { parseRouteDefinition, type RouteDefinition } from '../route/route-definition.ts'

/**
 * Puts the configured routes into the database at the first start. Afterwards the database is the truth: an edit of the
 * file changes nothing by itself, so that a route's versions and their decisions always belong together.
 * @returns how many routes were written; 0 where there were some already
 */
export async function seedRoutes(database: Knex, definitions: readonly RouteDefinition[], at: string): Promise<number> {
  return database.transaction(async (trx) => {
    const row = await trx('routes').count<{ n: number | string }[]>({ n: '*' })
    if (Number(row[0]?.n ?? 0) > 0 || definitions.length === 0) return 0
    await trx('routes').insert(
      definitions.map((definition, position) => ({
        name: definition.name,
        version: 1,
        active: 1,
        position,
        definition: JSON.stringify(definition),
        author: 'configuration',
        created_at: at,
      })),
    )
    return definitions.length
  })
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
