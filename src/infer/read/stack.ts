import { textOf } from '../../dicom/dataset.ts'
import { type Stack, sortSlices } from '../../dicom/geometry.ts'
import { refusal } from '../error.ts'
import type { Grid } from '../image.ts'
import type { SourceSeries, SourceSlice } from '../inference.ts'
import type { Frame, Plane } from './frame.ts'

/** Planes as a volume: in order, with the grid that they lie on. */
export interface StackedPlanes {
  planes: Plane[]
  /** The even grid, with the places of slices that are missing. */
  grid: Grid
  stack: Stack
}

/**
 * Puts planes in order along their normal: rows run along the grid's first axis, columns along its second.
 * @param options.missing so many may be missing between the others
 * @throws {InferError} `refused` when they make no volume, with the reason
 */
export function stackPlanes(planes: readonly Plane[], options: { missing?: number } = {}): StackedPlanes {
  const stack = sortSlices(planes, options)
  if (stack.kind === 'problem') throw refusal(stack.reason, { code: stack.code })
  return {
    planes: stack.order.map((index) => planes[index] as Plane),
    grid: {
      size: [stack.columns, stack.rows, (stack.places.at(-1) as number) + 1],
      spacing: [stack.pixelSpacing[1], stack.pixelSpacing[0], stack.sliceSpacing],
      origin: stack.origin,
      axes: [stack.row, stack.column, stack.normal],
    },
    stack,
  }
}

/**
 * A frame as results refer to it.
 * @param first a frame of the series that the results are said to be of: those of others name their own
 */
export function sourceSlice(frame: Frame, first: Frame): SourceSlice {
  const { elements } = frame.file
  return {
    file: frame.file.path,
    sopClassUID: textOf(elements, 'SOPClassUID') ?? '',
    sopInstanceUID: textOf(elements, 'SOPInstanceUID') ?? '',
    frame: frame.number,
    imagePositionPatient: frame.imagePositionPatient,
    ...(frame.seriesInstanceUID === first.seriesInstanceUID ? {} : { seriesInstanceUID: frame.seriesInstanceUID }),
  }
}

/** Planes as the source of results. */
export function sourceOfStack(seriesInstanceUID: string, { planes, stack }: StackedPlanes): SourceSeries {
  const first = planes[0] as Plane
  return {
    seriesInstanceUID,
    slices: planes.map((plane) => sourceSlice(plane, first)),
    header: first.file.elements,
    rows: stack.rows,
    columns: stack.columns,
    pixelSpacing: stack.pixelSpacing,
    imageOrientationPatient: first.imageOrientationPatient,
    sliceSpacing: stack.sliceSpacing,
  }
}
