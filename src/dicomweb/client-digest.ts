import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { parseFileMeta } from '../dicom/part10.ts'

/** As much of a data set as is kept for comparing header elements where the bytes differ. */
const headBytes = 1024 * 1024
/** A file meta header is a few hundred bytes; it must end within this. */
const metaBytes = 64 * 1024

/** What is known of a Part 10 object after its bytes went by once. */
export interface Part10Digest {
  transferSyntaxUID: string
  /** Bytes of the data set: the file without preamble and file meta information. */
  dataSetBytes: number
  /** SHA-256 of the data set, hexadecimal. */
  dataSetSha256: string
  /** The beginning of the data set, up to 1 MiB. */
  head: Buffer
}

/**
 * Digests a Part 10 object (PS3.10 7.1) in bounded memory. File meta information is left out of the digest: a server may rewrite it.
 * @throws DicomError `not-part10`
 */
export async function digestPart10(bytes: AsyncIterable<Uint8Array>): Promise<Part10Digest> {
  const hash = createHash('sha256')
  const head: Uint8Array[] = []
  let headLength = 0
  let dataSetBytes = 0
  let transferSyntaxUID: string | null = null
  let opening = Buffer.alloc(0)

  const take = (chunk: Uint8Array) => {
    hash.update(chunk)
    dataSetBytes += chunk.length
    if (headLength >= headBytes) return
    // A copy: a small view would keep a whole network buffer alive.
    const part = Buffer.from(chunk.subarray(0, headBytes - headLength))
    head.push(part)
    headLength += part.length
  }
  const begin = () => {
    const meta = parseFileMeta(opening)
    transferSyntaxUID = meta.transferSyntaxUID
    take(opening.subarray(meta.dataSetOffset))
    opening = Buffer.alloc(0)
  }

  for await (const chunk of bytes) {
    if (transferSyntaxUID !== null) take(chunk)
    else {
      opening = Buffer.concat([opening, chunk])
      if (opening.length >= metaBytes) begin()
    }
  }
  if (transferSyntaxUID === null) begin()
  return {
    transferSyntaxUID: transferSyntaxUID ?? '',
    dataSetBytes,
    dataSetSha256: hash.digest('hex'),
    head: Buffer.concat(head),
  }
}

/** The digest of a Part 10 file on disk. */
export function digestFile(path: string): Promise<Part10Digest> {
  return digestPart10(createReadStream(path, { highWaterMark: 256 * 1024 }))
}
