import { open, readdir } from 'node:fs/promises'
import path from 'node:path'

/** Every Part 10 file under a folder, sorted by path; other files and DICOMDIRs are left out. */
export async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files: string[] = []
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.toUpperCase() === 'DICOMDIR') continue
    const file = path.resolve(entry.parentPath, entry.name)
    if (await beginsLikePart10(file)) files.push(file)
  }
  return files.sort()
}

/** PS3.10 7.1: 128 bytes of preamble, then `DICM`. */
async function beginsLikePart10(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 128)
    return bytesRead === 4 && buffer.toString('latin1') === 'DICM'
  } finally {
    await handle.close()
  }
}
