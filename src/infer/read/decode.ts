import dcmjsCodecs from 'dcmjs-codecs'
import { numberOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { TS, transferSyntax } from '../../dicom/transfer-syntax.ts'
import { messageOf } from '../../errors.ts'
import { InferError } from '../error.ts'

const { Context, NativeCodecs } = dcmjsCodecs

/** Everything about a frame that its bytes do not say (PS3.3 C.7.6.3). */
export interface FrameFormat {
  transferSyntaxUID: string
  rows: number
  columns: number
  samplesPerPixel: number
  bitsAllocated: number
  bitsStored: number
  highBit: number
  signed: boolean
  /** Float or double float pixel data (PS3.3 C.7.6.24), which is never encapsulated. */
  float: boolean
  photometricInterpretation: string
  planarConfiguration: number
}

/** Stored values, sign-extended; one a sample, row by row. */
export type StoredValues =
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array

/**
 * Reads the format of an instance's frames.
 * @throws {InferError} `unsupported-pixels` when the header contradicts itself
 */
export function frameFormat(
  elements: DicomJson,
  place: { transferSyntaxUID: string; pixelDataTag: string },
): FrameFormat {
  const number = (keyword: string, otherwise: number): number => numberOf(elements, keyword) ?? otherwise
  const float = place.pixelDataTag !== '7FE00010'
  const bitsAllocated = place.pixelDataTag === '7FE00009' ? 64 : float ? 32 : number('BitsAllocated', 16)
  const bitsStored = float ? bitsAllocated : number('BitsStored', bitsAllocated)
  const format = {
    transferSyntaxUID: place.transferSyntaxUID,
    rows: number('Rows', 0),
    columns: number('Columns', 0),
    samplesPerPixel: number('SamplesPerPixel', 1),
    bitsAllocated,
    bitsStored,
    highBit: float ? bitsAllocated - 1 : number('HighBit', bitsStored - 1),
    signed: number('PixelRepresentation', 0) === 1,
    float,
    photometricInterpretation: textOf(elements, 'PhotometricInterpretation') ?? 'MONOCHROME2',
    planarConfiguration: number('PlanarConfiguration', 0),
  }
  if (format.rows < 1 || format.columns < 1) throw unsupported('the image has no rows or columns')
  if (![8, 16, 32, 64].includes(bitsAllocated)) throw unsupported(`${bitsAllocated} bits allocated`)
  if (
    bitsStored < 1 ||
    bitsStored > bitsAllocated ||
    format.highBit < bitsStored - 1 ||
    format.highBit >= bitsAllocated
  )
    throw unsupported(`${bitsStored} bits stored with high bit ${format.highBit} in ${bitsAllocated} bits allocated`)
  return format
}

function unsupported(what: string): InferError {
  return new InferError('unsupported-pixels', `the pixel data cannot be decoded: ${what}`)
}

type Codec = 'decodeRle' | 'decodeJpeg' | 'decodeJpegLs' | 'decodeJpeg2000' | 'decodeHtJpeg2000'

const codecs: Readonly<Record<string, Codec>> = {
  [TS.rle]: 'decodeRle',
  [TS.jpegBaseline]: 'decodeJpeg',
  [TS.jpegExtended]: 'decodeJpeg',
  [TS.jpegSpectral6And8]: 'decodeJpeg',
  [TS.jpegProgressive10And12]: 'decodeJpeg',
  [TS.jpegLosslessProcess14]: 'decodeJpeg',
  [TS.jpegLossless]: 'decodeJpeg',
  [TS.jpegLSLossless]: 'decodeJpegLs',
  [TS.jpegLSNearLossless]: 'decodeJpegLs',
  [TS.jpeg2000Lossless]: 'decodeJpeg2000',
  [TS.jpeg2000]: 'decodeJpeg2000',
  [TS.htj2kLossless]: 'decodeHtJpeg2000',
  [TS.htj2kLosslessRPCL]: 'decodeHtJpeg2000',
  [TS.htj2k]: 'decodeHtJpeg2000',
}

/** Whether frames of a transfer syntax can be decoded. */
export function canDecode(transferSyntaxUID: string): boolean {
  const syntax = transferSyntax(transferSyntaxUID)
  return transferSyntaxUID in codecs || (syntax.known && !syntax.encapsulated)
}

let initialising: Promise<void> | null = null

/** Loads the codecs (WebAssembly); once a process. */
export function loadCodecs(): Promise<void> {
  initialising ??= NativeCodecs.initializeAsync()
  return initialising
}

/**
 * Decodes one frame into its stored values. `loadCodecs` must have resolved.
 * @param bytes of the frame: native, or the frame's fragments one after the other
 * @param options.writable the bytes may become the stored values, which are then valid for as long as they
 * @throws {InferError} `unsupported-pixels` for a transfer syntax without decoder, `corrupt-pixels` for bytes that do not make a frame
 */
export function decodeFrame(
  bytes: Uint8Array,
  format: FrameFormat,
  { writable = false }: { writable?: boolean } = {},
): StoredValues {
  const syntax = transferSyntax(format.transferSyntaxUID)
  const codec = codecs[format.transferSyntaxUID]
  if (!codec && (syntax.encapsulated || !syntax.known)) throw unsupported(`the transfer syntax is ${syntax.name}`)
  const { bits, native } = codec
    ? decodeEncapsulated(bytes, format, codec)
    : { bits: format.bitsAllocated, native: littleEndian(bytes, format, syntax.littleEndian) }
  const samples = format.rows * format.columns * (codec ? format.samplesPerPixel : nativeSamples(format))
  if (native.byteLength < (samples * bits) / 8)
    throw new InferError(
      'corrupt-pixels',
      `the pixel data is damaged: a frame has ${native.byteLength} bytes, ${(samples * bits) / 8} are expected`,
    )
  return typed(native, samples, { ...format, bitsAllocated: bits }, writable && native === bytes)
}

/** Samples a pixel of native pixel data: two where two pixels share their chrominance (PS3.3 C.7.6.3.1.2). */
function nativeSamples({ samplesPerPixel, photometricInterpretation }: FrameFormat): number {
  return photometricInterpretation === 'YBR_FULL_422' ? 2 : samplesPerPixel
}

function decodeEncapsulated(
  bytes: Uint8Array,
  format: FrameFormat,
  codec: Codec,
): { bits: number; native: Uint8Array } {
  // The codecs read one byte a sample when told 8 bits, two when told 9 to 16.
  if (format.bitsAllocated > 16) throw unsupported(`${format.bitsAllocated} bits allocated, compressed`)
  const run = (encoded: Uint8Array): { bits: number; native: Uint8Array } => {
    const decoded = NativeCodecs[codec](contextOf(encoded, format), {})
    const native = decoded.getDecodedBuffer()
    if (!native) throw new Error('the decoder gave nothing')
    return { bits: decoded.getBitsAllocated() ?? format.bitsAllocated, native }
  }
  try {
    return run(bytes)
  } catch (error) {
    const shorter = codec === 'decodeJpegLs' ? withoutFillByte(bytes) : null
    if (shorter)
      try {
        return run(shorter)
      } catch {
        // The first error is the one to tell.
      }
    throw new InferError('corrupt-pixels', `the pixel data cannot be decoded: ${messageOf(error)}`, { cause: error })
  }
}

/** Some JPEG-LS encoders put a zero byte before the End of Image marker; the decoder takes it for damage. */
function withoutFillByte(bytes: Uint8Array): Uint8Array | null {
  let end = bytes.length
  while (end > 4 && bytes[end - 1] === 0) end--
  if (bytes[end - 2] !== 0xff || bytes[end - 1] !== 0xd9 || bytes[end - 3] !== 0) return null
  return Buffer.concat([bytes.subarray(0, end - 3), bytes.subarray(end - 2, end)])
}

function contextOf(encodedBuffer: Uint8Array, format: FrameFormat): InstanceType<typeof Context> {
  return new Context({
    width: format.columns,
    height: format.rows,
    bitsAllocated: format.bitsAllocated,
    bitsStored: format.bitsStored,
    samplesPerPixel: format.samplesPerPixel,
    pixelRepresentation: format.signed ? 1 : 0,
    planarConfiguration: format.planarConfiguration,
    photometricInterpretation: format.photometricInterpretation,
    encodedBuffer,
  })
}

/** Native pixel data is words of the transfer syntax's byte order (PS3.5 8.1.1, annex A.3); bytes stay as they are. */
function littleEndian(bytes: Uint8Array, format: FrameFormat, little: boolean): Uint8Array {
  if (little || format.bitsAllocated === 8) return bytes
  const copy = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % (format.bitsAllocated / 8))))
  if (format.bitsAllocated === 16) return copy.swap16()
  return format.bitsAllocated === 32 ? copy.swap32() : copy.swap64()
}

