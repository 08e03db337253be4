import type { Grid, Image } from '../image.ts'
import type { SourceSeries } from '../inference.ts'
import type { TaskInput } from '../task.ts'

/** How pixels are read. */
export interface ReadOptions {
  /** Frames that are decoded at a time. */
  threads: number
  onProgress?: ((fraction: number) => void) | undefined
}

/** An input of images whose headers were read and accepted. Its pixels are read when they are needed. */
export interface OpenedInput {
  /** What results refer to: the first volume of a sequence. */
  source: SourceSeries
  /** The source's own grid. Images without a place lie on a grid of pixels: origin 0, spacing in mm where it is known. */
  grid: Grid
  /** The plane of the grid that each slice of the source is, where some of its planes are no slices: they are missing and interpolated. */
  places: readonly number[] | null
  /** Positions along the axis of a sequence, one a volume: seconds, ms or s/mm². Null for other inputs. */
  axis: readonly number[] | null
  given: TaskInput
  /** UIDs of the frame that positions are in; null where the images say none. */
  frameOfReferenceUID: string | null
  /** @throws {InferError} `refused`, `unreadable-input`, `unsupported-pixels`, `corrupt-pixels` */
  read(options: ReadOptions): Promise<Image>
}

/** What opening an input adds to the job's record. */
export interface OpenNote {
  log: string[]
}
