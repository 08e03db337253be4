import { HilumError } from '../errors.ts'

/**
 * What can go wrong in the store.
 * - `invalid-key`: a text that is no object key
 * - `object-missing`: no bytes are stored under a key
 * - `invalid-database-url`: neither empty nor `postgres://…`
 * - `data-folder-taken`: another node runs on the data folder
 * - `cannot-unseal`: a secret of the database was sealed with another key
 * - `index-conflict`: rows changed between reading and writing; the same call may succeed
 */
export type StoreErrorCode =
  | 'invalid-key'
  | 'object-missing'
  | 'invalid-database-url'
  | 'data-folder-taken'
  | 'cannot-unseal'
  | 'index-conflict'

/** An error of the database or of the objects store. */
export class StoreError extends HilumError<StoreErrorCode> {}

/** True where a database refused a statement because of the values in it (constraint, range, length): repeating it cannot help. */
export function isAboutValues(error: unknown): boolean {
  const code = errorCode(error)
  return /^SQLITE_(CONSTRAINT|RANGE|TOOBIG|MISMATCH)/.test(code) || /^2[23]...$/.test(code)
}

/** True where another writer was quicker (unique violation, deadlock, serialization): the whole transaction may be repeated. */
export function isConflict(error: unknown): boolean {
  if (error instanceof StoreError) return error.code === 'index-conflict'
  const code = errorCode(error)
  return (
    code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_BUSY_SNAPSHOT' || ['23505', '40001', '40P01'].includes(code)
  )
}

/** The code of an error of a database or a file system; empty where it has none. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