function typed(bytes: Uint8Array, samples: number, format: FrameFormat, writable: boolean): StoredValues {
  const width = format.bitsAllocated / 8
  const buffer = writable && isWhole(bytes, samples * width) ? bytes.buffer : copyOf(bytes, samples * width)
  if (format.float) return width === 8 ? new Float64Array(buffer) : new Float32Array(buffer)
  if (width === 8) throw unsupported('64 bits allocated in Pixel Data')
  const values =
    width === 1
      ? new Uint8Array(buffer)
      : width === 2
        ? format.signed
          ? new Int16Array(buffer)
          : new Uint16Array(buffer)
        : format.signed
          ? new Int32Array(buffer)
          : new Uint32Array(buffer)
  return extractStored(values, format)
}

/** Whether bytes are a buffer of their own. */
function isWhole(bytes: Uint8Array, length: number): bytes is Uint8Array<ArrayBuffer> {
  return bytes.byteOffset === 0 && bytes.buffer.byteLength === length
}

/** The bytes may be unaligned, and the codecs reuse their memory. (Buffer's slice is no copy.) */
function copyOf(bytes: Uint8Array, length: number): ArrayBuffer {
  const copy = new Uint8Array(length)
  copy.set(bytes.subarray(0, length))
  return copy.buffer
}

/** Takes the stored bits out of the allocated ones: what lies beside them is not pixel (overlays, junk), and the sign is extended. */
function extractStored(
  values: Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array,
  format: FrameFormat,
): StoredValues {
  const { bitsAllocated, bitsStored, highBit, signed } = format
  if (bitsStored === bitsAllocated && !(signed && bitsAllocated === 8)) return values
  if (!signed && values instanceof Uint16Array && highBit === bitsStored - 1 && values.length % 2 === 0)
    return withoutHighBits(values, bitsStored)
  const target = signed && bitsAllocated === 8 ? new Int16Array(values.length) : values
  const up = 31 - highBit
  const down = 32 - bitsStored
  if (signed) for (let i = 0; i < values.length; i++) target[i] = ((values[i] as number) << up) >> down
  else for (let i = 0; i < values.length; i++) target[i] = ((values[i] as number) << up) >>> down
  return target
}

/** The same for words whose lowest bits are stored, two at a time. */
function withoutHighBits(values: Uint16Array, bitsStored: number): Uint16Array {
  const pairs = new Uint32Array(values.buffer, values.byteOffset, values.length / 2)
  const mask = (2 ** bitsStored - 1) * 0x10001
  for (let i = 0; i < pairs.length; i++) pairs[i] = (pairs[i] as number) & mask
  return values
}
