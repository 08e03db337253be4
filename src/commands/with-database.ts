import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Knex } from 'knex'
import type { Config } from '../config.ts'
import { createLog } from '../log.ts'
import { databaseVersion, openDatabase } from '../store/database.ts'

/**
 * Opens the node's database for a question, and closes it again.
 * @param use gets null where there is none yet: it is not made for a question
 */
export async function withDatabase<T>(config: Config, use: (database: Knex | null) => Promise<T>): Promise<T> {
  const { url } = config.database
  if (url === '' && !existsSync(path.join(config.dataDir, 'hilum.sqlite'))) return use(null)
  const database = await openDatabase({ url, dataDir: config.dataDir, log: createLog(config.log.level) })
  try {
    return await use((await databaseVersion(database)) === null ? null : database)
  } finally {
    await database.destroy()
  }
}
