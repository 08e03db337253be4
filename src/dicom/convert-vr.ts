import { open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import {
  type ElementHeader,
  type HeaderSyntax,
  hasLongLength,
  isPixelDataTag,
  itemDelimitationTag,
  itemTag,
  readElementHeader,
  sequenceDelimitationTag,
  tagKey,
  undefinedLength,
} from './element-header.ts'
import { maximumDepth, pixelRepresentation } from './element-reader.ts'
import { DicomError } from './error.ts'
import { FileReader, type ForwardReader, inflateFrom, StreamReader } from './forward-reader.ts'
import { startOf } from './head.ts'
import { TS } from './transfer-syntax.ts'

/** What is converted: the data set of a file. */
export interface StoredDataSet {
  path: string
  transferSyntaxUID: string
  /** Of the data set's first byte in the file. */
  offset: number
}

/** Takes bytes that were converted; they are copied before it returns, or before its promise resolves. */
export type WriteBytes = (bytes: Buffer) => void | Promise<void>

const sources: ReadonlySet<string> = new Set([TS.implicitVRLittleEndian, TS.explicitVRLittleEndian, TS.deflated])
/** What uncompressed data sets are converted to, best first: explicit VR says more. */
export const convertedSyntaxes: readonly string[] = [TS.explicitVRLittleEndian, TS.implicitVRLittleEndian]

/**
 * The transfer syntaxes that a data set can be given in, best first: the one that it is stored in, and where that is an uncompressed
 * little endian one, those that differ in element headers only (PS3.5 7.1, A.1, A.2).
 */
export function syntaxesFor(transferSyntaxUID: string): string[] {
  if (!sources.has(transferSyntaxUID)) return [transferSyntaxUID]
  return [transferSyntaxUID, ...convertedSyntaxes.filter((uid) => uid !== transferSyntaxUID)]
}

/** Bytes of a value that are copied at a time. */
const copiedAtOnce = 64 * 1024
/** Elements after which others have their turn: where the bytes are at hand, nothing else interrupts a walk. */
const elementsPerTurn = 2048
/** The longest value with a length of 16 bits; longer ones are of even length, and UN (PS3.5 6.2.2). */
const maximumShortLength = 0xfffe

/**
 * Writes a stored data set in explicit or implicit VR little endian. Bytes of values stay as they are, only headers change: sequences and
 * items get undefined lengths, group lengths are left out. Towards explicit VR the data dictionary gives the VR, and UN stands for
 * what it does not know (PS3.5 6.2.2). Memory is bounded. The data set is walked once before the first byte is written.
 * @param to one of `syntaxesFor`
 * @throws {DicomError} `unreadable`, `truncated`: before anything is written, as long as the file stays as it is; what the file
 * system and `write` throw
 */
export async function convertDataSet(stored: StoredDataSet, to: string, write: WriteBytes): Promise<void> {
  const explicitVR = to !== TS.implicitVRLittleEndian
  // A sign-dependent element may stand before Pixel Representation: the first walk finds it.
  const signed = await convertOnce(stored, { explicitVR, signed: false, write: null })
  await convertOnce(stored, { explicitVR, signed, write })
}

interface Target {
  explicitVR: boolean
  /** Whether pixels are signed, as far as that is known beforehand. */
  signed: boolean
  /** null: nothing is written, and values are not read. */
  write: WriteBytes | null
}

/** @returns whether pixels are signed */
async function convertOnce(stored: StoredDataSet, target: Target): Promise<boolean> {
  if (stored.transferSyntaxUID === TS.deflated) return await convertDeflated(stored, target)
  const handle = await open(stored.path, 'r')
  try {
    const { size } = await handle.stat()
    const reader = new FileReader(handle, size, { position: stored.offset, atOnce: copiedAtOnce })
    return await convertAll(
      reader,
      { explicitVR: stored.transferSyntaxUID !== TS.implicitVRLittleEndian, size },
      target,
    )
  } finally {
    await handle.close()
  }
}

async function convertDeflated(stored: StoredDataSet, target: Target): Promise<boolean> {
  const stream = inflateFrom(stored.path, stored.offset)
  try {
    return await convertAll(new StreamReader(stream), { explicitVR: true, size: null }, target)
  } catch (error) {
    // zlib says whether the deflated stream breaks off or is no deflated stream
    if (error instanceof Error && 'errno' in error && !(error instanceof DicomError))
      throw new DicomError('unreadable', `the deflated data set is not whole: ${messageOf(error)}`, { cause: error })
    throw error
  } finally {
    stream.destroy()
  }
}

interface Conversion {
  reader: ForwardReader
  target: Target
  /** Bytes of the file; null while inflating. */
  size: number | null
  met: { elements: number }
}

/** What the elements of a data set or an item depend on; items inherit it. */
interface Scope {
  syntax: HeaderSyntax
  signed: boolean
}

async function convertAll(
  reader: ForwardReader,
  source: { explicitVR: boolean; size: number | null },
  target: Target,
): Promise<boolean> {
  const { syntax } = startOf(await reader.peek(8), { explicitVR: source.explicitVR, littleEndian: true })
  const conversion = { reader, target, size: source.size, met: { elements: 0 } }
  const scope = { syntax, signed: target.signed }
  const header = emptyHeader()
  for (;;) {
    const bytes = await reader.peek(12)
    // Some writers pad the file itself; anything but zeros is the beginning of an element.
    if (bytes.length < 8 && bytes.every((byte) => byte === 0)) return scope.signed
    await readHeader(conversion, scope, header)
    const { tag } = header
    if (tag === itemDelimitationTag || tag === sequenceDelimitationTag) continue
    // Group 0 belongs to commands (PS3.7); zeros after the last element look like it as well.
    if (tag < 0x00010000) await reader.skip(header.length)
    else await convertElement(conversion, scope, header, 0)
  }
}

const emptyHeader = (): ElementHeader => ({ tag: 0, vr: '', explicit: null, size: 0, length: 0 })

/** Reads a header, and passes it. */
async function readHeader(conversion: Conversion, scope: Scope, header: ElementHeader): Promise<void> {
  const { reader, size, met } = conversion
  met.elements++
  if (met.elements % elementsPerTurn === 0) await setImmediate()
  const bytes = await reader.peek(12)
  const rest = size === null ? Number.MAX_SAFE_INTEGER : size - reader.position
  const options = { ...scope.syntax, end: bytes.length, signed: scope.signed, rest }
  if (!readElementHeader(bytes, 0, options, header))
    throw new DicomError('truncated', 'the data set ends inside the header of an element')
  await reader.skip(header.size)
}

/** Converts an element whose header is passed. */
async function convertElement(
  conversion: Conversion,
  scope: Scope,
  header: ElementHeader,
  depth: number,
): Promise<void> {
  const { tag, vr, explicit, length } = header
  if (length === undefinedLength) {
    const hasFragments = isPixelDataTag(tag) || ((vr === 'OB' || vr === 'OW') && explicit !== null)
    if (hasFragments || (vr !== 'SQ' && vr !== 'UN' && explicit !== null))
      throw new DicomError(
        'unreadable',
        `${tagKey(tag)} of VR ${vr} has an undefined length in an uncompressed data set`,
      )
    // UN of undefined length is a sequence in implicit VR little endian (PS3.5 6.2.2).
    const syntax = explicit === 'UN' ? implicitLittleEndian : scope.syntax
    await convertSequence(conversion, { ...scope, syntax }, { tag, end: null, depth: depth + 1 })
    return
  }
  if (tag % 0x10000 === 0) return await passOver(conversion, tag, length)
  if (vr === 'SQ')
    return await convertSequence(conversion, scope, {
      tag,
      end: conversion.reader.position + length,
      depth: depth + 1,
    })
  await writeHeader(conversion, tag, vr, length)
  if (tag === pixelRepresentation && length === 2)
    scope.signed = (await conversion.reader.peek(2)).equals(Buffer.from([1, 0]))
  await copyValue(conversion, tag, length)
}

const implicitLittleEndian: HeaderSyntax = { explicitVR: false, littleEndian: true }

/** Converts the items of a sequence, to its end or to its delimiter. */
async function convertSequence(
  conversion: Conversion,
  scope: Scope,
  { tag, end, depth }: { tag: number; end: number | null; depth: number },
): Promise<void> {
  if (depth > maximumDepth)
    throw new DicomError('unreadable', `sequences are nested deeper than ${maximumDepth} levels`)
  const { reader } = conversion
  await writeHeader(conversion, tag, 'SQ', undefinedLength)
  while (end === null || reader.position < end) {
    const bytes = await reader.peek(8)
    if (bytes.length < 8) throw new DicomError('truncated', `the data set ends inside sequence ${tagKey(tag)}`)
    const item = bytes.readUInt16LE(0) * 0x10000 + bytes.readUInt16LE(2)
    const length = bytes.readUInt32LE(4)
    await reader.skip(8)
    if (item === sequenceDelimitationTag) {
      if (end === null) break
      continue
    }
    if (item !== itemTag)
      throw new DicomError('unreadable', `sequence ${tagKey(tag)}: ${tagKey(item)} stands where an item is expected`)
    await writeHeader(conversion, itemTag, null, undefinedLength)
    const itemEnd = length === undefinedLength ? null : reader.position + length
    const endedSequence = await convertItem(conversion, { ...scope }, { end: itemEnd, depth })
    await writeHeader(conversion, itemDelimitationTag, null, 0)
    if (endedSequence) break
  }
  if (end !== null && reader.position !== end)
    throw new DicomError('unreadable', `sequence ${tagKey(tag)} holds something that leads beyond its end`)
  await writeHeader(conversion, sequenceDelimitationTag, null, 0)
}

/** Converts the elements of an item; true when the sequence's delimiter ended it instead of its own. */
async function convertItem(
  conversion: Conversion,
  scope: Scope,
  { end, depth }: { end: number | null; depth: number },
): Promise<boolean> {
  const { reader } = conversion
  const header = emptyHeader()
  while (end === null || reader.position < end) {
    await readHeader(conversion, scope, header)
    if (header.tag === itemDelimitationTag) {
      if (end === null) return false
      continue
    }
    if (header.tag === sequenceDelimitationTag && end === null) return true
    await convertElement(conversion, scope, header, depth)
  }
  if (reader.position !== end) throw new DicomError('unreadable', 'an item holds something that leads beyond its end')
  return false
}

/** @param vr null for what has none: items and delimiters (PS3.5 7.5) */
function writeHeader({ target }: Conversion, tag: number, vr: string | null, length: number): void | Promise<void> {
  if (target.write === null) return
  if (vr === null || !target.explicitVR) {
    const header = Buffer.allocUnsafe(8)
    writeTag(header, tag)
    header.writeUInt32LE(length, 4)
    return target.write(header)
  }
  const long = hasLongLength(vr)
  // A value that a length of 16 bits cannot hold is written as UN (PS3.5 6.2.2).
  const written = long === undefined || (!long && length > maximumShortLength) ? 'UN' : vr
  const header = Buffer.allocUnsafe(written === 'UN' || long ? 12 : 8)
  writeTag(header, tag)
  header.write(written, 4, 'latin1')
  header.writeUInt16LE(header.length === 12 ? 0 : length, 6)
  if (header.length === 12) header.writeUInt32LE(length, 8)
  return target.write(header)
}

function writeTag(header: Buffer, tag: number): void {
  header.writeUInt16LE(Math.floor(tag / 0x10000), 0)
  header.writeUInt16LE(tag % 0x10000, 2)
}

async function copyValue(conversion: Conversion, tag: number, length: number): Promise<void> {
  const { reader, target } = conversion
  if (target.write === null) return await passOver(conversion, tag, length)
  for (let left = length; left > 0; ) {
    const bytes = await reader.peek(Math.min(left, copiedAtOnce))
    if (bytes.length === 0) throw beyondEnd(tag, length)
    await target.write(bytes)
    left -= await reader.skip(bytes.length)
  }
}

async function passOver({ reader }: Conversion, tag: number, length: number): Promise<void> {
  if ((await reader.skip(length)) < length) throw beyondEnd(tag, length)
}

const beyondEnd = (tag: number, length: number): DicomError =>
  new DicomError('truncated', `${tagKey(tag)} announces ${length} bytes, which go beyond the end of the data set`)
