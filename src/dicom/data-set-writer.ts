import { deflateRawSync } from 'node:zlib'
import { ByteSink } from './byte-sink.ts'
import { isSignDependent, keywordOf, tagOf, vrOf } from './dictionary.ts'
import { longVRs } from './element-header.ts'
import { DicomError } from './error.ts'
import { transferSyntax } from './transfer-syntax.ts'
import { encodeValues, isBeyondASCII, isTextVR } from './value-encoder.ts'

/** A data set as dcmjs naturalises it: keywords to values. */
type Natural = Readonly<Record<string, unknown>>

interface Element {
  tag: string
  vr: string
  /** Keyword or tag, for errors. */
  where: string
  values: unknown[]
}

const specificCharacterSet = '00080005'

/**
 * Writes a data set in dcmjs's natural form, without file meta information, in tag order, with defined lengths.
 *
 * Keys are keywords; values are strings, numbers, arrays of them, `{Alphabetic, …}` for names, bytes or typed arrays, and objects or
 * arrays of objects for sequences. `null` and `[]` write an empty element; `undefined` writes none. `_vrMap` names VRs where the dictionary
 * allows several; without it `PixelRepresentation` and `BitsAllocated` decide. A key of eight hex digits takes an element of the DICOM
 * JSON Model (`{vr, Value}` or `{vr, InlineBinary}`), which is how private elements and elements that were read are written. Strings are
 * written as they are given (a decimal string keeps its digits). Group 0002 is left out.
 *
 * Text beyond ASCII is written in UTF-8, and Specific Character Set then says ISO_IR 192 whatever was given.
 *
 * dcmjs's own writer is not used: it rounds decimal strings, cuts values at their maximum length, drops private elements, takes the length
 * of OL, OV, SV and UV for 16 bits, and writes VRs that are none ("xs", "ox") where the dictionary allows several.
 * @throws {DicomError} `invalid-value` for an unknown keyword, or a value that its VR cannot hold; the message names the keyword only
 */
export function encodeDataSet(natural: Record<string, unknown>, transferSyntaxUID: string): Buffer {
  const syntax = transferSyntax(transferSyntaxUID)
  const unicode = hasTextBeyondASCII(natural)
  const sink = new ByteSink(syntax.littleEndian)
  const writer = { sink, explicitVR: syntax.explicitVR, unicode }
  writeElements(writer, unicode ? inUnicode(natural) : natural, { outermost: true, bits: {} })
  const bytes = sink.take()
  if (!syntax.deflated) return bytes
  const deflated = deflateRawSync(bytes)
  // PS3.5 A.5: padded to an even length
  return deflated.length % 2 === 0 ? deflated : Buffer.concat([deflated, Buffer.alloc(1)])
}

/** Whatever character set is given, by its keyword or by its tag, another one holds. */
function inUnicode(natural: Natural): Natural {
  const { [specificCharacterSet]: _, ...rest } = natural
  return { ...rest, SpecificCharacterSet: 'ISO_IR 192' }
}

interface Writer {
  sink: ByteSink
  explicitVR: boolean
  unicode: boolean
}

/** What VRs depend on; items inherit it. */
interface Bits {
  pixelRepresentation?: unknown
  bitsAllocated?: unknown
}

function writeElements(writer: Writer, natural: Natural, context: { outermost: boolean; bits: Bits }): void {
  const bits: Bits = {
    pixelRepresentation: natural.PixelRepresentation ?? context.bits.pixelRepresentation,
    bitsAllocated: natural.BitsAllocated ?? context.bits.bitsAllocated,
  }
  const elements = Object.keys(natural)
    .map((key) => elementOf(natural, key, bits))
    .filter((element) => element !== null)
    .sort((a, b) => (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0))
  let previous = ''
  for (const element of elements) {
    if (element.tag === previous) throw new DicomError('invalid-value', `${element.where} stands twice in one data set`)
    previous = element.tag
    // One character set holds for everything that is written here, so that items must not name another.
    if (element.tag === specificCharacterSet && !context.outermost && writer.unicode) continue
    writeElement(writer, element, bits)
  }
}

function elementOf(natural: Natural, key: string, bits: Bits): Element | null {
  const given = natural[key]
  if (given === undefined || key.startsWith('_')) return null
  if (/^[0-9A-Fa-f]{8}$/.test(key)) return jsonElement(key.toUpperCase(), given)
  const tag = tagOf(key)
  if (tag === undefined)
    throw new DicomError('invalid-value', `${JSON.stringify(key)} is no keyword of the data dictionary`)
  if (tag.startsWith('0002')) return null
  const values = valuesOf(given)
  const vrMap = natural._vrMap as Record<string, string> | undefined
  return { tag, vr: vrMap?.[key] ?? naturalVR(tag, values, bits), where: key, values }
}

