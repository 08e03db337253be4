import { refusal } from '../error.ts'
import { type Image, type LabelMap, voxelsOf } from '../image.ts'
import { labelsOnto } from '../prepare/labels-onto.ts'
import { resampleOnto } from '../prepare/resample.ts'
import { gridOfSlices, slicesOf } from '../read/missing-slices.ts'
import type { OpenedInput } from '../read/opened-input.ts'
import { type LabelSlices, labelSlices } from './label-slices.ts'
import type { Run } from './run.ts'

/** Label maps and images on the grids of the series that results speak of; a map is brought onto a grid once. */
export class SourceGrids {
  readonly #run: Run
  /** By the label map's memory, then by the name of the source. */
  readonly #slices = new WeakMap<Uint8Array, Map<string, LabelSlices>>()

  constructor(run: Run) {
    this.#run = run
  }

  /** The input whose images results speak of. */
  source(input: string): OpenedInput {
    const opened = this.#run.opened.get(input)
    if (!opened) throw new Error(`the input ${input} was not opened`)
    return opened
  }

  /** The labels of a value on a source's slices. */
  labels(name: string, source: string): LabelSlices {
    const { value, origin } = this.#run.values.get(name)
    if (value.kind !== 'labels') throw new Error(`${name} is no label map`)
    const { labels: map } = value
    const known = this.#slices.get(map.labels) ?? new Map<string, LabelSlices>()
    this.#slices.set(map.labels, known)
    const before = known.get(source)
    if (before) return before
    this.#checkFrame(name, origin, source)
    const slices = labelSlices(this.onSlicesOf(map, source))
    known.set(source, slices)
    return slices
  }

  /** A label map on the slices of a source. */
  onSlicesOf(map: LabelMap, source: string): LabelMap {
    const opened = this.source(source)
    const { labels } = labelsOnto(map, opened.grid)
    return { grid: gridOfSlices(opened), labels: slicesOf(labels, opened) }
  }

  /** One channel of an image, on its own grid or on the slices of a source. */
  channel(name: string, channel: number, source: string | null): Image {
    const { value, origin } = this.#run.values.get(name)
    if (value.kind !== 'image') throw new Error(`${name} is no image`)
    const { grid, channels, data } = value.image
    if (channel >= channels) throw refusal(`${name} has ${channels} channels, from 0: there is no channel ${channel}`)
    const voxels = voxelsOf(grid)
    const one: Image = { grid, channels: 1, data: data.subarray(channel * voxels, (channel + 1) * voxels) }
    if (source === null) return one
    this.#checkFrame(name, origin, source)
    const opened = this.source(source)
    const resampled = resampleOnto(one, opened.grid, { antiAlias: true })
    return { grid: gridOfSlices(opened), channels: 1, data: slicesOf(resampled.data, opened) }
  }

  /**
   * Results are shown on the images that they were made of, or on others in the same frame of reference.
   * @throws {InferError} `refused`
   */
  #checkFrame(name: string, origin: string, source: string): void {
    if (origin === source) return
    const [made, shown] = [this.source(origin), this.source(source)].map((opened) => opened.frameOfReferenceUID)
    if (made !== shown || made === null)
      throw refusal(
        `${name} cannot be shown on ${source}: it is made of ${origin}, whose Frame of Reference UID is ${made ?? 'absent'}, ${shown ?? 'one'} is expected`,
      )
  }
}
