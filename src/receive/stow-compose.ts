import { encodeDataSet } from '../dicom/data-set-writer.ts'
import { numberOf, textOf, textsOf } from '../dicom/dataset.ts'
import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { type ElementHeader, longVRs, readElementHeader, tagKey } from '../dicom/element-header.ts'
import { TS, transferSyntax } from '../dicom/transfer-syntax.ts'
import { isBeyondASCII } from '../dicom/value-encoder.ts'
import { DataSetTap } from './data-set-tap.ts'
import type { BulkChunk, BulkData, BulkDatum, ExpectedPixels } from './stow-bulk-data.ts'
import { BulkDataError, codestreamOf, frameHeadLength, frameSyntax, nativeLength } from './stow-frames.ts'
import { bulkElements } from './stow-json.ts'
import { keptOutcome, type PartOutcome } from './stow-response.ts'
import { type IntakeContext, isAboutObject, keepDataSet, quarantineRefused } from './take-in.ts'

const pixelDataTag = '7FE00010'
/** Bulk data within a sequence is held in memory: its length is part of the lengths around it. */
const longestNested = 64 * 1024 * 1024
/** Coercion of data elements: text is written in UTF-8, whatever Specific Character Set said. */
const warningCoerced = 0xb000

/** What the metadata says of its pixel data, for the parts that will bring it; null for other elements. */
export function expectedPixels(dataSet: DicomJson, tag: string): ExpectedPixels | null {
  if (tag.toUpperCase() !== pixelDataTag) return null
  return {
    transferSyntaxes: [...textsOf(dataSet, 'TransferSyntaxUID'), ...textsOf(dataSet, 'AvailableTransferSyntaxUID')],
    image: {
      rows: numberOf(dataSet, 'Rows'),
      columns: numberOf(dataSet, 'Columns'),
      samplesPerPixel: numberOf(dataSet, 'SamplesPerPixel'),
      bitsAllocated: numberOf(dataSet, 'BitsAllocated'),
      frames: Math.max(1, numberOf(dataSet, 'NumberOfFrames') ?? 1),
      photometricInterpretation: textOf(dataSet, 'PhotometricInterpretation'),
    },
  }
}

/** A data set with all that it refers to. */
export interface Composition {
  dataSet: DicomJson
  bulkData: BulkData
  datumOf(location: string): BulkDatum | undefined
}

/**
 * Writes a data set with its bulk data as a file (PS3.10): explicit VR little endian, or in the transfer syntax of the compressed frames.
 * Bulk data of the outermost data set is copied piece by piece.
 * @throws HilumError about the object, and IncomingError; nothing is left behind then
 */
export async function composeInstance(
  composition: Composition,
  context: IntakeContext & {
    onQuarantined(object: NonNullable<Awaited<ReturnType<typeof quarantineRefused>>>): unknown
  },
): Promise<PartOutcome> {
  const { dataSet } = composition
  const transferSyntaxUID = await syntaxOf(composition)
  const { bytes, bulk } = await encode(composition, transferSyntaxUID)
  const sopClassUID = textOf(dataSet, 'SOPClassUID') ?? ''
  const sopInstanceUID = textOf(dataSet, 'SOPInstanceUID') ?? ''
  const named = { sopClassUID: sopClassUID || null, sopInstanceUID: sopInstanceUID || null, transferSyntaxUID }
  const meta = {
    mediaStorageSOPClassUID: sopClassUID,
    mediaStorageSOPInstanceUID: sopInstanceUID,
    transferSyntaxUID,
  }
  const file = context.incoming.begin(meta)
  const tap = new DataSetTap()
  const write = (piece: Buffer) => {
    file.write(piece)
    tap.take(piece)
  }
  try {
    for await (const piece of laidOut(bytes, bulk, composition.bulkData)) write(piece)
    const { instance } = await keepDataSet({ file, tap, transferSyntaxUID }, context)
    return keptOutcome({ instance, warnings: isCoerced(dataSet) ? [warningCoerced] : [] })
  } catch (error) {
    if (isAboutObject(error)) {
      const object = await quarantineRefused({ kind: 'refused', error, named, file }, context)
      if (object !== null) await context.onQuarantined(object)
    }
    file.discard()
    throw error
  } finally {
    tap.dispose()
  }
}

/** True where text beyond ASCII is written in another character set than the data set says. */
function isCoerced(dataSet: DicomJson): boolean {
  const charset = textsOf(dataSet, 'SpecificCharacterSet')
  return charset.join('') !== '' && charset.join('\\') !== 'ISO_IR 192' && isBeyondASCII(JSON.stringify(dataSet))
}

