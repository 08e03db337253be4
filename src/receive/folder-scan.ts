import { opendir } from 'node:fs/promises'
import path from 'node:path'
import { isGone, isPassedOver, versionOf } from './folder-file.ts'
import type { FileVersion } from './folder-memory.ts'

const batchLength = 200

/**
 * Walks a folder and everything below it, without following links.
 * @param relative where to begin, inside the folder; empty: all of it
 * @param onFiles told of files, some at a time; false ends the walk
 * @returns true when it came to its end
 * @throws what the file system says of the folder itself; what it says of something inside goes to `onTrouble`
 */
export async function scanFolder(
  root: string,
  relative: string,
  on: {
    files: (files: FileVersion[]) => Promise<boolean>
    trouble: (relative: string, error: unknown) => void
    /** A folder inside was read to its end. */
    read: (relative: string) => void
  },
): Promise<boolean> {
  let batch: FileVersion[] = []
  const folders = [relative]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      for await (const entry of await opendir(path.join(root, folder))) {
        const inside = path.join(folder, entry.name)
        if (isPassedOver(inside)) continue
        if (entry.isDirectory()) folders.push(inside)
        if (!entry.isFile()) continue
        const version = await versionOf(root, inside)
        if (version) batch.push(version)
        if (batch.length < batchLength) continue
        if (!(await on.files(batch))) return false
        batch = []
      }
      on.read(folder)
    } catch (error) {
      if (folder === '') throw error
      if (!isGone(error)) on.trouble(folder, error)
    }
  }
  return batch.length === 0 || (await on.files(batch))
}
