import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { itemsOf } from '../../src/dicom/dataset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { locateFrames, readFrame, readInstanceFile } from '../../src/dicom/instance-file.ts'
import type { EncodedObject, ExportedFile } from '../../src/encode/encoded.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { encodeOutput, type Output } from '../../src/encode/outputs.ts'
import { bytesOf } from './synthetic.ts'

/** A result as the node's own reader finds it in a file: attributes, and the bytes of each frame as they are stored. */
export interface ReadResult {
  d: DicomJson
  frames: Uint8Array[]
  transferSyntaxUID: string
}

/** Writes a result to a file and reads it back. */
export async function readBack(object: EncodedObject): Promise<ReadResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-read-back-'))
  try {
    const where = path.join(folder, 'result.dcm')
    writeFileSync(where, bytesOf(object))
    const file = await readInstanceFile(where)
    const frames: Uint8Array[] = []
    if (file.pixelData) for (const ranges of await locateFrames(file)) frames.push(await readFrame(file, ranges))
    return { d: file.elements, frames, transferSyntaxUID: file.transferSyntaxUID }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The only object of an output. */
export function objectOf(input: EncodingInput, output: Output): EncodedObject {
  const [only, ...more] = [...encodeOutput(input, output)]
  if (only?.kind !== 'object' || more.length > 0) throw new Error('one object is expected')
  return only
}

/** The only file of an output. */
export function fileOf(input: EncodingInput, output: Output): ExportedFile {
  const [only, ...more] = [...encodeOutput(input, output)]
  if (only?.kind !== 'file' || more.length > 0) throw new Error('one file is expected')
  return only
}

/** The first item of a sequence, or an empty one. */
export function firstItem(d: DicomJson | undefined, ...keywords: string[]): DicomJson {
  return keywords.reduce((item, keyword) => itemsOf(item, keyword)[0] ?? {}, d ?? {})
}

/** PackBits of one segment, as PS3.5 G.3.2 says it. */
export function decodeRLE(frame: Uint8Array, pixels: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
  if (view.getUint32(0, true) !== 1) throw new Error('one segment is expected')
  const values: number[] = []
  for (let at = view.getUint32(4, true); values.length < pixels; ) {
    const n = view.getInt8(at++)
    if (n >= 0) for (let i = 0; i <= n; i++) values.push(frame[at++] as number)
    else if (n > -128) {
      const value = frame[at++] as number
      for (let i = 0; i < 1 - n; i++) values.push(value)
    }
  }
  if (values.length !== pixels) throw new Error(`${values.length} pixels, ${pixels} are expected`)
  return Uint8Array.from(values)
}

/** Little endian words of a frame, as this machine has them. */
export function wordsOf<Words>(frame: Uint8Array, type: new (buffer: ArrayBuffer) => Words): Words {
  return new type(Uint8Array.from(frame).buffer)
}
