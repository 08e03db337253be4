import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { messageOf } from '../errors.ts'
import type { DicomJson } from './dicom-json.ts'
import { DicomError } from './error.ts'
import { FileReader, type ForwardReader, inflateFrom, StreamReader } from './forward-reader.ts'
import { headError, type PixelDataPlace, readElements, startOf } from './head.ts'
import { firstWindow, readFileMeta } from './part10.ts'
import { transferSyntax } from './transfer-syntax.ts'

export { findDefect } from './defect.ts'
export { type ByteRange, locateFrames, readFrame } from './frames.ts'

/** A DICOM file of which everything but the pixel data was read. */
export interface InstanceFile {
  path: string
  /** Bytes of the file. */
  size: number
  transferSyntaxUID: string
  /** Offset of the first byte after the file meta information. */
  dataSetOffset: number
  /** Everything before the pixel data. In a deflated file the offsets in BulkDataURI are offsets in the inflated data set. */
  elements: DicomJson
  /** Place in the file; null when the file is deflated or has none. */
  pixelData: PixelDataPlace | null
  /** The whole data set of a deflated file, once its frames were asked for. */
  inflated?: Uint8Array
}

/** Bytes of a head that are read at most. Long binary values do not count: they are passed over. */
const maximumHead = 64 * 1024 * 1024

/**
 * Reads a DICOM file (PS3.10) up to its pixel data. Memory is bounded by the size of the head, at most 64 MiB.
 * @throws {DicomError} `not-part10`, `truncated` when the file ends before its pixel data, `unreadable` when it is malformed
 */
export async function readInstanceFile(path: string): Promise<InstanceFile> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const reader = new FileReader(handle, size)
    const meta = await readFileMeta(reader)
    const { transferSyntaxUID, dataSetOffset } = meta
    const file = { path, size, transferSyntaxUID, dataSetOffset }
    if (transferSyntax(transferSyntaxUID).deflated) {
      const { elements } = await readDeflated(path, dataSetOffset)
      return { ...file, elements, pixelData: null }
    }
    reader.skip(dataSetOffset)
    return { ...file, ...(await readToPixelData(reader, transferSyntaxUID)) }
  } finally {
    await handle.close()
  }
}

/**
 * Reads the head of a DICOM file (PS3.10) that comes as a stream, up to its pixel data; what follows is left unread.
 * @throws {DicomError} as `readInstanceFile` does; `unreadable` for a deflated data set
 */
export async function readInstanceStream(
  stream: Readable,
): Promise<Pick<InstanceFile, 'transferSyntaxUID' | 'elements'>> {
  const reader = new StreamReader(stream)
  const { transferSyntaxUID, dataSetOffset } = await readFileMeta(reader)
  if (transferSyntax(transferSyntaxUID).deflated)
    throw new DicomError('unreadable', 'a deflated data set is read from a file, not from a stream')
  await reader.skip(dataSetOffset)
  return { transferSyntaxUID, elements: (await readToPixelData(reader, transferSyntaxUID)).elements }
}

async function readDeflated(path: string, dataSetOffset: number): Promise<{ elements: DicomJson }> {
  const stream = inflateFrom(path, dataSetOffset)
  try {
    return await readToPixelData(new StreamReader(stream), '')
  } catch (error) {
    if (error instanceof DicomError) throw error
    throw new DicomError('unreadable', `deflated data set: ${messageOf(error)}`, { cause: error })
  } finally {
    stream.destroy()
  }
}

/** Reads elements window by window: each window begins with a whole element, and grows until the element fits. */
async function readToPixelData(
  reader: ForwardReader,
  transferSyntaxUID: string,
): Promise<{ elements: DicomJson; pixelData: PixelDataPlace | null }> {
  const elements: DicomJson = {}
  let length = firstWindow
  let budget = maximumHead
  const scope = startOf(await reader.peek(8), transferSyntax(transferSyntaxUID))
  for (;;) {
    const window = await reader.peek(length)
    const atEnd = window.length < length
    const { head, next, needed } = readElements(window, scope, reader.position, elements)
    if (head.ended === 'pixel-data') return { elements, pixelData: head.pixelData }
    if (head.ended === 'end' && atEnd) return { elements, pixelData: null }
    // A long binary value at the end of the window was passed over; it may end with the file.
    if (head.ended === 'malformed' || (atEnd && next <= window.length)) throw headError(head)
    budget -= Math.max(next, firstWindow)
    if (next > 0) {
      const skipped = await reader.skip(next)
      if (skipped < next) throw headError(head)
      budget += Math.max(0, next - window.length)
      length = Math.max(firstWindow, needed)
    } else length = Math.max(length * 2, needed)
    if (length > budget)
      throw new DicomError('unreadable', `the data set has more than ${maximumHead} bytes before its pixel data`)
  }
}