function jsonElement(tag: string, given: unknown): Element | null {
  const where = keywordOf(tag) ?? tag
  if (tag.startsWith('0002') || tag.endsWith('0000')) return null
  if (typeof given !== 'object' || given === null || !('vr' in given) || typeof given.vr !== 'string')
    throw new DicomError('invalid-value', `${where}: an element {vr, Value} is expected under a tag`)
  if ('BulkDataURI' in given) throw new DicomError('invalid-value', `${where}: bulk data is not at hand`)
  const values = 'InlineBinary' in given ? [given] : valuesOf('Value' in given ? given.Value : null)
  return { tag, vr: given.vr, where, values }
}

function valuesOf(given: unknown): unknown[] {
  if (given === null || given === undefined) return []
  return Array.isArray(given) ? Array.from(given as unknown[]) : [given]
}

/** The VR where the dictionary leaves a choice: US or SS by Pixel Representation, OB or OW by Bits Allocated (PS3.5 A.1, A.2). */
function naturalVR(tag: string, values: unknown[], bits: Bits): string {
  const vr = vrOf(tag)
  if (isSignDependent(tag)) {
    const negative = values.some((value) => typeof value === 'number' && value < 0)
    return negative || Number(bits.pixelRepresentation) === 1 ? 'SS' : 'US'
  }
  if (tag === '7FE00010' && Number(bits.bitsAllocated) <= 8) return 'OB'
  return vr
}

function writeElement(writer: Writer, element: Element, bits: Bits): void {
  const { sink, explicitVR } = writer
  sink.uint16(Number.parseInt(element.tag.slice(0, 4), 16))
  sink.uint16(Number.parseInt(element.tag.slice(4), 16))
  if (element.vr === 'SQ') {
    writeSequence(writer, element, bits)
    return
  }
  const value = encodeValues(element.vr, element.values, element.where, sink.littleEndian)
  // A value that a length of 16 bits cannot hold is written as UN (PS3.5 6.2.2).
  const vr = explicitVR && !longVRs.has(element.vr) && value.length > 0xfffe ? 'UN' : element.vr
  if (explicitVR) {
    sink.bytes(Buffer.from(vr, 'latin1'))
    if (longVRs.has(vr)) sink.uint16(0)
  }
  if (explicitVR && !longVRs.has(vr)) sink.uint16(value.length)
  else sink.uint32(value.length)
  sink.bytes(value)
}

function writeSequence(writer: Writer, element: Element, bits: Bits): void {
  const { sink, explicitVR } = writer
  if (explicitVR) {
    sink.bytes(Buffer.from('SQ', 'latin1'))
    sink.uint16(0)
  }
  const lengthAt = sink.length
  sink.uint32(0)
  for (const item of element.values) {
    if (typeof item !== 'object' || item === null || Array.isArray(item) || ArrayBuffer.isView(item))
      throw new DicomError('invalid-value', `${element.where}: items are expected`)
    sink.uint16(0xfffe)
    sink.uint16(0xe000)
    const itemLengthAt = sink.length
    sink.uint32(0)
    writeElements(writer, item as Natural, { outermost: false, bits })
    sink.patchUint32(itemLengthAt, sink.length - itemLengthAt - 4)
  }
  sink.patchUint32(lengthAt, sink.length - lengthAt - 4)
}

/** Looks through text values, at any depth. */
function hasTextBeyondASCII(natural: Natural): boolean {
  for (const [key, given] of Object.entries(natural)) {
    if (key.startsWith('_')) continue
    const byTag = /^[0-9A-Fa-f]{8}$/.test(key) && typeof given === 'object' && given !== null
    const vr = byTag ? (given as { vr?: unknown }).vr : vrOf(tagOf(key) ?? '')
    const values = valuesOf(byTag ? (given as { Value?: unknown }).Value : given)
    if (vr === 'SQ') {
      if (values.some((item) => typeof item === 'object' && item !== null && hasTextBeyondASCII(item as Natural)))
        return true
    } else if (typeof vr === 'string' && isTextVR(vr) && values.some(isTextBeyondASCII)) return true
  }
  return false
}

function isTextBeyondASCII(value: unknown): boolean {
  if (typeof value === 'string') return isBeyondASCII(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(isTextBeyondASCII)
}
