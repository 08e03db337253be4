import path from 'node:path'
import Database from 'better-sqlite3'
import { StoreError } from './error.ts'

/**
 * Takes a data folder for this process: two nodes on one folder would delete each other's unfinished files and run each other's jobs.
 * The lock is SQLite's own file lock, which the system gives back when the process ends, however it ends.
 * @returns gives the folder back
 * @throws StoreError `data-folder-taken`
 */
export function lockDataFolder(dataDir: string): () => void {
  const lock = new Database(path.join(dataDir, 'lock.sqlite'), { timeout: 2_000 })
  try {
    lock.pragma('locking_mode = EXCLUSIVE')
    lock.exec('begin exclusive')
  } catch (error) {
    lock.close()
    throw new StoreError('data-folder-taken', 'another node runs on this data folder', { cause: error })
  }
  return () => void lock.close()
}
