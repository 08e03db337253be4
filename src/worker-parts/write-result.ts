import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import type { EncodedObject, ExportedFile } from '../encode/encoded.ts'
import type { InferTask, WrittenFile, WrittenResult } from '../infer/task.ts'

/** Written at once; frames alone would make thousands of small writes. */
const writeBytes = 1024 * 1024

/** Writes an object's chunks as they come, and syncs the file before it counts as written. */
export async function writeObject(
  object: EncodedObject,
  output: string,
  { outFolder, predecessors }: Pick<InferTask, 'outFolder' | 'predecessors'>,
): Promise<WrittenResult> {
  const file = `${object.role}.dcm`
  const { size, sha256 } = await writeFile(path.join(outFolder, file), object.chunks)
  const supersedes = predecessors.find((p) => p.role === object.role && p.sopInstanceUID !== object.sopInstanceUID)
  const { role, sopClassUID, sopInstanceUID, seriesInstanceUID, modality } = object
  return {
    role,
    output,
    file,
    size,
    sha256,
    sopClassUID,
    sopInstanceUID,
    seriesInstanceUID,
    modality,
    supersedes: supersedes?.sopInstanceUID ?? null,
  }
}

/** As `writeObject`, for a file that is no DICOM object. */
export async function writeExport(
  { role, name, mediaType, chunks }: ExportedFile,
  output: string,
  { outFolder }: Pick<InferTask, 'outFolder'>,
): Promise<WrittenFile> {
  return { role, output, file: name, mediaType, ...(await writeFile(path.join(outFolder, name), chunks)) }
}

async function writeFile(file: string, chunks: Iterable<Uint8Array>): Promise<{ size: number; sha256: string }> {
  const handle = await open(file, 'wx')
  try {
    const written = await writeChunks(handle, chunks)
    await handle.sync()
    return written
  } finally {
    await handle.close()
  }
}

async function writeChunks(
  handle: FileHandle,
  chunks: Iterable<Uint8Array>,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256')
  let size = 0
  let waiting: Uint8Array[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    const block = Buffer.concat(waiting)
    hash.update(block)
    size += block.length
    // Unlike write(), this goes on until everything is written.
    await handle.appendFile(block)
    waiting = []
    bytes = 0
  }
  for (const chunk of chunks) {
    waiting.push(chunk)
    bytes += chunk.length
    if (bytes >= writeBytes) await flush()
  }
  await flush()
  return { size, sha256: hash.digest('hex') }
}
