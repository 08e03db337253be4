import type { Grid, Image } from '../image.ts'
import type { OpenedInput } from './opened-input.ts'

type Placed = Pick<OpenedInput, 'grid' | 'places'>

/** The grid of the slices that are there, one behind the other: a stack to be counted in slices, not in mm, where some are missing. */
export function gridOfSlices({ grid, places }: Placed): Grid {
  return places === null ? grid : { ...grid, size: [grid.size[0], grid.size[1], places.length] }
}

/** The index of the slice that is nearest to a plane of the grid. */
export function sliceAt({ places }: Pick<OpenedInput, 'places'>, plane: number): number {
  if (places === null) return plane
  const distance = (slice: number): number => Math.abs((places[slice] as number) - plane)
  return places.reduce((best, _, slice) => (distance(slice) < distance(best) ? slice : best), 0)
}

/** The planes of an array on the grid that are slices, one behind the other. */
export function slicesOf<Numbers extends Image['data']>(data: Numbers, { grid, places }: Placed): Numbers {
  if (places === null) return data
  const plane = grid.size[0] * grid.size[1]
  const slices = new (data.constructor as new (length: number) => Numbers)(plane * places.length)
  for (const [slice, place] of places.entries())
    slices.set(data.subarray(place * plane, (place + 1) * plane), slice * plane)
  return slices
}

/** Puts slices into their places, and makes what is missing between two of them by linear interpolation. */
export function fillPlaces({ data }: Image, grid: Grid, places: readonly number[]): Image {
  const plane = grid.size[0] * grid.size[1]
  const filled = new (data.constructor as new (length: number) => Image['data'])(plane * grid.size[2])
  const sliceOf = (slice: number): Image['data'] => data.subarray(slice * plane, (slice + 1) * plane)
  const isWhole = !(data instanceof Float32Array)
  for (const [slice, place] of places.entries()) {
    filled.set(sliceOf(slice), place * plane)
    const next = places[slice + 1] ?? place + 1
    for (let between = place + 1; between < next; between++) {
      const part = (between - place) / (next - place)
      const [low, high] = [sliceOf(slice), sliceOf(slice + 1)]
      for (let i = 0; i < plane; i++) {
        const value = (low[i] as number) * (1 - part) + (high[i] as number) * part
        filled[between * plane + i] = isWhole ? Math.round(value) : value
      }
    }
  }
  return { grid, channels: 1, data: filled }
}
