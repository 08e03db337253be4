import { deflateRawSync } from 'node:zlib'
import { ByteSink } from '../dicom/byte-sink.ts'
import { encodeDataSet } from '../dicom/data-set-writer.ts'
import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { keywordOf } from '../dicom/dictionary.ts'
import { longVRs } from '../dicom/element-header.ts'
import { transferSyntax } from '../dicom/transfer-syntax.ts'
import { encodeValues, isBeyondASCII, isTextVR } from '../dicom/value-encoder.ts'
import { type SingleByteText, singleByteText } from './single-byte-text.ts'

const specificCharacterSet = '00080005'
/** What a peer that names no set is most likely to read, of those beyond ASCII. */
const westEuropean = ['ISO_IR 100']

/**
 * Encodes the Identifier of a response. Text is written in the asker's own character set where that has one byte a character and
 * all of the text in it (Latin-1 where it names none): workstations that never heard of UTF-8 read it. Else it is UTF-8. Text in
 * plain ASCII needs neither, and names no set.
 * @param characterSets Specific Character Set of the request
 */
export function encodeIdentifier(
  elements: DicomJson,
  { transferSyntaxUID, characterSets }: { transferSyntaxUID: string; characterSets: readonly string[] },
): Buffer {
  const { [specificCharacterSet]: _, ...rest } = elements
  if (!hasTextBeyondASCII(rest)) return encodeDataSet(rest, transferSyntaxUID)
  const asked = characterSets.filter((term) => term !== '')
  const text = singleByteText(asked.length === 0 ? westEuropean : characterSets)
  const encoded = text && encodeSingleByte(rest, text, transferSyntaxUID)
  return encoded ?? encodeDataSet(rest, transferSyntaxUID)
}

/** @returns null where the set lacks a character */
function encodeSingleByte(elements: DicomJson, text: SingleByteText, transferSyntaxUID: string): Buffer | null {
  const syntax = transferSyntax(transferSyntaxUID)
  const sink = new ByteSink(syntax.littleEndian)
  const named = { ...elements, [specificCharacterSet]: { vr: 'CS', Value: [text.term] } }
  if (!writeElements({ sink, text, explicitVR: syntax.explicitVR }, named)) return null
  const bytes = sink.take()
  if (!syntax.deflated) return bytes
  const deflated = deflateRawSync(bytes)
  return deflated.length % 2 === 0 ? deflated : Buffer.concat([deflated, Buffer.alloc(1)])
}

interface Writer {
  sink: ByteSink
  text: SingleByteText
  explicitVR: boolean
}

function writeElements(writer: Writer, elements: DicomJson): boolean {
  for (const tag of Object.keys(elements).sort()) {
    const element = elements[tag]
    if (element && !writeElement(writer, tag, element)) return false
  }
  return true
}

function writeElement(writer: Writer, tag: string, element: DicomJsonElement): boolean {
  const { sink, explicitVR } = writer
  const value = valueOf(writer, tag, element)
  if (value === null) return false
  sink.uint16(Number.parseInt(tag.slice(0, 4), 16))
  sink.uint16(Number.parseInt(tag.slice(4), 16))
  // A value that a length of 16 bits cannot hold is written as UN (PS3.5 6.2.2).
  const vr = !longVRs.has(element.vr) && value.length > 0xfffe ? 'UN' : element.vr
  if (explicitVR) sink.bytes(Buffer.from(vr, 'latin1'))
  if (explicitVR && longVRs.has(vr)) sink.uint16(0)
  if (explicitVR && !longVRs.has(vr)) sink.uint16(value.length)
  else sink.uint32(value.length)
  sink.bytes(value)
  return true
}

function valueOf({ sink, text, explicitVR }: Writer, tag: string, element: DicomJsonElement): Buffer | null {
  const { littleEndian } = sink
  if (element.vr === 'SQ') {
    const items = new ByteSink(littleEndian)
    for (const item of (element.Value ?? []) as DicomJson[]) {
      const inner = new ByteSink(littleEndian)
      if (!writeElements({ sink: inner, text, explicitVR }, withoutCharacterSet(item))) return null
      items.uint16(0xfffe)
      items.uint16(0xe000)
      items.uint32(inner.length)
      items.bytes(inner.take())
    }
    return items.take()
  }
  if (!isTextVR(element.vr)) {
    const values = element.InlineBinary === undefined ? (element.Value ?? []) : [element]
    return encodeValues(element.vr, values, keywordOf(tag) ?? tag, littleEndian)
  }
  const bytes = text.encode((element.Value ?? []).map(textOfValue).join('\\'))
  return bytes === null || bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(' ')])
}

/** One character set holds for everything that is written here, so that items must not name another. */
function withoutCharacterSet(item: DicomJson): DicomJson {
  const { [specificCharacterSet]: _, ...rest } = item
  return rest
}

function textOfValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value : ''
  const name = value as Partial<Record<'Alphabetic' | 'Ideographic' | 'Phonetic', string>>
  return [name.Alphabetic, name.Ideographic, name.Phonetic]
    .map((group) => group ?? '')
    .join('=')
    .replace(/=+$/, '')
}

function hasTextBeyondASCII(elements: DicomJson): boolean {
  return Object.values(elements).some(({ vr, Value }) => {
    if (vr === 'SQ') return (Value ?? []).some((item) => hasTextBeyondASCII(item as DicomJson))
    return isTextVR(vr) && (Value ?? []).some((value) => isBeyondASCII(textOfValue(value)))
  })
}
