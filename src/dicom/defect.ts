import { open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { keywordOf } from './dictionary.ts'
import {
  type ElementHeader,
  type HeaderSyntax,
  isPixelDataTag,
  itemDelimitationTag,
  itemTag,
  readElementHeader,
  sequenceDelimitationTag,
  tagKey,
  undefinedLength,
} from './element-header.ts'
import { maximumDepth } from './element-reader.ts'
import { DicomError } from './error.ts'
import { FileReader, type ForwardReader, inflateFrom, StreamReader } from './forward-reader.ts'
import { startOf } from './head.ts'
import { readFileMeta } from './part10.ts'
import { transferSyntax } from './transfer-syntax.ts'

/**
 * Elements that a deflated data set may have: a megabyte of it may inflate to a hundred million empty ones. The functional groups of
 * ten thousand frames stay below.
 */
const maximumInflatedElements = 1_000_000
/** Elements after which others have their turn: where the bytes are at hand, nothing else interrupts a walk. */
const elementsPerTurn = 4096

/** A defect that ends the walk. */
class Defect extends Error {}

/**
 * Walks every element of a DICOM file to its end, without reading values: sequences and fragments of undefined length item by item, a
 * deflated data set while it is inflated. Memory does not depend on the file.
 * @returns a sentence when the file is truncated or malformed, without patient data; null when it is whole
 */
export async function findDefect(path: string): Promise<string | null> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const reader = new FileReader(handle, size)
    const meta = await readFileMeta(reader)
    const syntax = transferSyntax(meta.transferSyntaxUID)
    if (syntax.deflated) return await walkDeflated(path, meta.dataSetOffset)
    reader.skip(meta.dataSetOffset)
    await walk(reader, syntax, size)
    return null
  } catch (error) {
    if (error instanceof Defect || error instanceof DicomError) return error.message
    throw error
  } finally {
    await handle.close()
  }
}

async function walkDeflated(path: string, dataSetOffset: number): Promise<string | null> {
  const stream = inflateFrom(path, dataSetOffset)
  try {
    await walk(new StreamReader(stream), { explicitVR: true, littleEndian: true }, null)
    return null
  } catch (error) {
    if (error instanceof Defect) return error.message
    // zlib says whether the deflated stream breaks off or is no deflated stream
    if (error instanceof Error && 'errno' in error) return `the deflated data set is not whole: ${messageOf(error)}`
    throw error
  } finally {
    stream.destroy()
  }
}

interface Walk {
  reader: ForwardReader
  syntax: HeaderSyntax
  /** Bytes of the file; null while inflating. */
  size: number | null
  /** Elements that were met, of all depths together. */
  met: { elements: number }
}

async function walk(reader: ForwardReader, syntax: HeaderSyntax, size: number | null): Promise<void> {
  const scope = startOf(await reader.peek(8), syntax)
  const state: Walk = { reader, syntax: scope.syntax, size, met: { elements: 0 } }
  const header = emptyHeader()
  for (;;) {
    const bytes = await reader.peek(12)
    if (bytes.length === 0) return
    if (bytes.length < 8) {
      // Some writers pad the file itself; anything but zeros is the beginning of an element.
      if (bytes.every((byte) => byte === 0)) return
      throw new Defect(`the file ends inside the header of an element, ${bytes.length} bytes after its start`)
    }
    await readHeader(state, bytes, header)
    await reader.skip(header.size)
    if (header.tag === itemDelimitationTag || header.tag === sequenceDelimitationTag) continue
    await passValue(state, header, 0)
  }
}

function emptyHeader(): ElementHeader {
  return { tag: 0, vr: '', explicit: null, size: 0, length: 0 }
}

async function readHeader(state: Walk, bytes: Buffer, header: ElementHeader): Promise<void> {
  const { reader, size, syntax, met } = state
  met.elements++
  if (met.elements % elementsPerTurn === 0) await setImmediate()
  if (size === null && met.elements > maximumInflatedElements)
    throw new Defect(`the deflated data set has more than ${maximumInflatedElements} elements`)
  const rest = size === null ? Number.MAX_SAFE_INTEGER : size - reader.position
  const options = { ...syntax, end: bytes.length, signed: false, rest }
  if (!readElementHeader(bytes, 0, options, header)) throw new Defect('the file ends inside the header of an element')
}

