import { type InstanceFile, locateFrames } from '../../dicom/instance-file.ts'
import { InferError } from '../error.ts'
import { type Grid, type Image, voxelsOf } from '../image.ts'
import type { PipelineInput } from '../manifest/input.ts'
import { type ColourReader, colourReader, isColour } from './colour.ts'
import { type FrameFormat, frameFormat, type StoredValues } from './decode.ts'
import { decodeAll, type FrameBytes } from './decode-all.ts'
import { type Frame, reading } from './frame.ts'
import { type Padding, paddingOf } from './padding.ts'
import { arrayFor, rangeOf } from './storage.ts'
import { type Transformation, transformationOf } from './transformation.ts'

/** What padded pixels count as in Hounsfield units: air outside of the patient. */
export const outsideAir = -1024

export interface PixelOptions {
  values: Extract<PipelineInput, { values: unknown }>['values']
  /** What padded pixels become; as they are where left out, air in Hounsfield units. */
  padding?: number | undefined
  colours?: 'grey' | 'colour' | undefined
  /** Frames that are decoded at a time. */
  threads: number
  onProgress?: ((fraction: number) => void) | undefined
}

/** One frame with everything that is needed to put its pixels into their place. */
interface Placed {
  frame: Frame
  format: FrameFormat
  transformation: Transformation
  padding: Padding | null
  /** Makes colours of the stored values; null where they are grey. */
  colours: ColourReader | null
  /** Index of its first value in the image. */
  offset: number
}

/**
 * Reads frames into an image, frame n at plane n modulo the grid's planes, and what goes beyond these into the next channel. They are
 * decoded into their place: besides the image, a few frames are in memory.
 * @throws {InferError} `refused`, `unreadable-input`, `unsupported-pixels`, `corrupt-pixels`
 */
export async function readPixels(frames: readonly Frame[], grid: Grid, options: PixelOptions): Promise<Image> {
  const plane = grid.size[0] * grid.size[1]
  const inColour = options.colours === 'colour'
  const placed: Placed[] = []
  for (const [index, frame] of frames.entries()) placed.push(await placedFrame(frame, index * plane, options))
  const length = frames.length * plane * (inColour ? 3 : 1)
  const data = arrayOf(placed, options, length)
  const padding = options.padding ?? (options.values === 'hounsfield' ? outsideAir : null)
  let done = 0
  await decodeAll(byFile(placed), options.threads, (index, stored) => {
    const at = placed[index] as Placed
    if (at.colours && inColour) placeColours(data as Uint8Array, at, { stored, plane, stride: voxelsOf(grid) })
    else if (at.colours) placeGrey(data as Uint8Array, at, { stored, plane })
    else if (inColour) placeAsColours(data as Uint8Array, at, { stored, plane, stride: voxelsOf(grid) })
    else placeValues(data.subarray(at.offset, at.offset + plane), stored, { ...at, padTo: padding })
    options.onProgress?.(++done / frames.length)
  })
  return { grid, channels: length / voxelsOf(grid), data }
}

async function placedFrame(frame: Frame, offset: number, options: PixelOptions): Promise<Placed> {
  const { file } = frame
  const place = { transferSyntaxUID: file.transferSyntaxUID, pixelDataTag: file.pixelData?.tag ?? '7FE00010' }
  const format = frameFormat(file.elements, place)
  const colours = isColour(format) ? await colourReader(file, format) : null
  return {
    frame,
    format,
    transformation: await transformationOf(frame, colours ? 'stored' : options.values),
    padding: paddingOf(file.elements, format.signed),
    colours,
    offset,
  }
}

function arrayOf(placed: readonly Placed[], { values, colours }: PixelOptions, length: number): Image['data'] {
  if (colours === 'colour' || placed.some((at) => at.colours)) return new Uint8Array(length)
  if (values === 'hounsfield') return new Int16Array(length)
  return arrayFor(
    placed.map(({ transformation, format }) => rangeOf(transformation, format)),
    length,
  )
}

/** The frames' places in their files, file by file: each file is opened once. */
async function* byFile(placed: readonly Placed[]): AsyncGenerator<FrameBytes> {
  const files = new Map<InstanceFile, number[]>()
  for (const [index, { frame }] of placed.entries()) {
    const of = files.get(frame.file)
    if (of) of.push(index)
    else files.set(frame.file, [index])
  }
  for (const [file, members] of files) {
    const located = await reading(locateFrames(file))
    for (const index of members) {
      const { frame, format } = placed[index] as Placed
      const ranges = located[(frame.number ?? 1) - 1]
      if (!ranges)
        throw new InferError('corrupt-pixels', `frame ${frame.number ?? 1} is missing: there are ${located.length}`)
      yield { index, file, ranges, format }
    }
    // The inflated data set of a deflated file is as large as all its frames.
    yield { done: file }
  }
}

