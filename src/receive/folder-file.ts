import { constants } from 'node:fs'
import { type FileHandle, lstat, open, realpath, unlink } from 'node:fs/promises'
import path from 'node:path'
import { HilumError } from '../errors.ts'
import type { FileVersion } from './folder-memory.ts'

/**
 * Why a file of a watched folder is not read now.
 * - `file-changed`: somebody still writes it, or has put another in its place
 * - `not-a-file`: it is gone, a link, or something else than a file
 * - `stopping`: the node ends
 */
export type FolderFileErrorCode = 'file-changed' | 'not-a-file' | 'stopping'

export class FolderFileError extends HilumError<FolderFileErrorCode> {}

/** Endings under which applications write what they rename when it is whole. */
const unfinishedName = /\.(part|partial|tmp|temp|filepart|crdownload)$/i

/** True for a path that is not looked at: hidden files and folders, and unfinished files. */
export function isPassedOver(relative: string): boolean {
  return unfinishedName.test(relative) || relative.split(path.sep).some((name) => name.startsWith('.'))
}

/** True for a name that says that the file is meant to be DICOM. */
export function hasDicomName(relative: string): boolean {
  return /\.(dcm|dicom|dic|ima)$/i.test(relative)
}

/** The file as it is now; null where there is none, or where it is a link or no file. @throws what the file system says */
export async function versionOf(root: string, relative: string): Promise<FileVersion | null> {
  try {
    const stats = await lstat(path.join(root, relative), { bigint: true })
    if (!stats.isFile()) return null
    return { relative, size: Number(stats.size), modified: String(stats.mtimeNs) }
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
}

/** Whether an error says that something is not there (any more). */
export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

const pieceLength = 256 * 1024

/**
 * The bytes of a file of the folder, and of no other: no link is followed, and the file has to be the same at the end as it was.
 * @param root real path of the folder
 * @throws {FolderFileError}, and what the file system says
 */
export async function* readVersion(
  root: string,
  version: FileVersion,
  isStopping: () => boolean,
): AsyncGenerator<Buffer, void, void> {
  const file = path.join(root, version.relative)
  // A folder on the way may have become a link to somewhere else since it was listed.
  if ((await realpath(path.dirname(file))) !== path.dirname(file))
    throw new FolderFileError('not-a-file', 'a folder on the way to a file is a link')
  // Not blocking: something that is no file any more, such as a pipe, must not hold us.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    await checkUnchanged(handle, version)
    for (;;) {
      if (isStopping()) throw new FolderFileError('stopping', 'the node ends', { retry: 'transient' })
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(pieceLength), 0, pieceLength)
      if (bytesRead === 0) break
      yield buffer.subarray(0, bytesRead)
    }
    await checkUnchanged(handle, version)
  } finally {
    await handle.close()
  }
}

async function checkUnchanged(handle: FileHandle, { size, modified }: FileVersion): Promise<void> {
  const stats = await handle.stat({ bigint: true })
  if (!stats.isFile()) throw new FolderFileError('not-a-file', 'it is no file')
  if (Number(stats.size) !== size || String(stats.mtimeNs) !== modified)
    throw new FolderFileError('file-changed', 'the file changes while it is read', { retry: 'transient' })
}

/**
 * Deletes a file that was taken in, unless another one stands in its place.
 * @throws what the file system says
 */
export async function deleteVersion(root: string, version: FileVersion): Promise<void> {
  const now = await versionOf(root, version.relative)
  if (now === null || now.size !== version.size || now.modified !== version.modified) return
  await unlink(path.join(root, version.relative))
}