/** Passes over a value; the header is already passed. */
async function passValue(state: Walk, header: ElementHeader, depth: number): Promise<void> {
  const { reader } = state
  const { tag, vr, explicit, length } = header
  if (length !== undefinedLength) {
    const held = await reader.skip(length)
    if (held < length) throw new Defect(`${nameOf(tag)} announces ${length} bytes, the file holds ${held}`)
    return
  }
  if (isPixelDataTag(tag) || ((vr === 'OB' || vr === 'OW') && explicit !== null)) {
    await passFragments(state, tag)
    return
  }
  if (vr !== 'SQ' && vr !== 'UN' && explicit !== null)
    throw new Defect(`${nameOf(tag)} of VR ${vr} has an undefined length`)
  // UN of undefined length is a sequence in implicit VR little endian (PS3.5 6.2.2).
  const syntax = explicit === 'UN' ? { explicitVR: false, littleEndian: true } : state.syntax
  await passItems({ ...state, syntax }, tag, depth + 1)
}

async function readItemHeader(state: Walk, owner: number): Promise<{ tag: number; length: number }> {
  const bytes = await state.reader.peek(8)
  if (bytes.length === 0)
    throw new Defect(`${nameOf(owner)} ends with the file, without its sequence delimitation item`)
  if (bytes.length < 8) throw new Defect(`the file ends inside ${nameOf(owner)}`)
  const header = emptyHeader()
  await readHeader(state, bytes, header)
  return { tag: header.tag, length: header.length }
}

async function passFragments(state: Walk, owner: number): Promise<void> {
  for (let fragment = 0; ; fragment++) {
    const { tag, length } = await readItemHeader(state, owner)
    if (tag !== itemTag && tag !== sequenceDelimitationTag)
      throw new Defect(
        `${nameOf(owner)}: item ${fragment} of its fragments is ${punctuated(tag)}, (FFFE,E000) is expected`,
      )
    await state.reader.skip(8)
    if (tag === sequenceDelimitationTag) return
    const held = await state.reader.skip(length)
    if (held < length)
      throw new Defect(
        `${nameOf(owner)}: item ${fragment} of its fragments announces ${length} bytes, the file holds ${held}`,
      )
  }
}

async function passItems(state: Walk, owner: number, depth: number): Promise<void> {
  if (depth > maximumDepth) throw new Defect(`sequences are nested deeper than ${maximumDepth} levels`)
  for (;;) {
    const { tag, length } = await readItemHeader(state, owner)
    if (tag !== itemTag && tag !== sequenceDelimitationTag)
      throw new Defect(`${nameOf(owner)}: ${punctuated(tag)} stands where an item is expected`)
    await state.reader.skip(8)
    if (tag === sequenceDelimitationTag) return
    if (length === undefinedLength) {
      if (await passElements(state, owner, depth)) return
      continue
    }
    const held = await state.reader.skip(length)
    if (held < length) throw new Defect(`${nameOf(owner)}: an item announces ${length} bytes, the file holds ${held}`)
  }
}

/** Passes over the elements of an item of undefined length; true when the sequence's delimiter ended it instead of its own. */
async function passElements(state: Walk, owner: number, depth: number): Promise<boolean> {
  const header = emptyHeader()
  for (;;) {
    const bytes = await state.reader.peek(12)
    if (bytes.length < 8) throw new Defect(`the file ends inside ${nameOf(owner)}`)
    await readHeader(state, bytes, header)
    await state.reader.skip(header.size)
    if (header.tag === itemDelimitationTag) return false
    if (header.tag === sequenceDelimitationTag) return true
    await passValue(state, header, depth)
  }
}

function punctuated(tag: number): string {
  const key = tagKey(tag)
  return `(${key.slice(0, 4)},${key.slice(4)})`
}

/** `Pixel Data` for a tag of the standard, `element (0029,1010)` for another. */
function nameOf(tag: number): string {
  const keyword = keywordOf(tagKey(tag))
  if (!keyword) return `element ${punctuated(tag)}`
  return keyword.replace(/(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])/g, ' ')
}