/** Puts stored values, transformed, into their place. Whole numbers are rounded and stay within what the array holds. */
function placeValues(
  target: Image['data'],
  stored: StoredValues,
  at: { transformation: Transformation; format: FrameFormat; padding: Padding | null; padTo: number | null },
): void {
  const { transformation, padding, padTo } = at
  const from = padTo === null ? Number.POSITIVE_INFINITY : (padding?.from ?? Number.POSITIVE_INFINITY)
  const to = padding?.to ?? Number.NEGATIVE_INFINITY
  if (transformation.kind === 'table') placeByTable(target, stored, transformation)
  else if (fitsAsItIs(target, stored, at)) placeShifted(target, stored, transformation.intercept)
  else placeLinear(target, stored, transformation)
  if (padTo === null || padding === null) return
  for (let i = 0; i < target.length; i++) {
    const value = stored[i] as number
    if (value >= from && value <= to) target[i] = padTo
  }
}

/** True where whole numbers are only shifted, and every one that the header allows fits: as almost all CT is. */
function fitsAsItIs(
  target: Image['data'],
  stored: StoredValues,
  { transformation, format }: { transformation: Transformation; format: FrameFormat },
): boolean {
  if (!(target instanceof Int16Array) || !(stored instanceof Int16Array || stored instanceof Uint16Array)) return false
  if (transformation.kind === 'table' || transformation.slope !== 1) return false
  const { least, greatest, whole } = rangeOf(transformation, format)
  return whole && least >= -32768 && greatest <= 32767
}

function placeShifted(target: Image['data'], stored: StoredValues, intercept: number): void {
  const { length } = target
  if (intercept === 0) target.set(stored.subarray(0, length))
  else if (stored instanceof Uint16Array) for (let i = 0; i < length; i++) target[i] = (stored[i] as number) + intercept
  else for (let i = 0; i < length; i++) target[i] = (stored[i] as number) + intercept
}

function placeLinear(
  target: Image['data'],
  stored: StoredValues,
  { slope, intercept }: Extract<Transformation, { kind: 'linear' }>,
): void {
  if (target instanceof Float32Array) {
    for (let i = 0; i < target.length; i++) target[i] = (stored[i] as number) * slope + intercept
    return
  }
  const [least, greatest] = target instanceof Int16Array ? [-32768, 32767] : [0, 255]
  for (let i = 0; i < target.length; i++) {
    const value = Math.round((stored[i] as number) * slope + intercept)
    target[i] = value < least ? least : value > greatest ? greatest : value
  }
}

function placeByTable(
  target: Image['data'],
  stored: StoredValues,
  { first, entries }: Extract<Transformation, { kind: 'table' }>,
): void {
  const last = entries.length - 1
  for (let i = 0; i < target.length; i++)
    target[i] = entries[Math.min(last, Math.max(0, (stored[i] as number) - first))] as number
}

interface ColourPlace {
  stored: StoredValues
  plane: number
  /** Values of one channel of the image. */
  stride: number
}

function placeColours(target: Uint8Array, { colours, offset }: Placed, { stored, plane, stride }: ColourPlace): void {
  const rgb = (colours as ColourReader)(stored)
  for (let channel = 0; channel < 3; channel++)
    for (let i = 0; i < plane; i++) target[channel * stride + offset + i] = rgb[i * 3 + channel] as number
}

/** Luminance of a colour (ITU-R BT.601), as PS3.3 C.7.6.3.1.2 has it for Y. */
function placeGrey(
  target: Uint8Array,
  { colours, offset }: Placed,
  { stored, plane }: Omit<ColourPlace, 'stride'>,
): void {
  const rgb = (colours as ColourReader)(stored)
  for (let i = 0; i < plane; i++) {
    const [red, green, blue] = [rgb[i * 3] as number, rgb[i * 3 + 1] as number, rgb[i * 3 + 2] as number]
    target[offset + i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue)
  }
}

/** Grey stored values in the place of colours: 8 bits of them, the same in each channel. */
function placeAsColours(target: Uint8Array, at: Placed, { stored, plane, stride }: ColourPlace): void {
  const { bitsStored, signed } = at.format
  const inverted = at.format.photometricInterpretation === 'MONOCHROME1'
  const [least, divide] = [signed ? -(2 ** (bitsStored - 1)) : 0, 2 ** Math.max(0, bitsStored - 8)]
  for (let i = 0; i < plane; i++) {
    const grey = Math.floor(((stored[i] as number) - least) / divide)
    const value = Math.min(255, inverted ? 255 - grey : grey)
    for (let channel = 0; channel < 3; channel++) target[channel * stride + at.offset + i] = value
  }
}
