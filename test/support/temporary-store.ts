import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Knex } from 'knex'
import { silentLog } from '../../src/log.ts'
import { Indexer } from '../../src/receive/indexer.ts'
import { migrate, openDatabase } from '../../src/store/database.ts'
import { DiskObjects } from '../../src/store/disk-objects.ts'

/** A database, an objects store and an indexer on a folder of their own. */
export interface TemporaryStore {
  dataDir: string
  incoming: string
  quarantine: string
  database: Knex
  objects: DiskObjects
  indexer: Indexer
  dispose(): Promise<void>
}

/** @param url empty: SQLite in the folder; else a PostgreSQL database that is empty or was used by tests before */
export async function temporaryStore(url = ''): Promise<TemporaryStore> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-store-'))
  const incoming = path.join(dataDir, 'incoming')
  const quarantine = path.join(dataDir, 'quarantine')
  for (const folder of [incoming, quarantine]) mkdirSync(folder)
  const database = await openDatabase({ url, dataDir, log: silentLog })
  await migrate(database)
  const objects = new DiskObjects(dataDir)
  const indexer = new Indexer({ database, objects, incomingFolder: incoming, log: silentLog })
  const dispose = async () => {
    await database.destroy()
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { dataDir, incoming, quarantine, database, objects, indexer, dispose }
}