/** The transfer syntax of the whole, and proof that the pixel data is what it has to be. */
async function syntaxOf({ dataSet, datumOf, bulkData }: Composition): Promise<string> {
  const element = elementOf(dataSet, pixelDataTag)
  if (element?.BulkDataURI === undefined) {
    const named = textOf(dataSet, 'TransferSyntaxUID')
    if (element && named !== null && transferSyntax(named).encapsulated)
      throw new BulkDataError('bulk-data-unsupported', 'compressed pixel data within the metadata is not taken')
    checkInline(dataSet, element)
    return TS.explicitVRLittleEndian
  }
  const datum = wholeDatum(datumOf(element.BulkDataURI), 'Pixel Data')
  const [first] = datum.chunks
  if (first?.pixels?.kind !== 'frame') return checkNative(datum)
  let syntaxes = first.pixels.syntaxes
  for (const chunk of datum.chunks) {
    if (chunk.pixels?.kind !== 'frame')
      throw new BulkDataError('bulk-data-wrong', 'some frames are compressed, and some are not')
    const codestream = await placeOf(chunk, bulkData)
    const head = await bulkData.read(codestream.offset, Math.min(frameHeadLength, codestream.length))
    syntaxes = [frameSyntax(syntaxes, head)]
  }
  const { frames } = (datum.expected as ExpectedPixels).image
  if (datum.chunks.length !== frames)
    throw new BulkDataError('bulk-data-wrong', `${datum.chunks.length} frames came, ${frames} are announced`)
  return syntaxes[0] as string
}

/** Pixel data within the metadata that is too short to be uncompressed would be stored as what it is not. */
function checkInline(dataSet: DicomJson, element: DicomJsonElement | undefined): void {
  const expected = nativeLength((expectedPixels(dataSet, pixelDataTag) as ExpectedPixels).image)
  const length = element?.InlineBinary === undefined ? null : Buffer.byteLength(element.InlineBinary, 'base64')
  if (expected !== null && length !== null && length < expected)
    throw new BulkDataError('bulk-data-wrong', `${length} bytes of pixel data came, ${expected} are announced`)
}

function checkNative(datum: BulkDatum): string {
  const expected = datum.expected ? nativeLength(datum.expected.image) : null
  const length = lengthOf(datum)
  if (datum.chunks.some((chunk) => chunk.pixels?.kind === 'frame'))
    throw new BulkDataError('bulk-data-wrong', 'some frames are compressed, and some are not')
  // More of it is padding, as some devices write it behind the last frame.
  if (expected !== null && length < expected)
    throw new BulkDataError('bulk-data-wrong', `${length} bytes of pixel data came, ${expected} are announced`)
  return TS.explicitVRLittleEndian
}

function elementOf(dataSet: DicomJson, tag: string): DicomJsonElement | undefined {
  return dataSet[tag] ?? dataSet[tag.toLowerCase()]
}

function wholeDatum(datum: BulkDatum | undefined, what: string): BulkDatum {
  if (datum?.failure) throw datum.failure
  if (!datum?.isComplete)
    throw new BulkDataError('bulk-data-missing', `bulk data of ${what} is not in the request, or not all of it`)
  return datum
}

function lengthOf(datum: BulkDatum): number {
  return datum.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
}

async function placeOf(chunk: BulkChunk, bulkData: BulkData): Promise<{ offset: number; length: number }> {
  const read = (offset: number, length: number) => bulkData.read(chunk.offset + offset, length)
  const place = await codestreamOf(chunk.length, read)
  return { offset: chunk.offset + place.offset, length: place.length }
}

/** Elements whose value is written from bulk data, by tag. */
type Bulk = Map<number, { vr: string; datum: BulkDatum; encapsulated: boolean }>

async function encode(composition: Composition, transferSyntaxUID: string): Promise<{ bytes: Buffer; bulk: Bulk }> {
  const { dataSet, datumOf, bulkData } = composition
  const bulk: Bulk = new Map()
  const written: Record<string, unknown> = { ...dataSet }
  // It tells in which syntaxes a server offers the instance (PS3.4 C.6.1.1.5.2), and is no part of it.
  delete written['00083002']
  // By its keyword, the writer may replace it: text beyond ASCII is written in UTF-8.
  if (written['00080005'] !== undefined) written.SpecificCharacterSet = textsOf(dataSet, 'SpecificCharacterSet')
  delete written['00080005']
  let nested = 0
  for (const { tag, element, isOutermost } of bulkElements(dataSet)) {
    const datum = wholeDatum(datumOf(element.BulkDataURI), tag)
    if (isOutermost) {
      const isPixelData = tag.toUpperCase() === pixelDataTag
      const encapsulated = isPixelData && transferSyntax(transferSyntaxUID).encapsulated
      const vr = isPixelData ? pixelVR(dataSet, element.vr, encapsulated) : element.vr
      bulk.set(Number.parseInt(tag, 16), { vr, datum, encapsulated })
      written[tag] = { vr: element.vr }
    } else {
      nested += lengthOf(datum)
      if (nested > longestNested)
        throw new BulkDataError('bulk-data-unsupported', `more than ${longestNested} bytes of bulk data in sequences`)
      // The item is the parsed text's own, and is not used again.
      await embed(element, datum, bulkData)
    }
  }
  return { bytes: encodeDataSet(written, TS.explicitVRLittleEndian), bulk }
}

