import { createHash } from 'node:crypto'
import { StoreError } from './error.ts'
import type { JournalShelf } from './journal-shelf.ts'

/** Where the bytes of instances and results lie. Keys come from `keyOf`, or begin with `results/`. */
export interface Objects {
  /** Takes the file over under the key; the file is gone from where it was. Doing it again after a crash is harmless. */
  put(key: string, fromPath: string): Promise<void>
  /**
   * A local path to read from; an object that still waits in the incoming folder is found there.
   * @throws StoreError `object-missing`
   */
  pathOf(key: string): Promise<string>
  /** Bytes; null where nothing is stored. */
  stat(key: string): Promise<{ size: number } | null>
  /** Forgets the object; it is no error when there is none. */
  remove(key: string): Promise<void>
  /** Received instances whose bytes lie in journals; where they are indexed, the methods above find them there. */
  readonly journals: JournalShelf
}

const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/

/**
 * Returns the key if it is one: segments of letters, digits, `.`, `_` and `-`, none of which begins with a dot, at most 255 characters.
 * @throws StoreError `invalid-key`
 */
export function validKey(key: string): string {
  const segments = key.split('/')
  if (key.length > 255 || segments.length < 2 || !segments.every((part) => segment.test(part)))
    throw new StoreError(
      'invalid-key',
      `object key ${JSON.stringify(key.slice(0, 80))} is not of the form aa/bb/name.dcm`,
    )
  return key
}

/**
 * The key of a received file: `<2 hex>/<2 hex>/<file>`, so that no folder grows without bound. The digits are the name's own first four
 * where it begins with hexadecimal ones, else of its SHA-256.
 * @param file name inside the incoming folder
 * @throws StoreError `invalid-key`
 */
export function keyOf(file: string): string {
  const own = /^[0-9a-f]{4}/.exec(file)?.[0]
  const digits = own ?? createHash('sha256').update(file).digest('hex').slice(0, 4)
  if (!file.endsWith('.dcm') || !segment.test(file))
    throw new StoreError('invalid-key', 'a received file has an unexpected name')
  return validKey(`${digits.slice(0, 2)}/${digits.slice(2)}/${file}`)
}
