import type { Knex } from 'knex'
import { HilumError } from '../errors.ts'
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

/**
 * The active version of every route, in order.
 * @throws HilumError `invalid-route` when a stored definition is no longer valid, with its first problem
 */
export async function activeRoutes(database: Knex): Promise<ActiveRoute[]> {
  const rows = await database('routes')
    .where({ active: 1 })
    .orderBy(['position', 'name'])
    .select('name', 'version', 'definition')
  return rows.map((row: { name: string; version: number; definition: string }) => {
    const parsed = parseRouteDefinition(JSON.parse(row.definition))
    if (parsed.ok) return { version: row.version, definition: parsed.definition }
    const problem = parsed.problems[0]
    throw new HilumError(
      'invalid-route',
      `route "${row.name}" version ${row.version}: ${problem?.path}: ${problem?.expectation}`,
    )
  })
}