/** Pixel Data is OB where it is encapsulated, and OW beyond 8 bits (PS3.5 A.2, A.4). */
function pixelVR(dataSet: DicomJson, vr: string, encapsulated: boolean): string {
  if (encapsulated) return 'OB'
  if ((numberOf(dataSet, 'BitsAllocated') ?? 16) > 8) return 'OW'
  return vr === 'OW' ? 'OW' : 'OB'
}

/** Puts the value into the metadata itself. */
async function embed(element: DicomJsonElement, datum: BulkDatum, bulkData: BulkData): Promise<void> {
  const pieces: Buffer[] = []
  for (const { offset, length } of datum.chunks) pieces.push(await bulkData.read(offset, length))
  const bytes = Buffer.concat(pieces)
  delete element.BulkDataURI
  if (/^(O[BDFLVW]|UN)$/.test(element.vr)) element.InlineBinary = bytes.toString('base64')
  else element.Value = [bytes.toString('utf8').replace(/[\0 ]+$/, '')]
}

/** The encoded elements, with bulk data where an empty element holds its place. */
async function* laidOut(bytes: Buffer, bulk: Bulk, bulkData: BulkData): AsyncGenerator<Buffer, void, void> {
  const header: ElementHeader = { tag: 0, vr: '', explicit: null, size: 0, length: 0 }
  const options = { explicitVR: true, littleEndian: true, end: bytes.length, signed: false }
  let begun = 0
  for (let at = 0; at < bytes.length; at += header.size + header.length) {
    if (!readElementHeader(bytes, at, options, header)) break
    const value = bulk.get(header.tag)
    if (!value) continue
    if (at > begun) yield bytes.subarray(begun, at)
    begun = at + header.size
    if (value.encapsulated) yield* fragments(value.datum, bulkData)
    else yield* native(header.tag, value, bulkData)
  }
  if (begun < bytes.length) yield bytes.subarray(begun)
}

const padding = Buffer.alloc(1)
const textPadding = Buffer.from(' ')

async function* native(
  tag: number,
  { vr, datum }: { vr: string; datum: BulkDatum },
  bulkData: BulkData,
): AsyncGenerator<Buffer, void, void> {
  const length = lengthOf(datum)
  const padded = length + (length % 2)
  if (padded >= 0xffffffff)
    throw new BulkDataError('bulk-data-wrong', `${tagKey(tag)} is longer than an element can be (PS3.5 7.1.1)`)
  yield elementHeader(tag, longVRs.has(vr) || padded <= 0xfffe ? vr : 'UN', padded)
  for (const chunk of inOrder(datum)) yield* bulkData.stream(chunk.offset, chunk.length)
  if (padded > length) yield /^(O[BDFLVW]|UN|UI)$/.test(vr) ? padding : textPadding
}

/** PS3.5 A.4: an offset table, a fragment a frame, and the delimiter. */
async function* fragments(datum: BulkDatum, bulkData: BulkData): AsyncGenerator<Buffer, void, void> {
  const frames = []
  for (const chunk of inOrder(datum)) frames.push(await placeOf(chunk, bulkData))
  yield elementHeader(Number.parseInt(pixelDataTag, 16), 'OB', 0xffffffff)
  yield offsetTable(frames)
  for (const { offset, length } of frames) {
    yield item(0xe000, length + (length % 2))
    yield* bulkData.stream(offset, length)
    if (length % 2 === 1) yield padding
  }
  yield item(0xe0dd, 0)
}

/** Basic Offset Table (PS3.5 A.4); empty where offsets do not fit 32 bits. */
function offsetTable(frames: readonly { length: number }[]): Buffer {
  const table = Buffer.alloc(4 * frames.length)
  let at = 0
  for (const [index, { length }] of frames.entries()) {
    if (at > 0xffffffff) return item(0xe000, 0)
    table.writeUInt32LE(at, 4 * index)
    at += 8 + length + (length % 2)
  }
  return Buffer.concat([item(0xe000, table.length), table])
}

/** In the order of their frame numbers where every part names one, else in the order of their coming. */
function inOrder({ chunks }: BulkDatum): BulkChunk[] {
  if (chunks.some((chunk) => chunk.frame === null)) return chunks
  return [...chunks].sort((a, b) => (a.frame ?? 0) - (b.frame ?? 0))
}

function elementHeader(tag: number, vr: string, length: number): Buffer {
  const isLong = longVRs.has(vr)
  const header = Buffer.alloc(isLong ? 12 : 8)
  header.writeUInt16LE(Math.floor(tag / 0x10000), 0)
  header.writeUInt16LE(tag % 0x10000, 2)
  header.write(vr, 4, 'latin1')
  if (isLong) header.writeUInt32LE(length, 8)
  else header.writeUInt16LE(length, 6)
  return header
}

function item(element: number, length: number): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16LE(0xfffe, 0)
  header.writeUInt16LE(element, 2)
  header.writeUInt32LE(length, 4)
  return header
}
