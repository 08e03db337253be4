import { createReadStream, createWriteStream } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import path from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createInflateRaw } from 'node:zlib'
import { extract } from 'tar'
import { PipelineActError } from '../admin/api-pipelines.ts'
import { messageOf } from '../errors.ts'

export interface UnpackLimits {
  /** Of all files together, unpacked. */
  bytes: number
  files: number
}

/** Folders inside folders. */
const deepest = 16
const safeSegment = /^[^\0\\/:*?"<>|]{1,200}$/

/** What a file is, by its first bytes: an archive, or something else. */
export async function archiveKind(file: string): Promise<'zip' | 'tar' | null> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(262), 0, 262, 0)
    if (bytesRead >= 4 && buffer.readUInt32LE(0) === localHeader) return 'zip'
    // gzip; or the magic of a ustar header.
    if (bytesRead >= 2 && buffer[0] === 0x1f && buffer[1] === 0x8b) return 'tar'
    return buffer.toString('latin1', 257, 262) === 'ustar' ? 'tar' : null
  } finally {
    await handle.close()
  }
}

/**
 * Unpacks an archive into an empty folder. Only plain files come out of it, only inside the folder, and no more than the limits.
 * @throws PipelineActError `bad-archive`, `too-large`
 */
export async function unpack(file: string, kind: 'zip' | 'tar', folder: string, limits: UnpackLimits): Promise<void> {
  const room = new Room(limits)
  try {
    if (kind === 'zip') await unpackZip(file, folder, room)
    else await unpackTar(file, folder, room)
  } catch (error) {
    if (error instanceof PipelineActError) throw error
    throw new PipelineActError('bad-archive', `the archive cannot be unpacked: ${messageOf(error)}`)
  }
}

/** Counts what comes out. */
class Room {
  readonly #limits: UnpackLimits
  #files = 0
  #bytes = 0

  constructor(limits: UnpackLimits) {
    this.#limits = limits
  }

  file(): void {
    if (++this.#files > this.#limits.files)
      throw new PipelineActError('too-large', `the archive holds more than ${this.#limits.files} files`)
  }

  take(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.bytes)
      throw new PipelineActError('too-large', `unpacked, the archive is larger than ${this.#limits.bytes} bytes`)
  }
}

/**
 * The path of an archive's entry inside a folder; null for what computers add of themselves.
 * @throws PipelineActError `bad-archive` for whatever could lead out of the folder
 */
export function placeOf(entry: string): string | null {
  const segments = entry.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (
    entry.startsWith('/') ||
    segments.length > deepest ||
    segments.some((one) => one === '..' || !safeSegment.test(one))
  )
    throw new PipelineActError(
      'bad-archive',
      `the archive holds a file whose name cannot be used: ${JSON.stringify(entry.slice(0, 200))}`,
    )
  if (segments.length === 0 || segments[0] === '__MACOSX' || segments.at(-1) === '.DS_Store') return null
  return segments.join(path.sep)
}

/**
 * tar would inflate by itself, in the main thread and as much as there is: it gets what was inflated, and every byte of that is counted,
 * also of entries that are left out.
 */
async function unpackTar(file: string, folder: string, room: Room): Promise<void> {
  let refused: unknown = null
  const target = extract({
    cwd: folder,
    strict: true,
    preserveOwner: false,
    noChmod: true,
    brotli: false,
    zstd: false,
    filter: (name, entry) => {
      if (refused !== null) return false
      try {
        if (!('type' in entry) || (entry.type !== 'File' && entry.type !== 'OldFile')) return false
        if (placeOf(name) === null) return false
        room.file()
        return true
      } catch (error) {
        refused = error
        return false
      }
    },
  })
  // Not events.once: an error in the midst would reject what nobody waits for yet.
  const closed = new Promise<void>((resolve) => {
    target.once('close', resolve).once('abort', resolve)
  })
  let wake = () => {}
  for (const event of ['drain', 'close', 'abort'] as const) target.on(event, () => wake())
  target.on('error', (error: unknown) => {
    refused ??= error
    wake()
  })
  try {
    for await (const chunk of await inflated(file)) {
      room.take(chunk.length)
      const drained = new Promise<void>((resolve) => {
        wake = resolve
      })
      const isTaken = target.write(chunk)
      if (refused !== null) break
      if (!isTaken) await drained
    }
  } catch (error) {
    refused ??= error
  }
  target.end()
  await closed
  if (refused !== null) throw refused
}

/** What a .tar or .tar.gz holds. @throws PipelineActError `bad-archive` where it is compressed twice */
async function inflated(file: string): Promise<AsyncIterable<Buffer>> {
  const source = createReadStream(file, { highWaterMark: chunkSize })
  if (!(await isGzip(file))) return source
  const gunzip = createGunzip({ chunkSize })
  // What goes wrong with it is told by what is read.
  pipeline(source, gunzip).catch(() => {})
  return onceCompressed(gunzip)
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return buffer.equals(gzipMagic)
  } finally {
    await handle.close()
  }
}

async function* onceCompressed(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head = Buffer.alloc(0)
  for await (const chunk of source) {
    if (head.length < 2) head = Buffer.concat([head, chunk.subarray(0, 2)]).subarray(0, 2)
    if (head.equals(gzipMagic)) throw bad('it is compressed twice')
    yield chunk
  }
}

