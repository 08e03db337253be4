import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Knex } from 'knex'
import knex from 'knex'
import pg from 'pg'
import type { Log } from '../log.ts'
import { StoreError } from './error.ts'

/** The repository's migrations, seen from `src/store` and from `dist/store` alike. */
const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))

const migrations: Knex.MigratorConfig = { directory: migrationsFolder, loadExtensions: ['.mjs'] }

export interface DatabaseOptions {
  /** Empty: SQLite in the data folder; `postgres://…` or `postgresql://…`: PostgreSQL. */
  url: string
  dataDir: string
  log: Log
}

/**
 * Opens the node's database. The caller ends it with `destroy()`.
 * @throws StoreError `invalid-database-url`
 */
export async function openDatabase(options: DatabaseOptions): Promise<Knex> {
  const database = knex({ ...dialectOf(options), log: knexLog(options.log), compileSqlOnError: false })
  try {
    await database.raw('select 1')
  } catch (error) {
    await database.destroy()
    throw error
  }
  return database
}

/** True where the database is SQLite: one connection, one writer. */
export function isSQLite(database: Knex): boolean {
  return database.client.config.client === 'better-sqlite3'
}

function dialectOf({ url, dataDir }: DatabaseOptions): Knex.Config {
  if (url === '') return sqlite(path.join(dataDir, 'hilum.sqlite'))
  if (/^postgres(ql)?:\/\//.test(url)) return postgres(url)
  // The URL is not repeated: it may hold a password.
  throw new StoreError('invalid-database-url', 'database.url is neither empty (SQLite) nor begins with postgres://')
}

function sqlite(filename: string): Knex.Config {
  mkdirSync(path.dirname(filename), { recursive: true })
  return {
    client: 'better-sqlite3',
    connection: { filename },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      afterCreate(connection: SQLiteConnection, done: (error: Error | null, connection: SQLiteConnection) => void) {
        connection.pragma('journal_mode = WAL')
        // FULL, not NORMAL: after the commit an instance leaves the incoming folder, which is the journal that would repair the index.
        // With NORMAL a power loss could take the commit back after that. One sync a batch is cheap.
        connection.pragma('synchronous = FULL')
        connection.pragma('foreign_keys = ON')
        connection.pragma('busy_timeout = 5000')
        connection.pragma('cache_size = -32768')
        done(null, connection)
      },
    },
  }
}

interface SQLiteConnection {
  pragma(text: string): unknown
}

/** int8 (counts, bytes) and numeric (sums) are far below 2^53 here, and are numbers as in SQLite. */
const numeric = new Set<number>([pg.types.builtins.INT8, pg.types.builtins.NUMERIC])

function postgres(connectionString: string): Knex.Config {
  const getTypeParser = (oid: number, format: string) =>
    numeric.has(oid) && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format as 'text')
  const connection = { connectionString, types: { getTypeParser }, application_name: 'hilum' }
  return { client: 'pg', connection, pool: { min: 0, max: 10 }, acquireConnectionTimeout: 15_000 }
}

function knexLog(log: Log): Knex.Logger {
  return {
    warn: (message: unknown) => log.warn('database warning', { message: String(message) }),
    error: (message: unknown) => log.error('database error', { message: String(message) }),
    deprecate: () => {},
    debug: () => {},
  }
}

/** Brings the schema up to date (forward only), and says how far it is. Safe to call at every start. */
export async function migrate(database: Knex, log?: Log): Promise<void> {
  const [, pending] = (await database.migrate.list(migrations)) as [unknown[], unknown[]]
  if (pending.length === 0) return
  // SQLite has one node, so a lock that is still there was left by one that was killed. In PostgreSQL it may be another node's.
  if (isSQLite(database)) await database.migrate.forceFreeMigrationsLock(migrations)
  const report = (sentence: string): void => log?.info('the database is brought up to date', { step: sentence })
  await database.withUserParams({ report }).migrate.latest(migrations)
}

/** The newest migration that has been applied, such as `001-initial`; null for an empty database. */
export async function databaseVersion(database: Knex): Promise<string | null> {
  const [completed] = (await database.migrate.list(migrations)) as [{ name: string }[], unknown[]]
  return completed.at(-1)?.name.replace(/\.mjs$/, '') ?? null
}
