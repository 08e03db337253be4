import type { FileHandle } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createInflateRaw } from 'node:zlib'
import type { ByteRange } from '../dicom/instance-file.ts'
import { readRange } from './object-bytes.ts'

/**
 * Ranges of a deflated data set (PS3.5 A.5), by their offsets in the inflated bytes. Inflating starts at the beginning for every call,
 * and stops behind the last range; ranges must be in ascending order.
 */
export async function* readInflated(
  file: FileHandle,
  dataSetOffset: number,
  ranges: readonly ByteRange[],
): AsyncGenerator<Buffer, void, void> {
  const { size } = await file.stat()
  const compressed = Readable.from(readRange(file, { offset: dataSetOffset, length: size - dataSetOffset }))
  const inflated = createInflateRaw({ chunkSize: 256 * 1024 })
  // Errors of either stream come out of the iteration below.
  pipeline(compressed, inflated, () => {})
  let position = 0
  let current = 0
  try {
    for await (const chunk of inflated as AsyncIterable<Buffer>) {
      for (let range = ranges[current]; range !== undefined; range = ranges[current]) {
        const from = Math.max(range.offset - position, 0)
        const to = range.offset + range.length - position
        if (from < chunk.length && to > from) yield chunk.subarray(from, Math.min(to, chunk.length))
        if (to > chunk.length) break
        current++
      }
      if (current >= ranges.length) return
      position += chunk.length
    }
    throw new Error(`the deflated data set ends at ${position} inflated bytes, before what was asked for`)
  } finally {
    inflated.destroy()
    compressed.destroy()
  }
}
