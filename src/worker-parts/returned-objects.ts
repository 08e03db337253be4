import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rmdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { pipeline as stream } from 'node:stream/promises'
import type { Pipeline } from '../infer/manifest/pipeline.ts'
import type { InferTask, WrittenFile } from '../infer/task.ts'

/** Where in a task's folder programs' objects are put. */
function folderOf({ outFolder }: Pick<InferTask, 'outFolder'>): string {
  return path.join(outFolder, 'returned')
}

/** Makes the folder for DICOM objects that programs return; undefined where the pipeline has no program that is given any. */
export async function returnsFolder(
  task: Pick<InferTask, 'outFolder'>,
  { infer }: Pick<Pipeline, 'infer'>,
): Promise<string | undefined> {
  const isGiven = infer.some(({ model }) => model.some((one) => one.runtime === 'command' && one.series.length > 0))
  if (!isGiven) return undefined
  await mkdir(folderOf(task))
  return folderOf(task)
}

/**
 * Objects that programs returned, with the identity of their study restored, as files for export. They are the program's own: nothing says
 * that they are valid, so that they are kept beside the results and delivered nowhere.
 */
export async function returnedObjects(task: Pick<InferTask, 'outFolder'>): Promise<WrittenFile[]> {
  const names: string[] = await readdir(folderOf(task)).catch(() => [])
  const files: WrittenFile[] = []
  for (const name of names.sort()) {
    const file = `returned-${name}`
    const target = path.join(task.outFolder, file)
    await rename(path.join(folderOf(task), name), target)
    const { size } = await stat(target)
    const sha256 = await syncedDigest(target)
    files.push({ role: 'returned', output: 'returned', file, mediaType: 'application/dicom', size, sha256 })
  }
  await rmdir(folderOf(task)).catch(() => {})
  return files
}

async function syncedDigest(file: string): Promise<string> {
  const handle = await open(file, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  const hash = createHash('sha256')
  await stream(createReadStream(file), hash)
  return hash.digest('hex')
}
