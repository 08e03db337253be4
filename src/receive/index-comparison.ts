import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { parseFileMeta } from '../dicom/part10.ts'

const chunk = 256 * 1024
/** Where file meta information ends within this many bytes; private information in group 0002 may be long, but is not that long. */
const metaBytes = 64 * 1024

/**
 * True when two Part 10 files hold the same data set, byte for byte, in the same transfer syntax. The file meta information may differ:
 * it is written anew by whoever stores the file (PS3.10 7.1). Reads in chunks, and stops at the first difference.
 * @throws DicomError `not-part10`, and whatever the file system says
 */
export async function sameDataSet(pathA: string, pathB: string): Promise<boolean> {
  const a = await open(pathA, 'r')
  try {
    const b = await open(pathB, 'r')
    try {
      return await compare(a, b)
    } finally {
      await b.close()
    }
  } finally {
    await a.close()
  }
}

async function compare(a: FileHandle, b: FileHandle): Promise<boolean> {
  const [startA, startB] = [await dataSetOf(a), await dataSetOf(b)]
  if (startA.transferSyntaxUID !== startB.transferSyntaxUID || startA.length !== startB.length) return false
  const size = Math.min(chunk, Math.max(1, startA.length))
  const [bytesA, bytesB] = [Buffer.allocUnsafe(size), Buffer.allocUnsafe(size)]
  for (let done = 0; done < startA.length; ) {
    const [readA, readB] = await Promise.all([
      a.read(bytesA, 0, size, startA.offset + done),
      b.read(bytesB, 0, size, startB.offset + done),
    ])
    const length = Math.min(readA.bytesRead, readB.bytesRead)
    if (length === 0) return false // one of them shrank meanwhile
    if (bytesA.compare(bytesB, 0, length, 0, length) !== 0) return false
    done += length
  }
  return true
}

async function dataSetOf(file: FileHandle): Promise<{ transferSyntaxUID: string; offset: number; length: number }> {
  const { size } = await file.stat()
  const head = Buffer.allocUnsafe(Math.min(metaBytes, size))
  const { bytesRead } = await file.read(head, 0, head.length, 0)
  const meta = parseFileMeta(head.subarray(0, bytesRead))
  return { transferSyntaxUID: meta.transferSyntaxUID, offset: meta.dataSetOffset, length: size - meta.dataSetOffset }
}
