import { constants, crc32, deflateRawSync } from 'node:zlib'

/** Ten bytes: deflate, no name, no time (the same input gives the same bytes), unknown system (RFC 1952 2.3). */
const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff)

/** Compresses chunks into one gzip member (RFC 1952), chunk by chunk, so that no more than one is in memory. */
export function* gzip(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield header
  let checksum = 0
  let length = 0
  for (const chunk of chunks) {
    checksum = crc32(chunk, checksum)
    length += chunk.length
    // Flushed to a byte boundary and not finished: the next chunk's blocks go on from there (RFC 1951 3.2.3).
    yield deflateRawSync(chunk, { finishFlush: constants.Z_SYNC_FLUSH })
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(checksum >>> 0, 0)
  trailer.writeUInt32LE(length % 2 ** 32, 4)
  yield deflateRawSync(new Uint8Array(0))
  yield trailer
}
