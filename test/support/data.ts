import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The repository's root folder, absolute. */
export const repository = root

/**
 * The absolute path of a public data set beside the repository, or null where it is absent: tests that need it then skip and say so.
 * @param parts path inside the data folder
 */
export function sharedData(...parts: string[]): string | null {
  const found = path.join(root, '..', 'shared', 'data', ...parts)
  return existsSync(found) ? found : null
}
