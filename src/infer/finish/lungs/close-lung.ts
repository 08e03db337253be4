import { type Box, findComponents } from '../../components.ts'
import { label, type Work } from './labels.ts'

/** A box with `margin` more voxels in the slice, inside the volume. */
function widened({ low, high }: Box, margin: number, [nx, ny]: readonly number[]): Box {
  return {
    low: [Math.max(0, low[0] - margin), Math.max(0, low[1] - margin), low[2]],
    high: [Math.min(nx as number, high[0] + margin), Math.min(ny as number, high[1] + margin), high[2]],
  }
}

/**
 * Fills what a lung encloses on all sides, by itself or with airways: vessels, nodules, walls of bronchi. Airways and the other lung stay
 * what they are.
 * @param around the box around the lung
 */
export function fillHoles({ extent, labels }: Work, side: number, around: Box): void {
  const box = widened(around, 1, extent.size)
  const rest = findComponents(extent, { labels, value: label.none }, { connectivity: 6, box })
  const open = rest.list.map(({ low, high }) =>
    [0, 1, 2].some((axis) => low[axis] === box.low[axis] || high[axis] === box.high[axis]),
  )
  rest.forEachRun(({ offset, length, component }) => {
    if (!open[component]) labels.fill(side, offset, offset + length)
  })
}

/**
 * Closes a lung slice by slice with a disc: vessels that enter from the side and dents as narrow as the disc become lung. A closing adds
 * nothing outside of a boundary that is rounder than the disc, and so does not go beyond the pleura; nor beyond the box around the lung.
 * @param options.radius of the disc, mm
 * @param options.around the box around the lung
 */
export function closeLung({ extent, labels }: Work, side: number, options: { radius: number; around: Box }): void {
  const { radius, around: box } = options
  const [sx, sy] = extent.spacing
  const [nx, ny] = extent.size
  const margin = Math.ceil(radius / Math.min(sx, sy)) + 1
  const width = box.high[0] - box.low[0] + 2 * margin
  const height = box.high[1] - box.low[1] + 2 * margin
  const disc = discSpans(radius, sx, sy)
  const mask = new Uint8Array(width * height)
  const scratch = new Uint16Array(width * height)
  for (let z = box.low[2]; z < box.high[2]; z++) {
    mask.fill(0)
    let [first, last]: [number, number] = [box.high[1], -1]
    for (let y = box.low[1]; y < box.high[1]; y++) {
      let at = (y - box.low[1] + margin) * width + margin
      const row = (z * ny + y) * nx
      let anything = 0
      for (let i = row + box.low[0]; i < row + box.high[0]; i++, at++) {
        const inside = labels[i] === side ? 1 : 0
        mask[at] = inside
        anything |= inside
      }
      if (anything === 0) continue
      if (y < first) first = y
      last = y
    }
    if (last < 0) continue
    // The rows of this slice's part and a margin around them: beyond there is nothing to grow from, and nothing that would remain.
    const top = first - box.low[1]
    const part = mask.subarray(top * width, (last - box.low[1] + 1 + 2 * margin) * width)
    const picture = { width, height: part.length / width, disc }
    dilate(part, scratch, { ...picture, value: 1 })
    // Erosion is the dilation of the rest; what lies outside of the picture is not part of it.
    dilate(part, scratch, { ...picture, value: 0 })
    for (let y: number = first; y <= last; y++) {
      let at = (y - box.low[1] + margin) * width + margin
      const row = (z * ny + y) * nx
      for (let i = row + box.low[0]; i < row + box.high[0]; i++, at++)
        if (mask[at] === 1 && labels[i] === label.none) labels[i] = side
    }
  }
}

/** Half the width of a disc, in columns, by the distance in rows from its centre. */
function discSpans(radius: number, sx: number, sy: number): Int32Array {
  const rows = Math.floor(radius / sy)
  return Int32Array.from({ length: rows + 1 }, (_, row) =>
    Math.floor(Math.sqrt(radius ** 2 - (row * sy) ** 2) / sx + 1e-9),
  )
}

/**
 * Grows the pixels that are `value` by a disc: first every pixel's distance to them within its column, then each row is swept both ways,
 * carrying how far the spans reach.
 */
function dilate(
  mask: Uint8Array,
  distance: Uint16Array,
  options: { width: number; height: number; disc: Int32Array; value: 0 | 1 },
): void {
  const { width, height, disc, value } = options
  const far = disc.length
  for (let x = 0; x < width; x++) distance[x] = mask[x] === value ? 0 : far
  for (let i = width; i < width * height; i++) {
    const d = (distance[i - width] as number) + 1
    distance[i] = mask[i] === value ? 0 : d < far ? d : far
  }
  for (let i = width * (height - 1) - 1; i >= 0; i--) {
    const d = (distance[i + width] as number) + 1
    if (d < (distance[i] as number)) distance[i] = d
  }
  for (let y = 0; y < height; y++) {
    const base = y * width
    let reach = -1
    for (let x = 0; x < width; x++) {
      const d = distance[base + x] as number
      if (d < far) reach = Math.max(reach, x + (disc[d] as number))
      if (x <= reach) mask[base + x] = value
    }
    reach = width
    for (let x = width - 1; x >= 0; x--) {
      const d = distance[base + x] as number
      if (d < far) reach = Math.min(reach, x - (disc[d] as number))
      if (x >= reach) mask[base + x] = value
    }
  }
}
