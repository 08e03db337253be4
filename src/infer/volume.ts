import { numberOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { type CanonicalGrid, canonicalGrid, type Stack, sortSlices } from '../dicom/geometry.ts'
import { type InstanceFile, locateFrames, readFrame, readInstanceFile } from '../dicom/instance-file.ts'
import { transferSyntax } from '../dicom/transfer-syntax.ts'
import { messageOf } from '../errors.ts'
import { checkGrid, checkKind, checkSlices } from './acceptance.ts'
import { decodeFrame, frameFormat, loadCodecs, type StoredValues } from './decode.ts'
import { InferError, refusal } from './error.ts'
import type { SourceVolume } from './inference.ts'
import type { PipelineInput } from './manifest.ts'
import { type Slice, slicesOf } from './slices.ts'

/** What padded pixels count as: air outside of the patient, HU. */
export const outsideAir = -1024

/** A series as a volume. */
export interface ReadVolume {
  source: SourceVolume
  grid: CanonicalGrid
  /** HU on the canonical grid, x fastest, then y, then z. */
  density: Int16Array<ArrayBuffer>
}

/**
 * Reads a series into one volume of Hounsfield units on the canonical grid. Frames are decoded one at a time, straight into their place:
 * besides the volume, one frame is in memory.
 * @throws {InferError} `refused` when the series is outside of the pipeline's limits or makes no volume; `unreadable-input`,
 * `unsupported-pixels` or `corrupt-pixels` when an instance cannot be read
 */
export async function readVolume(
  input: { seriesInstanceUID: string; files: readonly string[] },
  limits: PipelineInput,
  note: { log: string[]; onProgress?: ((fraction: number) => void) | undefined },
): Promise<ReadVolume> {
  const slices = await readSlices(input.files, limits)
  checkSlices(slices, limits)
  const stack = sortSlices(slices)
  if (stack.kind === 'problem') throw refusal(stack.reason, { code: stack.code })
  const grid = canonicalGrid(stack, slices.length)
  checkGrid(grid, stack.sliceSpacing, limits)
  const sorted = stack.order.map((index) => slices[index] as Slice)
  describe(sorted, stack, note.log)
  const density = await readDensities(sorted, grid, note.onProgress)
  return { source: sourceOf(input.seriesInstanceUID, sorted, stack), grid, density }
}

async function readSlices(files: readonly string[], limits: PipelineInput): Promise<Slice[]> {
  const slices: Slice[] = []
  for (const path of files) {
    const file = await reading(readInstanceFile(path))
    checkKind(file.elements, limits)
    slices.push(...slicesOf(file))
  }
  return slices
}

/** The path stays out of the message: it says nothing to who reads it. */
async function reading<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof InferError) throw error
    throw new InferError('unreadable-input', `an instance of the series cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function readDensities(
  slices: readonly Slice[],
  grid: CanonicalGrid,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<Int16Array<ArrayBuffer>> {
  await loadCodecs()
  const density = new Int16Array(grid.size[0] * grid.size[1] * grid.size[2])
  const byFile = new Map<InstanceFile, { slice: Slice; index: number }[]>()
  for (const [index, slice] of slices.entries()) {
    const of = byFile.get(slice.file)
    if (of) of.push({ slice, index })
    else byFile.set(slice.file, [{ slice, index }])
  }
  let done = 0
  for (const [file, members] of byFile) {
    const frames = await reading(locateFrames(file))
    const place = { transferSyntaxUID: file.transferSyntaxUID, pixelDataTag: file.pixelData?.tag ?? '7FE00010' }
    const format = frameFormat(file.elements, place)
    const isPadding = paddingOf(file.elements, format.signed)
    for (const { slice, index } of members) {
      const ranges = frames[(slice.frame ?? 1) - 1]
      if (!ranges)
        throw new InferError('corrupt-pixels', `frame ${slice.frame ?? 1} is missing: there are ${frames.length}`)
      const stored = decodeFrame(await reading(readFrame(file, ranges)), format)
      placeSlice(stored, slice, { density, grid, index, isPadding })
      onProgress?.(++done / slices.length)
    }
    delete file.inflated
  }
  return density
}

function placeSlice(
  stored: StoredValues,
  { slope, intercept, rows, columns }: Slice,
  into: { density: Int16Array; grid: CanonicalGrid; index: number; isPadding: { from: number; to: number } | null },
): void {
  const { density, grid, index, isPadding } = into
  const { steps } = grid
  const from = isPadding?.from ?? Number.POSITIVE_INFINITY
  const to = isPadding?.to ?? Number.NEGATIVE_INFINITY
  for (let row = 0, i = 0; row < rows; row++) {
    let target = grid.start + index * steps.slice + row * steps.row
    for (let column = 0; column < columns; column++, i++, target += steps.column) {
      const value = stored[i] as number
      const hu = value >= from && value <= to ? outsideAir : Math.round(value * slope + intercept)
      density[target] = hu < -32768 ? -32768 : hu > 32767 ? 32767 : hu
    }
  }
}

/** Stored values that are no pixels: Pixel Padding Value, or the range up to its Range Limit (PS3.3 C.7.5.1.1.2). */
function paddingOf(elements: DicomJson, signed: boolean): { from: number; to: number } | null {
  // Some writers give US for signed pixels.
  const fit = (value: number): number =>
    signed && value > 32767 ? value - 65536 : !signed && value < 0 ? value + 65536 : value
  const value = numberOf(elements, 'PixelPaddingValue')
  if (value === null) return null
  const limit = numberOf(elements, 'PixelPaddingRangeLimit') ?? value
  return { from: Math.min(fit(value), fit(limit)), to: Math.max(fit(value), fit(limit)) }
}

function describe(sorted: readonly Slice[], stack: Stack, log: string[]): void {
  const { file } = sorted[0] as Slice
  const [rowSpacing, columnSpacing] = stack.pixelSpacing
  log.push(
    `${sorted.length} slices of ${stack.columns}x${stack.rows}, ${columnSpacing} x ${rowSpacing} mm, ${Number(stack.sliceSpacing.toFixed(4))} mm apart`,
    `transfer syntax ${transferSyntax(file.transferSyntaxUID).name}`,
  )
  if (textOf(file.elements, 'LossyImageCompression') === '01')
    log.push('the images were compressed with loss: densities are approximate')
}

function sourceOf(seriesInstanceUID: string, sorted: readonly Slice[], stack: Stack): SourceVolume {
  const first = sorted[0] as Slice
  return {
    seriesInstanceUID,
    slices: sorted.map(({ file, frame, imagePositionPatient }) => ({
      file: file.path,
      sopClassUID: textOf(file.elements, 'SOPClassUID') ?? '',
      sopInstanceUID: textOf(file.elements, 'SOPInstanceUID') ?? '',
      frame,
      imagePositionPatient,
    })),
    header: first.file.elements,
    rows: stack.rows,
    columns: stack.columns,
    pixelSpacing: stack.pixelSpacing,
    imageOrientationPatient: first.imageOrientationPatient,
    sliceSpacing: stack.sliceSpacing,
  }
}
