import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { errorCode } from '../store/error.ts'

interface Kept {
  file: string
  bytes: number
}

/** Small pictures on disk: a folder for each study, so that they go with it. The least recently used are deleted beyond the limit. */
export class ThumbnailFiles {
  readonly #folder: string
  readonly #mostBytes: number
  /** In the order of their last use. */
  #kept: Map<string, Kept> | null = null
  #bytes = 0

  constructor(dataDir: string, mostBytes: number) {
    this.#folder = path.join(dataDir, 'thumbnails')
    this.#mostBytes = mostBytes
  }

  async read(studyInstanceUID: string, key: string): Promise<Buffer | null> {
    const file = path.join(this.#folderOf(studyInstanceUID), `${key}.png`)
    try {
      const bytes = await readFile(file)
      const kept = this.#kept?.get(file)
      if (kept) {
        this.#kept?.delete(file)
        this.#kept?.set(file, kept)
      }
      return bytes
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null
      throw error
    }
  }

  async write(studyInstanceUID: string, key: string, bytes: Buffer): Promise<void> {
    const folder = this.#folderOf(studyInstanceUID)
    await mkdir(folder, { recursive: true })
    const file = path.join(folder, `${key}.png`)
    await writeFile(`${file}.part`, bytes)
    await rename(`${file}.part`, file)
    const kept = (this.#kept ??= await this.#found())
    if (!kept.has(file)) this.#bytes += bytes.length
    kept.set(file, { file, bytes: bytes.length })
    await this.#makeRoom(kept)
  }

  async forget(studyInstanceUID: string): Promise<void> {
    const folder = this.#folderOf(studyInstanceUID)
    await rm(folder, { recursive: true, force: true })
    for (const [file, { bytes }] of this.#kept ?? [])
      if (path.dirname(file) === folder) {
        this.#kept?.delete(file)
        this.#bytes -= bytes
      }
  }

  async #makeRoom(kept: Map<string, Kept>): Promise<void> {
    for (const [file, { bytes }] of kept) {
      if (this.#bytes <= this.#mostBytes) return
      kept.delete(file)
      this.#bytes -= bytes
      await rm(file, { force: true })
    }
  }

  /** What an earlier run of the node left, the oldest first. */
  async #found(): Promise<Map<string, Kept>> {
    const found: (Kept & { at: number })[] = []
    for (const entry of await readdir(this.#folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = path.join(entry.parentPath, entry.name)
      const { size, mtimeMs } = await stat(file)
      found.push({ file, bytes: size, at: mtimeMs })
    }
    found.sort((a, b) => a.at - b.at)
    this.#bytes = found.reduce((sum, { bytes }) => sum + bytes, 0)
    return new Map(found.map(({ file, bytes }) => [file, { file, bytes }]))
  }

  /** A name that says nothing of the study. */
  #folderOf(studyInstanceUID: string): string {
    const digest = createHash('sha256').update(studyInstanceUID).digest('hex')
    return path.join(this.#folder, digest.slice(0, 2), digest.slice(2, 34))
  }
}
