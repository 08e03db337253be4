import type { Knex } from 'knex'
import { RouteError } from './route-error.ts'
import type { StoredDefinition } from './route-versions.ts'

/** What is being written of a route, by one or several; it need not be valid, and decides nothing. */
export interface RouteDraft {
  name: string
  definition: StoredDefinition
  /** The version that it was begun from; null: the route is new. */
  basedOn: number | null
  createdBy: string
  updatedBy: string
  createdAt: string
  updatedAt: string
}

interface DraftRow {
  name: string
  definition: string
  based_on: number | null
  created_by: string
  updated_by: string
  created_at: string
  updated_at: string
}

function draftOf(row: DraftRow): RouteDraft {
  return {
    name: row.name,
    definition: JSON.parse(row.definition) as StoredDefinition,
    basedOn: row.based_on,
    createdBy: row.created_by,
    updatedBy: row.updated_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** All drafts, by name. */
export async function listDrafts(database: Knex): Promise<RouteDraft[]> {
  const rows: DraftRow[] = await database('route_drafts').orderBy('name').select('*')
  return rows.map(draftOf)
}

/** The draft of a route, or null. */
export async function findDraft(database: Knex, name: string): Promise<RouteDraft | null> {
  const row: DraftRow | undefined = await database('route_drafts').where({ name }).first()
  return row ? draftOf(row) : null
}

/**
 * Begins a draft.
 * @throws RouteError `draft-exists`
 */
export async function createDraft(
  database: Knex,
  definition: StoredDefinition,
  { at, actor, basedOn }: { at: string; actor: string; basedOn: number | null },
): Promise<RouteDraft> {
  const row: DraftRow = {
    name: definition.name,
    definition: JSON.stringify(definition),
    based_on: basedOn,
    created_by: actor,
    updated_by: actor,
    created_at: at,
    updated_at: at,
  }
  const written = await database('route_drafts').insert(row).onConflict('name').ignore().returning('name')
  if (written.length === 0)
    throw new RouteError('draft-exists', `there is a draft of "${definition.name}": change that one`)
  return draftOf(row)
}

/**
 * Changes a draft, where nobody has changed it since it was read.
 * @param seen the draft as it was read
 * @returns null where it has been changed, or is gone
 */
export async function changeDraft(
  database: Knex,
  seen: RouteDraft,
  definition: StoredDefinition,
  { at, actor }: { at: string; actor: string },
): Promise<RouteDraft | null> {
  const rows: DraftRow[] = await database('route_drafts')
    .where({ name: seen.name, definition: JSON.stringify(seen.definition), updated_at: seen.updatedAt })
    .update({ definition: JSON.stringify(definition), updated_by: actor, updated_at: at })
    .returning('*')
  return rows[0] ? draftOf(rows[0]) : null
}

/** @returns false where there was none */
export async function deleteDraft(database: Knex, name: string): Promise<boolean> {
  return (await database('route_drafts').where({ name }).delete()) > 0
}
