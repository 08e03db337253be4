import type { Knex } from 'knex'

/** Where a secret of a destination is: sealed beside it, in a variable of the environment, or in a file. */
export type SecretPlace = { kind: 'sealed' } | { kind: 'env'; name: string } | { kind: 'file'; path: string }

/** A destination that was added while the node runs, without its secrets. */
export interface StoredDefinition {
  kind: 'stow-rs'
  url: string
  auth: { kind: 'none' } | { kind: 'basic'; username: string } | { kind: 'bearer' }
  /** Names of further HTTP headers; their values are secrets. */
  headers: string[]
  tls: { ca: string | null; certificate: string | null; rejectUnauthorized: boolean } | null
  /** Seconds. */
  timeout: number
  /** By what it is: `password`, `token`, `key`, or `header:` and its name. */
  secrets: Record<string, SecretPlace>
}

export interface StoredDestination {
  name: string
  definition: StoredDefinition
  /** Sealed JSON of the secrets whose place is `sealed`; null where there are none. */
  secrets: string | null
  author: string
  createdAt: string
  updatedAt: string
}

interface Row {
  name: string
  definition: string
  secrets: string | null
  author: string
  created_at: string
  updated_at: string
}

/** The destinations that were added while the node ran, by name. */
export async function storedDestinations(database: Knex): Promise<StoredDestination[]> {
  const rows: Row[] = await database('destinations').orderBy('name').select('*')
  return rows.map((row) => ({
    name: row.name,
    definition: JSON.parse(row.definition) as StoredDefinition,
    secrets: row.secrets,
    author: row.author,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }))
}

type Written = Pick<StoredDestination, 'name' | 'definition' | 'secrets'>

/** Adds a destination. @returns false where one of that name is there already */
export async function insertDestination(
  database: Knex,
  { name, definition, secrets }: Written,
  { at, author }: { at: string; author: string },
): Promise<boolean> {
  const added = await database('destinations')
    .insert({ name, definition: JSON.stringify(definition), secrets, author, created_at: at, updated_at: at })
    .onConflict('name')
    .ignore()
    .returning('name')
  return added.length > 0
}

/** Puts a definition in place of a destination's earlier one. @returns false where there is none */
export async function updateDestination(
  database: Knex,
  { name, definition, secrets }: Written,
  { at, author }: { at: string; author: string },
): Promise<boolean> {
  const values = { definition: JSON.stringify(definition), secrets, author, updated_at: at }
  return (await database('destinations').where({ name }).update(values)) > 0
}

/** Removes a destination. @returns false where there is none */
export async function deleteDestination(database: Knex, name: string): Promise<boolean> {
  await database('destination_tests').where({ name }).delete()
  return (await database('destinations').where({ name }).delete()) > 0
}
