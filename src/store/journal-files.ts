import { closeSync, type fsync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'

/** Bytes of an open file. @throws what the file system says, and where the file ends before them */
export function readRange(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  const read = readSync(fd, bytes, 0, length, offset)
  if (read !== length) throw new Error(`a journal ends after ${read} of ${length} bytes of an instance`)
  return bytes
}

/**
 * Writes a file under its name, not synced yet: one sync then commits name and bytes. The folder is made where it is missing.
 * @param part where it lies while it is written
 * @returns the open descriptor
 */
export function createFile(target: string, bytes: Buffer, part: string): number {
  const fd = openSync(part, 'w', 0o640)
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done)
    renameInto(part, target)
    return fd
  } catch (error) {
    closeSync(fd)
    rmSync(part, { force: true })
    throw error
  }
}

function renameInto(from: string, target: string): void {
  try {
    renameSync(from, target)
  } catch (error) {
    if (!isMissing(error)) throw error
    mkdirSync(path.dirname(target), { recursive: true })
    renameSync(from, target)
  }
}

/** Closes a descriptor behind a sync. @throws what the sync says */
export async function closed(fd: number, sync: typeof fsync): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => sync(fd, (error) => (error ? reject(error) : resolve())))
  } finally {
    closeSync(fd)
  }
}

/** As Promise.all, but nothing is under way any more when it throws. */
export async function allDone(promises: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(promises)).find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
}

/** Null for what is missing. @throws any other error, unchanged */
export function unlessMissing(error: unknown): null {
  if (isMissing(error)) return null
  throw error
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
