import { open } from 'node:fs/promises'
import { numberOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { type PixelDataPlace, readHead } from '../dicom/head.ts'
import { type ByteRange, type InstanceFile, locateFrames, readInstanceFile } from '../dicom/instance-file.ts'
import { TS, transferSyntax } from '../dicom/transfer-syntax.ts'
import { RequestError } from '../dicomweb/request-error.ts'

/** Where the frames of a stored object lie, and what has to be done to their bytes. */
export interface FrameLayout {
  transferSyntaxUID: string
  /** Not null: ranges are offsets in the inflated data set, which begins here in the file. */
  deflatedAt: number | null
  frames: number
  /** The frame's bytes, frame numbers from 0. */
  rangesOf(frame: number): ByteRange[]
  /** Bits of one frame where frames need not begin at a byte (PS3.5 8.1.1), else null. */
  packedBits: number | null
  /** Bytes of the words that are stored big endian; 1: nothing to swap. */
  wordBytes: number
  /** The whole value of native pixel data; null for encapsulated. */
  value: ByteRange | null
  /** About the memory that the layout takes, bytes. */
  weight: number
}

/** Bytes of a deflated file that are read for the sake of its head. */
const deflatedHeadBytes = 16 * 1024 * 1024

/**
 * Finds the frames of a stored object; pixel data is not read.
 * @throws RequestError 'no-such-frame' where it has no pixel data; DicomError where it cannot be read
 */
export async function layOutFrames(path: string): Promise<FrameLayout> {
  const file = await readInstanceFile(path)
  const syntax = transferSyntax(file.transferSyntaxUID)
  const place = syntax.deflated ? await inflatedPlace(file) : file.pixelData
  if (place === null) throw new RequestError('no-such-frame', 'The instance has no pixel data.')
  const base = {
    transferSyntaxUID: file.transferSyntaxUID,
    deflatedAt: syntax.deflated ? file.dataSetOffset : null,
    packedBits: null,
    wordBytes: isBigEndian(file.transferSyntaxUID) ? wordBytesOf(place, file.elements) : 1,
    value: place.length === null ? null : { offset: place.offset, length: place.length },
  }
  const frameBits = bitsPerFrame(file.elements)
  if (base.value !== null && (syntax.deflated || bitsOf(file.elements) === 1 || frameBits % 8 !== 0)) {
    return { ...base, ...nativeFrames(base.value, file.elements, frameBits), weight: 512 }
  }
  const ranges = await locateFrames(file)
  const weight = 512 + ranges.reduce((sum, frame) => sum + 64 + frame.length * 64, 0)
  return { ...base, frames: ranges.length, rangesOf: (frame) => ranges[frame] ?? [], weight }
}

/** Native frames follow one another without gaps, counted in bits (PS3.5 8.1.1, A.4 note). */
function nativeFrames(
  value: ByteRange,
  elements: DicomJson,
  bits: number,
): Pick<FrameLayout, 'frames' | 'rangesOf' | 'packedBits'> {
  const declared = Math.max(1, numberOf(elements, 'NumberOfFrames') ?? 1)
  const held = bits === 0 ? 0 : Math.floor((value.length * 8) / bits)
  return {
    frames: Math.min(declared, held),
    packedBits: bits % 8 === 0 ? null : bits,
    rangesOf(frame) {
      const from = Math.floor((frame * bits) / 8)
      const to = Math.ceil(((frame + 1) * bits) / 8)
      return [{ offset: value.offset + from, length: to - from }]
    },
  }
}

async function inflatedPlace(file: InstanceFile): Promise<PixelDataPlace | null> {
  const handle = await open(file.path, 'r')
  try {
    const bytes = Buffer.allocUnsafe(Math.min(deflatedHeadBytes, file.size - file.dataSetOffset))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, file.dataSetOffset)
    return readHead(bytes.subarray(0, bytesRead), { transferSyntaxUID: file.transferSyntaxUID }).pixelData
  } finally {
    await handle.close()
  }
}

function isBigEndian(transferSyntaxUID: string): boolean {
  return !transferSyntax(transferSyntaxUID).littleEndian || transferSyntaxUID === TS.geImplicitBigEndianPixels
}

function wordBytesOf(place: PixelDataPlace, elements: DicomJson): number {
  if (place.tag === '7FE00008') return 4
  if (place.tag === '7FE00009') return 8
  const bits = bitsOf(elements)
  if (place.vr === 'OB') return 1
  return bits > 16 ? bits / 8 : 2
}

function bitsPerFrame(elements: DicomJson): number {
  // Chrominance at half the horizontal resolution: two samples a pixel on average (PS3.3 C.7.6.3.1.2).
  const isHalved = /^YBR_(FULL|PARTIAL)_422$/.test(textOf(elements, 'PhotometricInterpretation') ?? '')
  const samples = isHalved ? 2 : (numberOf(elements, 'SamplesPerPixel') ?? 1)
  return (numberOf(elements, 'Rows') ?? 0) * (numberOf(elements, 'Columns') ?? 0) * samples * bitsOf(elements)
}

function bitsOf(elements: DicomJson): number {
  return numberOf(elements, 'BitsAllocated') ?? 16
}
