import { itemsOf, numberOf, numbersOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { type InstanceFile, locateFrames, readFrame, readInstanceFile } from '../dicom/instance-file.ts'
import { encodePNG } from '../encode/png.ts'
import { colourReader, isColour } from '../infer/read/colour.ts'
import { decodeFrame, frameFormat, loadCodecs, type StoredValues } from '../infer/read/decode.ts'
import { type Frame, framesOf } from '../infer/read/frame.ts'
import { definitionsOf } from '../infer/read/segmentation-definitions.ts'
import { transformationOf } from '../infer/read/transformation.ts'

/** Where an image and what lies over it are. */
export interface Placed {
  path: string
  /** Frames, from 1. */
  frames: number[]
}

/** What a thread that makes small pictures is asked. */
export type ThumbnailRequest =
  /** Which frames of a segmentation show the most, and of which image. */
  | { kind: 'choose'; path: string }
  /** @param size pixels of the longer side */
  | { kind: 'draw'; image: { path: string; frame: number | null }; overlay: Placed | null; size: number }

/** An image that a segmentation was drawn on, and the frames that lie over it. */
export interface Chosen {
  sopInstanceUID: string
  frame: number | null
  frames: number[]
}

/** A file that is larger is not drawn: a small picture is not worth it. */
const mostPixels = 64 * 1024 * 1024
/** Frames of a segmentation that are looked at. */
const mostFrames = 4096

/**
 * The image that a segmentation says the most about: that with the most pixels in its frames.
 * @returns null where it is none, is empty, or does not say what it was drawn on
 */
export async function chooseImage(path: string): Promise<Chosen | null> {
  const file = await readInstanceFile(path)
  if (textOf(file.elements, 'Modality') !== 'SEG') return null
  const masks = await maskReader(file)
  const byImage = new Map<string, Chosen & { pixels: number }>()
  for (const [index, frame] of framesOf(file).slice(0, mostFrames).entries()) {
    const source = sourceOf(frame)
    if (!source) continue
    const pixels = await masks.count(index)
    if (pixels === 0) continue
    const key = `${source.sopInstanceUID} ${source.frame ?? ''}`
    const there = byImage.get(key) ?? { ...source, frames: [], pixels: 0 }
    there.frames.push(index + 1)
    there.pixels += pixels
    byImage.set(key, there)
  }
  const [best] = [...byImage.values()].sort((a, b) => b.pixels - a.pixels)
  return best ? { sopInstanceUID: best.sopInstanceUID, frame: best.frame, frames: best.frames } : null
}

/** The image that a frame was derived from (PS3.3 C.7.6.16.2.6). */
function sourceOf(frame: Frame): { sopInstanceUID: string; frame: number | null } | null {
  const source = itemsOf(frame.group('DerivationImageSequence'), 'SourceImageSequence')[0]
  const sopInstanceUID = source && textOf(source, 'ReferencedSOPInstanceUID')
  return sopInstanceUID ? { sopInstanceUID, frame: numberOf(source, 'ReferencedFrameNumber') } : null
}

/**
 * Draws a small picture of an image, through its window, with the frames of a segmentation over it.
 * @returns a PNG; null where the object has no pixels that can be decoded
 */
export async function drawThumbnail(request: Extract<ThumbnailRequest, { kind: 'draw' }>): Promise<Buffer | null> {
  const { image, overlay, size } = request
  const file = await readInstanceFile(image.path)
  const isImage = file.pixelData !== null || numberOf(file.elements, 'Rows') !== null
  if (!isImage) return null
  const frames = framesOf(file)
  const index = image.frame === null ? frames.length >> 1 : image.frame - 1
  const frame = frames[Math.min(index, frames.length - 1)]
  if (!frame || frame.rows * frame.columns > mostPixels || frame.rows < 1 || frame.columns < 1) return null
  const rgb = await shown(file, frame, index)
  if (overlay) await blendOver(rgb, frame, overlay)
  return encodePNG(shrunk(rgb, frame, size))
}

async function shown(file: InstanceFile, frame: Frame, index: number): Promise<Uint8Array> {
  await loadCodecs()
  const located = await locateFrames(file)
  const format = frameFormat(file.elements, {
    transferSyntaxUID: file.transferSyntaxUID,
    pixelDataTag: file.pixelData?.tag ?? '7FE00010',
  })
  const stored = decodeFrame(await readFrame(file, located[index] ?? []), format)
  if (isColour(format)) return (await colourReader(file, format))(stored)
  return await throughWindow(stored, frame, textOf(file.elements, 'PhotometricInterpretation') === 'MONOCHROME1')
}

/** Stored values as grey: through the window of the image, or between those that nearly all of its values lie between. */
async function throughWindow(stored: StoredValues, frame: Frame, inverted: boolean): Promise<Uint8Array> {
  const transformation = await transformationOf(frame, 'modality')
  const values = new Float32Array(stored.length)
  for (let i = 0; i < stored.length; i++) {
    const value = Number(stored[i])
    if (transformation.kind === 'linear') values[i] = value * transformation.slope + transformation.intercept
    else {
      const at = Math.min(transformation.entries.length - 1, Math.max(0, value - transformation.first))
      values[i] = transformation.entries[at] ?? 0
    }
  }
  const [low, high] = windowOf(frame) ?? spanOf(values)
  const rgb = new Uint8Array(values.length * 3)
  const scale = 255 / Math.max(high - low, 1e-9)
  for (let i = 0; i < values.length; i++) {
    const level = Math.min(255, Math.max(0, ((values[i] as number) - low) * scale)) || 0
    rgb.fill(inverted ? 255 - level : level, i * 3, i * 3 + 3)
  }
  return rgb
}

/** The first window that the image has (PS3.3 C.11.2). */
function windowOf(frame: Frame): [number, number] | null {
  const group: DicomJson = frame.group('FrameVOILUTSequence')
  const [centre] = numbersOf(group, 'WindowCenter')
  const [width] = numbersOf(group, 'WindowWidth')
  if (centre === undefined || width === undefined || width < 1) return null
  return [centre - width / 2, centre + width / 2]
}

/** Between the 1st and the 99th percentile, of some thousand values. */
function spanOf(values: Float32Array): [number, number] {
  const step = Math.max(1, Math.floor(values.length / 20_000))
  const some: number[] = []
  for (let i = 0; i < values.length; i += step) if (Number.isFinite(values[i])) some.push(values[i] as number)
  some.sort((a, b) => a - b)
  return [some[Math.floor(some.length * 0.01)] ?? 0, some[Math.floor(some.length * 0.99)] ?? 1]
}

/** Lays the frames of a segmentation over the image that they were drawn on; those of another size are left out. */
async function blendOver(rgb: Uint8Array, { rows, columns }: Frame, overlay: Placed): Promise<void> {
  const file = await readInstanceFile(overlay.path)
  const colours = new Map(definitionsOf(file.elements).map(({ number, definition }) => [number, definition.colour]))
  const masks = await maskReader(file)
  const frames = framesOf(file)
  for (const number of overlay.frames) {
    const frame = frames[number - 1]
    if (!frame || frame.rows !== rows || frame.columns !== columns) continue
    const segment = numberOf(frame.group('SegmentIdentificationSequence'), 'ReferencedSegmentNumber')
    const mask = await masks.read(number - 1)
    for (let i = 0; i < mask.length; i++) {
      const value = mask[i] as number
      const colour = value === 0 ? undefined : colours.get(segment ?? value)
      if (!colour) continue
      for (let channel = 0; channel < 3; channel++)
        rgb[i * 3 + channel] = Math.round((rgb[i * 3 + channel] as number) * 0.5 + (colour[channel] ?? 0) * 0.5)
    }
  }
}

/** The pixels of the frame at an index, and how many of them are not 0. */
interface MaskReader {
  read(index: number): Promise<Uint8Array>
  count(index: number): Promise<number>
}

async function maskReader(file: InstanceFile): Promise<MaskReader> {
  await loadCodecs()
  const located = await locateFrames(file)
  const { elements } = file
  const plane = (numberOf(elements, 'Rows') ?? 0) * (numberOf(elements, 'Columns') ?? 0)
  if (numberOf(elements, 'BitsAllocated') === 1 && file.pixelData?.length !== null) {
    // Native frames of one bit a pixel follow one another without regard to bytes (PS3.5 8.1.1).
    const packed = await readFrame(file, located[0] ?? [])
    return {
      read: async (index) => {
        const mask = new Uint8Array(plane)
        for (let i = 0, at = index * plane; i < plane; i++, at++) mask[i] = ((packed[at >> 3] ?? 0) >> (at & 7)) & 1
        return mask
      },
      // Bits of neighbours at both ends do not matter: the count is only compared.
      count: async (index) => bitsIn(packed.subarray((index * plane) >> 3, ((index + 1) * plane) >> 3)),
    }
  }
  const format = frameFormat(elements, { transferSyntaxUID: file.transferSyntaxUID, pixelDataTag: '7FE00010' })
  const half =
    textOf(elements, 'SegmentationType') === 'FRACTIONAL'
      ? (numberOf(elements, 'MaximumFractionalValue') ?? 255) / 2
      : 0
  const read = async (index: number): Promise<Uint8Array> => {
    const stored = decodeFrame(await readFrame(file, located[index] ?? []), format)
    return half > 0 ? Uint8Array.from(stored, (value) => (value >= half ? 1 : 0)) : Uint8Array.from(stored)
  }
  return {
    read,
    count: async (index) => {
      let count = 0
      for (const value of await read(index)) if (value > 0) count++
      return count
    },
  }
}

const bitsOfByte = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length)

