import { itemsOf, numberOf, numbersOf, textOf } from '../../dicom/dataset.ts'
import { axesOf, type Vector } from '../../dicom/geometry.ts'
import { refusal } from '../error.ts'
import type { Grid } from '../image.ts'
import type { SourceSeries } from '../inference.ts'
import type { InputOf } from '../manifest/input.ts'
import type { TaskInput } from '../task.ts'
import { checkCount, checkFrames } from './acceptance.ts'
import { type Frame, framesOf } from './frame.ts'
import type { OpenedInput, OpenNote } from './opened-input.ts'
import { readPixels } from './pixels.ts'
import { describeEncoding, inInstanceOrder, readHeaders } from './series.ts'
import { sourceSlice } from './stack.ts'

/**
 * Opens one image: a radiograph, a mammogram, a photograph.
 * @throws {InferError} `refused`, `unreadable-input`
 */
export async function openImage(given: TaskInput, input: InputOf<'image'>, { log }: OpenNote): Promise<OpenedInput> {
  const files = await readHeaders(given, input)
  const frames = inInstanceOrder(files)
    .flatMap(framesOf)
    .filter((frame) => isWanted(frame, input))
  if (frames.length === 0)
    throw refusal(
      `no image has the View Position ${input.viewPosition?.join(' or ')}: there are ${viewsOf(files.flatMap(framesOf))}`,
    )
  if (frames.length > 1 && input.several === 'refuse')
    throw refusal(`the series has ${frames.length} images, 1 is expected`)
  const frame = (input.several === 'last' ? frames.at(-1) : frames[0]) as Frame
  checkFrames([frame], input)
  return openFrames([frame], { given, input, log })
}

/**
 * Opens images that are looked at one by one: cine, multi-frame, ultrasound, or a series of 2D images. Files are in the order of their
 * instance numbers.
 * @throws {InferError} `refused`, `unreadable-input`
 */
export async function openFrameList(
  given: TaskInput,
  input: InputOf<'frames'>,
  { log }: OpenNote,
): Promise<OpenedInput> {
  const files = await readHeaders(given, input)
  const frames = inInstanceOrder(files).flatMap(framesOf)
  checkFrames(frames, input)
  checkCount('frames', frames.length, input.frames)
  const first = frames[0] as Frame
  const other = frames.find(({ rows, columns }) => rows !== first.rows || columns !== first.columns)
  if (other)
    throw refusal(
      `the series mixes image sizes: ${first.columns}x${first.rows} and ${other.columns}x${other.rows}, frames of one size are expected`,
    )
  return openFrames(frames, { given, input, log })
}

function isWanted(frame: Frame, { viewPosition }: InputOf<'image'>): boolean {
  const view = textOf(frame.file.elements, 'ViewPosition')?.trim().toUpperCase()
  return !viewPosition || viewPosition.some((wanted) => wanted.toUpperCase() === view)
}

function viewsOf(frames: readonly Frame[]): string {
  const views = frames.map(({ file }) => textOf(file.elements, 'ViewPosition') ?? 'none')
  return [...new Set(views.filter((view) => /^[\w -]{1,16}$/.test(view)))].join(', ')
}

function openFrames(
  frames: readonly Frame[],
  { given, input, log }: { given: TaskInput; input: InputOf<'image'> | InputOf<'frames'>; log: string[] },
): OpenedInput {
  const grid = gridOf(frames)
  const [columns, rows] = grid.size
  log.push(`${frames.length} ${frames.length === 1 ? 'image' : 'frames'} of ${columns}x${rows}`)
  describeEncoding([...new Set(frames.map(({ file }) => file))], log)
  const source = sourceOf(frames, given.seriesInstanceUID)
  return {
    source,
    grid,
    places: null,
    axis: null,
    given,
    frameOfReferenceUID: textOf(source.header, 'FrameOfReferenceUID'),
    read: (options) => readPixels(frames, grid, { ...options, ...input }),
  }
}

/** A single image with a place in the patient keeps it; other images lie on a grid of pixels, one after the other. */
function gridOf(frames: readonly Frame[]): Grid {
  const { rows, columns, imagePositionPatient, imageOrientationPatient, sliceThickness, ...first } = frames[0] as Frame
  const [rowSpacing, columnSpacing] = spacingOf(first as Frame) ?? [1, 1]
  const axes = imageOrientationPatient && axesOf(imageOrientationPatient)
  const size = [columns, rows, frames.length] as const
  if (frames.length === 1 && axes && imagePositionPatient)
    return {
      size,
      spacing: [columnSpacing, rowSpacing, sliceThickness || 1],
      origin: imagePositionPatient,
      axes: [axes.row, axes.column, axes.normal],
    }
  return { size, spacing: [columnSpacing, rowSpacing, 1], origin: [0, 0, 0], axes: pixelAxes }
}

const pixelAxes: Grid['axes'] = [[1, 0, 0] as Vector, [0, 1, 0] as Vector, [0, 0, 1] as Vector]

/**
 * Row spacing and column spacing of an image, mm: Pixel Spacing, or that at the detector, or that of an ultrasound region (PS3.3 10.7.1.3,
 * C.8.5.5.1); null where nothing says it.
 */
export function spacingOf({ pixelSpacing, file: { elements } }: Frame): readonly [number, number] | null {
  if (pixelSpacing) return pixelSpacing
  for (const keyword of ['ImagerPixelSpacing', 'NominalScannedPixelSpacing']) {
    const [row, column] = numbersOf(elements, keyword)
    if (row && column && row > 0 && column > 0) return [row, column]
  }
  for (const region of itemsOf(elements, 'SequenceOfUltrasoundRegions')) {
    const [x, y] = [numberOf(region, 'PhysicalDeltaX'), numberOf(region, 'PhysicalDeltaY')]
    const inCentimetres =
      numberOf(region, 'PhysicalUnitsXDirection') === 3 && numberOf(region, 'PhysicalUnitsYDirection') === 3
    if (inCentimetres && x && y) return [Math.abs(y) * 10, Math.abs(x) * 10]
  }
  return null
}

function sourceOf(frames: readonly Frame[], seriesInstanceUID: string): SourceSeries {
  const first = frames[0] as Frame
  return {
    seriesInstanceUID,
    slices: frames.map((frame) => sourceSlice(frame, first)),
    header: first.file.elements,
    rows: first.rows,
    columns: first.columns,
    pixelSpacing: spacingOf(first),
    imageOrientationPatient: first.imageOrientationPatient,
    sliceSpacing: null,
  }
}
