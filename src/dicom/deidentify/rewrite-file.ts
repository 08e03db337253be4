import { type FileHandle, open, readFile, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'
import { encodeDataSet } from '../data-set-writer.ts'
import { textOf } from '../dataset.ts'
import type { DicomJson, DicomJsonElement } from '../dicom-json.ts'
import { DicomError } from '../error.ts'
import { walkFragments } from '../fragments.ts'
import type { ReadRange } from '../frames.ts'
import { type PixelDataPlace, readElements, startOf } from '../head.ts'
import { readInstanceFile } from '../instance-file.ts'
import { encodeFileMeta } from '../part10.ts'
import { TS, transferSyntax } from '../transfer-syntax.ts'

/** Bytes that a deflated data set is inflated to at most. */
const maximumInflated = 1024 * 1024 * 1024
/** Bytes of pixel data that are copied at once. */
const copied = 1024 * 1024

/**
 * Writes a DICOM file anew with another header, and its pixel data as they are. What follows the pixel data is left out, and the file meta information
 * says nothing of the old file. A deflated file is written inflated.
 * @param change gives the header to write for the one that was read
 * @param target must not exist
 * @throws {DicomError} where the file cannot be read, or the header cannot be written; nothing is left of the target then
 */
export async function rewriteFile(
  source: string,
  target: string,
  change: (elements: DicomJson) => DicomJson,
): Promise<void> {
  const file = await readInstanceFile(source)
  const syntax = transferSyntax(file.transferSyntaxUID)
  const handle = await open(source, 'r')
  try {
    let { elements, pixelData } = file
    let read: ReadRange = ({ offset, length }) => readRange(handle, offset, length)
    let size = file.size
    if (syntax.deflated) {
      const inflated = await inflate(source, file.dataSetOffset)
      const { head } = readElements(inflated, startOf(inflated, syntax), 0)
      ;({ elements, pixelData } = head)
      read = async ({ offset, length }) => inflated.subarray(offset, offset + length)
      size = inflated.length
    }
    const header = await withBytes(change(elements), read, syntax.littleEndian)
    await write(target, header, syntax.deflated ? TS.explicitVRLittleEndian : file.transferSyntaxUID, async (out) => {
      if (pixelData) await copyPixelData(out, pixelData, { read, size, transferSyntaxUID: file.transferSyntaxUID })
    })
  } finally {
    await handle.close()
  }
}

async function readRange(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

async function inflate(source: string, dataSetOffset: number): Promise<Buffer> {
  const bytes = await readFile(source)
  try {
    return await promisify(inflateRaw)(bytes.subarray(dataSetOffset), { maxOutputLength: maximumInflated })
  } catch (error) {
    throw new DicomError('unreadable', 'the deflated data set cannot be inflated', { cause: error })
  }
}

async function write(
  target: string,
  header: DicomJson,
  transferSyntaxUID: string,
  pixels: (out: FileHandle) => Promise<void>,
): Promise<void> {
  const out = await open(target, 'wx', 0o600)
  try {
    await out.appendFile(
      encodeFileMeta({
        mediaStorageSOPClassUID: textOf(header, 'SOPClassUID') ?? '',
        mediaStorageSOPInstanceUID: textOf(header, 'SOPInstanceUID') ?? '',
        transferSyntaxUID,
      }),
    )
    // By its keyword, so that the writer may put another in its place.
    const { '00080005': characterSet, ...others } = header
    const natural = { ...others, SpecificCharacterSet: characterSet?.Value }
    await out.appendFile(encodeDataSet(natural, transferSyntaxUID))
    await pixels(out)
  } catch (error) {
    await rm(target, { force: true })
    throw error
  } finally {
    await out.close()
  }
}

/** Bytes of one value that are read from the file for the header. */
const maximumValue = 256 * 1024 * 1024

/** Long binary values, which a header refers to, put in their place; nested pixel data (icons) are left out. */
async function withBytes(dataSet: DicomJson, read: ReadRange, littleEndian: boolean): Promise<DicomJson> {
  const whole: DicomJson = {}
  for (const [tag, element] of Object.entries(dataSet)) {
    if (element.vr === 'SQ' && element.Value) {
      const items: DicomJson[] = []
      for (const item of element.Value) items.push(await withBytes(item as DicomJson, read, littleEndian))
      whole[tag] = { vr: 'SQ', Value: items }
    } else if (element.BulkDataURI === undefined) whole[tag] = element
    else if (!tag.startsWith('7FE0')) whole[tag] = await inlined(tag, element, { read, littleEndian })
  }
  return whole
}

const wordLength: Record<string, number> = { OW: 2, OF: 4, OL: 4, OD: 8, OV: 8 }

async function inlined(
  tag: string,
  { vr, BulkDataURI }: DicomJsonElement,
  from: { read: ReadRange; littleEndian: boolean },
): Promise<DicomJsonElement> {
  const [, offset, length] = /^#(\d+),(\d+)$/.exec(BulkDataURI ?? '') ?? []
  if (offset === undefined || Number(length) > maximumValue)
    throw new DicomError('unreadable', `the value of ${tag} is not at hand`)
  const bytes = Buffer.from(await from.read({ offset: Number(offset), length: Number(length) }))
  if (bytes.length < Number(length)) throw new DicomError('truncated', `the file ends inside the value of ${tag}`)
  const word = wordLength[vr]
  if (!from.littleEndian && word !== undefined)
    for (let at = 0; at + word <= bytes.length; at += word) bytes.subarray(at, at + word).reverse()
  return { vr, InlineBinary: bytes.toString('base64') }
}

async function copyPixelData(
  out: FileHandle,
  place: PixelDataPlace,
  from: { read: ReadRange; size: number; transferSyntaxUID: string },
): Promise<void> {
  const { littleEndian, explicitVR } = transferSyntax(from.transferSyntaxUID)
  const word = (value: number): Buffer => number(value, 2, littleEndian)
  const long = (value: number): Buffer => number(value, 4, littleEndian)
  const tag = [word(Number.parseInt(place.tag.slice(0, 4), 16)), word(Number.parseInt(place.tag.slice(4), 16))]
  const vr = explicitVR ? [Buffer.from(place.vr, 'latin1'), word(0)] : []
  if (place.length !== null) {
    await out.appendFile(Buffer.concat([...tag, ...vr, long(place.length)]))
    await copy(out, { offset: place.offset, length: place.length }, from.read)
    return
  }
  await out.appendFile(Buffer.concat([...tag, ...vr, long(0xffffffff)]))
  const { fragments, offsets } = await walkFragments(from.read, place.offset, from.size)
  const item = (length: number): Buffer => Buffer.concat([word(0xfffe), word(0xe000), long(length)])
  await out.appendFile(Buffer.concat([item(4 * offsets.length), ...offsets.map(long)]))
  for (const fragment of fragments) {
    await out.appendFile(item(fragment.length))
    await copy(out, fragment, from.read)
  }
  await out.appendFile(Buffer.concat([word(0xfffe), word(0xe0dd), long(0)]))
}

async function copy(out: FileHandle, range: { offset: number; length: number }, read: ReadRange): Promise<void> {
  for (let done = 0; done < range.length; ) {
    const bytes = await read({ offset: range.offset + done, length: Math.min(copied, range.length - done) })
    if (bytes.length === 0) throw new DicomError('truncated', 'the file ends inside its pixel data')
    await out.appendFile(bytes)
    done += bytes.length
  }
}

function number(value: number, bytes: 2 | 4, littleEndian: boolean): Buffer {
  const buffer = Buffer.allocUnsafe(bytes)
  if (littleEndian) buffer.writeUIntLE(value, 0, bytes)
  else buffer.writeUIntBE(value, 0, bytes)
  return buffer
}