function bitsIn(bytes: Uint8Array): number {
  let bits = 0
  for (const byte of bytes) bits += bitsOfByte[byte] as number
  return bits
}

/** Made smaller by the mean of what falls together, and never larger; pixels that are not square become so. */
function shrunk(rgb: Uint8Array, frame: Frame, size: number) {
  const { rows, columns } = frame
  const [rowSpacing, columnSpacing] = frame.pixelSpacing ?? [1, 1]
  const aspect = Math.min(8, Math.max(1 / 8, rowSpacing / columnSpacing))
  const scale = Math.min(1, size / Math.max(columns, rows * aspect))
  const width = Math.max(1, Math.round(columns * scale))
  const height = Math.max(1, Math.round(rows * aspect * scale))
  const small = { width, height, rgb: new Uint8Array(width * height * 3) }
  for (let y = 0; y < height; y++) {
    const [top, bottom] = span(y, height, rows)
    for (let x = 0; x < width; x++) {
      const [left, right] = span(x, width, columns)
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0
        for (let row = top; row < bottom; row++)
          for (let column = left; column < right; column++) sum += rgb[(row * columns + column) * 3 + channel] as number
        small.rgb[(y * width + x) * 3 + channel] = Math.round(sum / ((bottom - top) * (right - left)))
      }
    }
  }
  return small
}

/** The pixels of a row of `from` that fall into one of `to`; at least one. */
function span(at: number, to: number, from: number): [number, number] {
  const first = Math.min(from - 1, Math.floor((at * from) / to))
  return [first, Math.max(first + 1, Math.min(from, Math.floor(((at + 1) * from) / to)))]
}