const gzipMagic = Buffer.from([0x1f, 0x8b])
/** Bytes that are inflated and looked at in one go. */
const chunkSize = 256 * 1024
const localHeader = 0x04034b50
const centralHeader = 0x02014b50
const endOfCentral = 0x06054b50
const end64Locator = 0x07064b50
const end64 = 0x06064b50
/** Longest comment, and the end record itself. */
const tailLength = 65_535 + 22
/** It is read in one go: enough for some 15,000 entries. */
const mostCentral = 4 * 2 ** 20

interface ZipEntry {
  name: string
  method: number
  encrypted: boolean
  compressed: number
  size: number
  at: number
  isLink: boolean
}

/** Unpacks a .zip (APPNOTE 6.3): stored and deflated files, also beyond 4 GiB. */
async function unpackZip(file: string, folder: string, room: Room): Promise<void> {
  const handle = await open(file, 'r')
  try {
    for (const entry of await zipEntries(handle)) {
      if (entry.name.endsWith('/')) continue
      const place = placeOf(entry.name)
      if (place === null) continue
      if (entry.isLink) throw bad(`${entry.name} is a link`)
      if (entry.encrypted) throw bad(`${entry.name} is encrypted`)
      room.file()
      await unpackEntry(file, handle, entry, path.join(folder, place), room)
    }
  } finally {
    await handle.close()
  }
}

async function unpackEntry(file: string, handle: FileHandle, entry: ZipEntry, to: string, room: Room): Promise<void> {
  const { buffer } = await handle.read(Buffer.alloc(30), 0, 30, entry.at)
  if (buffer.readUInt32LE(0) !== localHeader) throw bad(`${entry.name} is not where it should be`)
  const start = entry.at + 30 + buffer.readUInt16LE(26) + buffer.readUInt16LE(28)
  await mkdir(path.dirname(to), { recursive: true })
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        room.take(chunk.length)
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  const target = createWriteStream(to, { flags: 'wx' })
  if (entry.compressed === 0) {
    await pipeline(counted.end(), target)
    return
  }
  const source = createReadStream(file, { start, end: start + entry.compressed - 1 })
  if (entry.method === 0) await pipeline(source, counted, target)
  else if (entry.method === 8) await pipeline(source, createInflateRaw(), counted, target)
  else throw bad(`${entry.name} is compressed by method ${entry.method}: deflate is expected`)
}

async function zipEntries(handle: FileHandle): Promise<ZipEntry[]> {
  const { size } = await handle.stat()
  const length = Math.min(size, tailLength)
  const { buffer: tail } = await handle.read(Buffer.alloc(length), 0, length, size - length)
  let at = length - 22
  while (at >= 0 && tail.readUInt32LE(at) !== endOfCentral) at--
  if (at < 0) throw bad('it has no end: it was not uploaded whole')
  let count = tail.readUInt16LE(at + 10)
  let bytes = tail.readUInt32LE(at + 12)
  let offset = tail.readUInt32LE(at + 16)
  if (at >= 20 && tail.readUInt32LE(at - 20) === end64Locator) {
    const { buffer } = await handle.read(Buffer.alloc(56), 0, 56, Number(tail.readBigUInt64LE(at - 12)))
    if (buffer.readUInt32LE(0) !== end64) throw bad('its directory cannot be found')
    count = Number(buffer.readBigUInt64LE(32))
    bytes = Number(buffer.readBigUInt64LE(40))
    offset = Number(buffer.readBigUInt64LE(48))
  }
  if (bytes > mostCentral) throw bad('its directory is too large')
  const { buffer: directory } = await handle.read(Buffer.alloc(bytes), 0, bytes, offset)
  const entries: ZipEntry[] = []
  let next = 0
  for (let n = 0; n < count; n++) {
    if (next + 46 > bytes || directory.readUInt32LE(next) !== centralHeader) throw bad('its directory is damaged')
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      directory.readUInt16LE(next + field),
    ) as [number, number, number]
    const name = directory.toString('utf8', next + 46, next + 46 + nameLength)
    const extra = directory.subarray(next + 46 + nameLength, next + 46 + nameLength + extraLength)
    const sizes = {
      size: directory.readUInt32LE(next + 24),
      compressed: directory.readUInt32LE(next + 20),
      at: directory.readUInt32LE(next + 42),
    }
    entries.push({
      name,
      method: directory.readUInt16LE(next + 10),
      encrypted: (directory.readUInt16LE(next + 8) & 1) === 1,
      // The upper half of the external attributes is the mode, where Unix wrote them.
      isLink: ((directory.readUInt32LE(next + 38) >>> 16) & 0o170000) === 0o120000,
      ...withLarge(sizes, extra),
    })
    next += 46 + nameLength + extraLength + commentLength
  }
  return entries
}

/** What does not fit into 32 bits stands in the extra field of type 1, in this order. */
function withLarge<Sizes extends { size: number; compressed: number; at: number }>(sizes: Sizes, extra: Buffer): Sizes {
  const large = { ...sizes }
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    let from = at + 4
    for (const field of ['size', 'compressed', 'at'] as const)
      if (large[field] === 0xffffffff && from + 8 <= extra.length) {
        large[field] = Number(extra.readBigUInt64LE(from))
        from += 8
      }
  }
  return large
}

function bad(why: string): PipelineActError {
  return new PipelineActError('bad-archive', `the archive cannot be unpacked: ${why}`)
}
