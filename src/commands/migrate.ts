import { createLog } from '../log.ts'
import { databaseVersion, migrate, openDatabase } from '../store/database.ts'
import { configOf, print, readArguments } from './arguments.ts'

const usage = `hilum migrate [--config FILE]

Brings the database's schema up to date; start does the same. Forward only: a backup is the way back.
  --config FILE   the configuration file (default: config/hilum.yaml)`

/** `hilum migrate`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {})
  if (!parsed) return 0
  const config = configOf(parsed.values)
  const database = await openDatabase({
    url: config.database.url,
    dataDir: config.dataDir,
    log: createLog(config.log.level),
  })
  try {
    const before = await databaseVersion(database)
    await migrate(database)
    const after = await databaseVersion(database)
    print(
      before === after
        ? `The database is up to date (${after}).`
        : `The database went from ${before ?? 'empty'} to ${after}.`,
    )
    return 0
  } finally {
    await database.destroy()
  }
}
