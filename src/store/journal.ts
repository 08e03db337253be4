import { randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

/**
 * The form of a journal: a file of fixed length in which small instances become durable, one behind the other. It begins with a block
 * that names its generation; then come groups of records, each at the beginning of a block: a block that holds what was acknowledged
 * is never written again. A record is a header and a Part 10 file. Records of another generation were left by an earlier use.
 */

/** Where an instance lies in a journal. */
export interface JournalPlace {
  /** Of the journal, without folder and extension. */
  journal: string
  /** Of the first byte of the Part 10 file. */
  offset: number
}

/** A Part 10 file that is to become durable in a journal. */
export interface JournalEntry {
  /** Name of the file that it becomes, as the incoming folder gives names. */
  file: string
  /** ms since 1970. */
  at: number
  /** The bytes; they must not change until the entry is durable. */
  parts: readonly Buffer[]
}

/** What is known of a record. */
export interface JournalRecord {
  /** Name of the file that it becomes, as the incoming folder gives names. */
  file: string
  /** ms since 1970. */
  at: number
  offset: number
  /** Bytes of the Part 10 file. */
  length: number
}

/** Bytes of a journal file. */
export const journalLength = 32 * 1024 * 1024
/** Groups begin at multiples of it, in bytes: no device writes less than that, and no page is shared between two groups. */
export const blockLength = 4096
export const recordHeaderLength = 64
const fileMagic = Buffer.from('HILUMJN1')
const recordMagic = 0x524c4d48
const generationLength = 8
const nameLength = 24
const extension = '.dcm'
/** Offsets inside a record's header. */
const at = { generation: 4, length: 12, checksum: 16, time: 20, name: 28, headerChecksum: 52, void: 56 }

/** Offset, relative to a record's Part 10 file, of the four bytes that are other than zero where the record was taken back. */
export const voidOffset = at.void - recordHeaderLength

/** A name of one use of a journal that no other use has. */
export const newGeneration = (): Buffer => randomBytes(generationLength)

/** The first block of a journal. */
export function encodeJournalHead(generation: Buffer): Buffer {
  const head = Buffer.alloc(blockLength)
  fileMagic.copy(head)
  generation.copy(head, fileMagic.length)
  return head
}

/**
 * The header that goes before a Part 10 file.
 * @param entry.file of 24 characters and `.dcm`
 * @param length bytes of all parts
 */
export function encodeRecordHeader(generation: Buffer, entry: JournalEntry, length: number): Buffer {
  const header = Buffer.alloc(recordHeaderLength)
  header.writeUInt32LE(recordMagic, 0)
  generation.copy(header, at.generation)
  header.writeUInt32LE(length, at.length)
  let checksum = 0
  for (const part of entry.parts) checksum = crc32(part, checksum)
  header.writeUInt32LE(checksum, at.checksum)
  header.writeDoubleLE(entry.at, at.time)
  header.write(entry.file, at.name, nameLength, 'latin1')
  header.writeUInt32LE(crc32(header.subarray(0, at.headerChecksum)), at.headerChecksum)
  return header
}

/** True for names that fit a record. */
export function fitsJournal(file: string): boolean {
  return file.length === nameLength + extension.length && file.endsWith(extension)
}

/** The next offset at which a group may begin. */
export const nextBlock = (offset: number): number => Math.ceil(offset / blockLength) * blockLength

/** A record with its bytes. */
export interface ReadRecord extends JournalRecord {
  bytes: Buffer
  /** False where the bytes are not those that were announced: the record was being written, or the disk has lost it. */
  isWhole: boolean
}

/**
 * The records of a journal's current generation in the order in which they were written, but those that were taken back.
 * @throws what the file system says
 */
export async function* readJournal(journal: FileHandle): AsyncGenerator<ReadRecord> {
  const head = await readAt(journal, 0, fileMagic.length + generationLength)
  if (!head.subarray(0, fileMagic.length).equals(fileMagic)) return
  const generation = head.subarray(fileMagic.length)
  for (let offset = blockLength; ; ) {
    const header =
      (await headerAt(journal, offset, generation)) ?? (await headerAt(journal, nextBlock(offset), generation))
    if (header === null) return
    offset = header.offset + header.length
    if (header.isVoid) continue
    const bytes = await readAt(journal, header.offset, header.length)
    const isWhole = bytes.length === header.length && crc32(bytes) === header.checksum
    yield { file: header.file, at: header.at, offset: header.offset, length: header.length, bytes, isWhole }
  }
}

interface RecordHeader extends JournalRecord {
  checksum: number
  isVoid: boolean
}

async function headerAt(journal: FileHandle, offset: number, generation: Buffer): Promise<RecordHeader | null> {
  const header = await readAt(journal, offset, recordHeaderLength)
  if (header.length < recordHeaderLength || header.readUInt32LE(0) !== recordMagic) return null
  if (!header.subarray(at.generation, at.generation + generationLength).equals(generation)) return null
  if (header.readUInt32LE(at.headerChecksum) !== crc32(header.subarray(0, at.headerChecksum))) return null
  return {
    file: header.toString('latin1', at.name, at.name + nameLength) + extension,
    at: header.readDoubleLE(at.time),
    offset: offset + recordHeaderLength,
    length: header.readUInt32LE(at.length),
    checksum: header.readUInt32LE(at.checksum),
    isVoid: header.readUInt32LE(at.void) !== 0,
  }
}

async function readAt(journal: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  const { bytesRead } = await journal.read(bytes, 0, length, position)
  return bytes.subarray(0, bytesRead)
}
