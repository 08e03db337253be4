import { randomBytes } from 'node:crypto'
import { close, closeSync, fdatasync, fsync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { encodeFileMeta, type FileMeta } from '../dicom/part10.ts'
import { HilumError } from '../errors.ts'
import { FreeSpace, isAtLeast, leavesAt } from './free-space.ts'

/**
 * What can go wrong while bytes are taken in.
 * - `out-of-space`: the file system is full, or below the reserve
 * - `write-failed`: any other failure of the file system
 */
export type IncomingErrorCode = 'out-of-space' | 'write-failed'

export class IncomingError extends HilumError<IncomingErrorCode> {}

export interface IncomingOptions {
  dataDir: string
  /** False: files are not synced, so that a power loss may lose what was acknowledged. For measurements only. */
  sync: boolean
  /** Free bytes of the file system below which nothing is begun. */
  minimumFreeBytes: number
  /** Free bytes below which what has begun is ended as well; none by default. */
  emergencyFreeBytes?: number
  /** The watch over the file system that the process shares, instead of one with the two marks above. */
  space?: FreeSpace
}

/** Names that share their first four digits, and with them a folder of the objects store: few folders to make, none too large. */
const filesPerShard = 1000
/** Bytes after which the kernel is asked to write, while more arrive: a large object is nearly on disk when its last byte comes. */
const writeBackEvery = 8 * 1024 * 1024

/**
 * The folder where bytes become durable before they are acknowledged: `<dataDir>/incoming`. A file is `.part` while it is written,
 * `.dcm` when it is whole; what cannot be kept as an instance goes to `<dataDir>/quarantine`. Several processes may write to it.
 */
export class IncomingFolder {
  readonly folder: string
  readonly quarantineFolder: string
  readonly #options: IncomingOptions
  readonly #writer = randomBytes(6).toString('hex')
  readonly #space: FreeSpace
  #shard = ''
  #count = 0

  /** Makes the folders where they are missing. */
  constructor(options: IncomingOptions) {
    this.#options = options
    this.folder = path.join(options.dataDir, 'incoming')
    this.quarantineFolder = path.join(options.dataDir, 'quarantine')
    mkdirSync(this.folder, { recursive: true })
    mkdirSync(this.quarantineFolder, { recursive: true })
    const { minimumFreeBytes: minimumFree, emergencyFreeBytes: emergencyFree = 0 } = options
    const marks = { warnFree: 0, minimumFree, emergencyFree }
    this.#space = options.space ?? new FreeSpace({ folder: this.folder, marks })
  }

  /**
   * Begins a file with its preamble and file meta information (PS3.10 7.1); the data set is what is written to it.
   * @throws {IncomingError} `out-of-space` below the reserve, `write-failed`
   */
  begin(meta: FileMeta): IncomingFile {
    this.checkSpace()
    return new IncomingFile(this, this.nextId(), encodeFileMeta(meta))
  }

  /** As `begin`, for bytes that may be anything and bring no meta information of their own making, such as a part of a request. */
  beginRaw(): IncomingFile {
    this.checkSpace()
    return new IncomingFile(this, this.nextId(), null)
  }

  get sync(): boolean {
    return this.#options.sync
  }

  /** @throws {IncomingError} `out-of-space` when less than the reserve is free */
  checkSpace(): void {
    const state = attempt(() => this.#space.check())
    if (isAtLeast(state, 'refuse')) throw this.#outOfSpace(this.#space.marks.minimumFree)
  }

  /**
   * Counts bytes that are about to be written.
   * @throws {IncomingError} `out-of-space` in an emergency: what has begun may go on below the reserve, but not there
   */
  spend(bytes: number): void {
    if (attempt(() => this.#space.spend(bytes)) === 'emergency') throw this.#outOfSpace(this.#space.marks.emergencyFree)
  }

  #outOfSpace(mark: number): IncomingError {
    // A C-STORE response tells no more than 64 characters of it (PS3.7 C.4.2).
    const sentence = `${gibibytes(this.#space.read().free)} are free, ${gibibytes(leavesAt(mark))} are needed`
    return new IncomingError('out-of-space', sentence, { retry: 'transient' })
  }

  /** A name, without extension, that no other instance has. */
  nextId(): string {
    if (this.#count % filesPerShard === 0) this.#shard = randomBytes(2).toString('hex')
    this.#count++
    return `${this.#shard}${this.#writer}${this.#count.toString(16).padStart(8, '0')}`
  }
}

/** A file that is being taken in. Exactly one of `finish`, `discard` and `quarantine` ends it. */
export class IncomingFile {
  /** Where the bytes lie while they are written. */
  readonly path: string
  /** Offset of the first byte that was written, behind preamble and meta information. */
  readonly dataSetOffset: number
  readonly #folder: IncomingFolder
  readonly #id: string
  #fd: number
  #size = 0
  #unwritten = 0
  /** Under way while the kernel writes. */
  #writeBack: Promise<void> | null = null
  #failure: Error | null = null

  constructor(folder: IncomingFolder, id: string, head: Buffer | null) {
    this.#folder = folder
    this.#id = id
    this.path = path.join(folder.folder, `${id}.part`)
    this.dataSetOffset = head?.length ?? 0
    this.#fd = attempt(() => openSync(this.path, 'wx', 0o640))
    try {
      if (head) this.write(head)
    } catch (error) {
      this.discard()
      throw error
    }
  }

  /** Bytes of the file so far. */
  get size(): number {
    return this.#size
  }

  /**
   * Appends, synchronously: the bytes may be reused afterwards.
   * @throws {IncomingError}
   */
  write(chunk: Uint8Array): void {
    this.#folder.spend(chunk.length)
    attempt(() => {
      // A write to a nearly full disk may take a part only; the next one then says why.
      for (let done = 0; done < chunk.length; ) done += writeSync(this.#fd, chunk, done, chunk.length - done)
    })
    this.#size += chunk.length
    this.#unwritten += chunk.length
    if (this.#unwritten >= writeBackEvery && this.#folder.sync && this.#writeBack === null) this.#startWriteBack()
  }

  /**
   * Makes the file durable under its final name. The name is given first: one sync then commits data and name together.
   * @returns the name inside the incoming folder, and the size in bytes
   * @throws {IncomingError} the file is gone then
   */
  finish(): Promise<{ file: string; size: number }> {
    return this.#moveTo(this.#folder.folder)
  }

  /** Makes the file durable in the quarantine folder, whatever it holds. */
  quarantine(): Promise<{ file: string; size: number }> {
    return this.#moveTo(this.#folder.quarantineFolder)
  }

  /** Forgets the file. Does nothing when it has ended already. */
  discard(): void {
    if (this.#fd < 0) return
    const fd = this.#ended()
    rmSync(this.path, { force: true })
    // A descriptor that is closed under a sync may be somebody else's by then.
    if (this.#writeBack) void this.#writeBack.then(() => closeLater(fd))
    else closeLater(fd)
  }

  #startWriteBack(): void {
    this.#unwritten = 0
    this.#writeBack = new Promise((resolve) => {
      fdatasync(this.#fd, (error) => {
        this.#writeBack = null
        this.#failure ??= error
        resolve()
      })
    })
  }

  async #moveTo(folder: string): Promise<{ file: string; size: number }> {
    const file = `${this.#id}.dcm`
    const target = path.join(folder, file)
    try {
      await this.#writeBack
      // The kernel tells a descriptor of a failed write once only: the next sync may succeed without the data.
      if (this.#failure) throw this.#failure
      renameSync(this.path, target)
      if (this.#folder.sync) await syncFile(this.#fd)
    } catch (error) {
      for (const place of [this.path, target]) rmSync(place, { force: true })
      closeLater(this.#ended())
      throw asIncomingError(error)
    }
    closeSync(this.#ended())
    return { file, size: this.#size }
  }

  /** @returns the descriptor, which nobody uses any more */
  #ended(): number {
    const fd = this.#fd
    this.#fd = -1
    return fd
  }
}

/** Not here and now: to free what a large file held that has lost its name takes the file system long. */
function closeLater(fd: number): void {
  close(fd, () => undefined)
}

function syncFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => fsync(fd, (error) => (error ? reject(error) : resolve())))
}

function attempt<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw asIncomingError(error)
  }
}

/** What the file system said, as an error of this module. */
export function asIncomingError(cause: unknown): IncomingError {
  if (cause instanceof IncomingError) return cause
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unknown'
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new IncomingError('out-of-space', `the file system is full (${code})`, { retry: 'transient', cause })
  return new IncomingError('write-failed', `an incoming file could not be written (${code})`, {
    retry: 'transient',
    cause,
  })
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`
}
