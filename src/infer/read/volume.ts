import { textOf } from '../../dicom/dataset.ts'
import type { InputOf } from '../manifest/input.ts'
import type { TaskInput } from '../task.ts'
import { checkCount, checkFrames, checkGrid } from './acceptance.ts'
import { framesOf, planesOf } from './frame.ts'
import { fillPlaces, gridOfSlices } from './missing-slices.ts'
import type { OpenedInput, OpenNote } from './opened-input.ts'
import { readPixels } from './pixels.ts'
import { describeEncoding, readHeaders } from './series.ts'
import { sourceOfStack, stackPlanes } from './stack.ts'

/**
 * Opens a series as one volume on its own grid: slices of files of their own, or frames of enhanced objects.
 * @throws {InferError} `refused` when the series is outside of the pipeline's limits or makes no volume; `unreadable-input`
 */
export async function openVolume(given: TaskInput, input: InputOf<'volume'>, { log }: OpenNote): Promise<OpenedInput> {
  const files = await readHeaders(given, input)
  const planes = planesOf(files.flatMap(framesOf))
  checkFrames(planes, input)
  checkCount('slices', planes.length, input.slices)
  const stacked = stackPlanes(planes, { missing: input.missingSlices })
  const { places } = stacked.stack
  const missing = stacked.grid.size[2] - planes.length
  checkGrid(stacked.grid, input)
  const { size, spacing } = stacked.grid
  log.push(
    `${size[2]} slices of ${size[0]}x${size[1]}, ${spacing[0]} x ${spacing[1]} mm, ${Number(spacing[2].toFixed(4))} mm apart`,
  )
  if (missing > 0) log.push(`${missing} slices are missing: they are interpolated, and results leave them out`)
  describeEncoding(files, log)
  const source = sourceOfStack(given.seriesInstanceUID, stacked)
  return {
    source,
    grid: stacked.grid,
    places: missing > 0 ? places : null,
    axis: null,
    given,
    frameOfReferenceUID: textOf(source.header, 'FrameOfReferenceUID'),
    read: async (options) => {
      const slices = await readPixels(stacked.planes, gridOfSlices({ grid: stacked.grid, places }), {
        ...options,
        ...input,
        colours: 'grey',
      })
      return missing > 0 ? fillPlaces(slices, stacked.grid, places) : slices
    },
  }
}
