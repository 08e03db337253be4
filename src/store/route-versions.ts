import type { Knex } from 'knex'
import { RouteError } from './route-error.ts'

/** A definition as it is stored; what is in it is for the routes to say. */
export type StoredDefinition = Readonly<Record<string, unknown>> & { readonly name: string }

/** One version of a route. It is never changed: decisions refer to it. */
export interface RouteVersion {
  name: string
  version: number
  /** In force now. */
  active: boolean
  definition: StoredDefinition
  author: string | null
  comment: string | null
  createdAt: string
}

/** A version that was put in force, or taken out. */
export interface RouteActivation {
  /** null: none is in force from then on. */
  version: number | null
  actor: string
  comment: string | null
  at: string
}

/** Who does it, when, and why. */
export interface RouteAct {
  /** ISO 8601 UTC. */
  at: string
  actor: string
  comment?: string | null
}

interface VersionRow {
  name: string
  version: number
  active: number
  position: number
  definition: string
  author: string | null
  comment: string | null
  created_at: string
}

const columns = ['name', 'version', 'active', 'position', 'definition', 'author', 'comment', 'created_at']

function versionOf(row: VersionRow): RouteVersion {
  return {
    name: row.name,
    version: row.version,
    active: row.active === 1,
    definition: JSON.parse(row.definition) as StoredDefinition,
    author: row.author,
    comment: row.comment,
    createdAt: row.created_at,
  }
}

/** The versions in force, in the order in which they are asked. */
export async function activeVersions(database: Knex): Promise<RouteVersion[]> {
  const rows: VersionRow[] = await database('routes')
    .where({ active: 1 })
    .orderBy(['position', 'name'])
    .select<VersionRow[]>(columns)
  return rows.map(versionOf)
}

/** The newest version of every route of which none is in force, by name. */
export async function retiredVersions(database: Knex): Promise<RouteVersion[]> {
  const rows: VersionRow[] = await database('routes')
    .whereNotExists(
      database({ other: 'routes' })
        .select(database.raw('1'))
        .whereRaw('other.name = routes.name and (other.active = 1 or other.version > routes.version)'),
    )
    .orderBy('name')
    .select<VersionRow[]>(columns)
  return rows.map(versionOf)
}

/** Every version of a route, the newest first; none where no route is called so. */
export async function versionsOf(database: Knex, name: string): Promise<RouteVersion[]> {
  const rows: VersionRow[] = await database('routes')
    .where({ name })
    .orderBy('version', 'desc')
    .select<VersionRow[]>(columns)
  return rows.map(versionOf)
}

/** When which version was put in force, the newest first; the last 200. */
export async function activationsOf(database: Knex, name: string): Promise<RouteActivation[]> {
  return await database('route_activations')
    .where({ name })
    .orderBy('id', 'desc')
    .limit(200)
    .select<RouteActivation[]>('version', 'actor', 'comment', 'at')
}

/**
 * Puts a definition in force as the next version of its name, in the place of the one before it, or at the end.
 * @returns the version, which is the one in force where the definition is the same
 */
export async function putInForce(database: Knex, definition: StoredDefinition, act: RouteAct): Promise<number> {
  return await database.transaction(async (trx) => {
    const { name } = definition
    const rows = await locked(trx, name)
    const active = rows.find((row) => row.active === 1)
    const text = JSON.stringify(definition)
    if (active?.definition === text) return active.version
    const version = Math.max(0, ...rows.map((row) => row.version)) + 1
    const position = active?.position ?? (await nextPosition(trx))
    await trx('routes').where({ name, active: 1 }).update({ active: 0 })
    await trx('routes').insert({
      name,
      version,
      active: 1,
      position,
      definition: text,
      author: act.actor,
      comment: act.comment ?? null,
      created_at: act.at,
    })
    await recordActivation(trx, name, version, act)
    return version
  })
}

/**
 * Puts a version that was made earlier in force again.
 * @throws RouteError `version-unknown`
 */
export async function activateVersion(database: Knex, name: string, version: number, act: RouteAct): Promise<void> {
  await database.transaction(async (trx) => {
    const rows = await locked(trx, name)
    const active = rows.find((row) => row.active === 1)
    if (!rows.some((row) => row.version === version))
      throw new RouteError('version-unknown', `there is no version ${version} of a route "${name}"`)
    if (active?.version === version) return
    const position = active?.position ?? (await nextPosition(trx))
    await trx('routes').where({ name, active: 1 }).update({ active: 0 })
    await trx('routes').where({ name, version }).update({ active: 1, position })
    await recordActivation(trx, name, version, act)
  })
}

/**
 * Takes a route out of force. Its versions stay, because decisions refer to them.
 * @returns false where none was in force
 * @throws RouteError `route-unknown`
 */
export async function retireRoute(database: Knex, name: string, act: RouteAct): Promise<boolean> {
  return await database.transaction(async (trx) => {
    const rows = await locked(trx, name)
    if (rows.length === 0) throw new RouteError('route-unknown', `no route is called "${name}"`)
    const retired = await trx('routes').where({ name, active: 1 }).update({ active: 0 })
    if (retired > 0) await recordActivation(trx, name, null, act)
    return retired > 0
  })
}

/**
 * Puts the routes in force into another order.
 * @param names all of them, each once
 * @throws RouteError `order-incomplete`
 */
export async function orderRoutes(database: Knex, names: readonly string[]): Promise<void> {
  await database.transaction(async (trx) => {
    const active: string[] = await trx('routes').where({ active: 1 }).forUpdate().pluck('name')
    const isWhole = names.length === active.length && new Set(names).size === names.length
    if (!isWhole || !active.every((name) => names.includes(name)))
      throw new RouteError('order-incomplete', 'the order names every route in force, each once')
    for (const [position, name] of names.entries()) await trx('routes').where({ name, active: 1 }).update({ position })
  })
}

/** Writes down that a version is in force from now on, or none. */
export async function recordActivation(
  trx: Knex,
  name: string,
  version: number | null,
  { actor, at, comment }: RouteAct,
): Promise<void> {
  await trx('route_activations').insert({ name, version, actor, comment: comment ?? null, at })
}

/** In PostgreSQL two people may do something at once: the second waits for the first. */
async function locked(trx: Knex, name: string): Promise<VersionRow[]> {
  return await trx('routes').where({ name }).forUpdate().select<VersionRow[]>(columns)
}

async function nextPosition(trx: Knex): Promise<number> {
  const row = await trx('routes').where({ active: 1 }).max<{ last: number | null }[]>({ last: 'position' })
  return (row[0]?.last ?? -1) + 1
}
