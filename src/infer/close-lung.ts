import { type Box, findComponents } from './components.ts'
import { label, type Work } from './labels.ts'

/** The box around a lung, with `margin` more voxels in the slice, inside the volume. */
function boxOf(work: Work, side: number, margin: number): Box | null {
  const { extent, labels } = work
  const [nx, ny, nz] = extent.size
  let x0 = nx
  let y0 = ny
  let z0 = nz
  let x1 = 0
  let y1 = 0
  let z1 = 0
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        if (labels[i] !== side) continue
        if (x < x0) x0 = x
        if (x >= x1) x1 = x + 1
        if (y < y0) y0 = y
        if (y >= y1) y1 = y + 1
        if (z < z0) z0 = z
        if (z >= z1) z1 = z + 1
      }
  if (x1 === 0) return null
  return {
    low: [Math.max(0, x0 - margin), Math.max(0, y0 - margin), z0],
    high: [Math.min(nx, x1 + margin), Math.min(ny, y1 + margin), z1],
  }
}

/** Fills what a lung encloses on all sides: vessels, nodules, walls of bronchi. Airways and the other lung stay what they are. */
export function fillHoles(work: Work, side: number): void {
  const { extent, labels } = work
  const box = boxOf(work, side, 1)
  if (!box) return
  const rest = findComponents(extent, (i) => labels[i] !== side, { connectivity: 6, box })
  const open = rest.list.map(({ low, high }) =>
    [0, 1, 2].some((axis) => low[axis] === box.low[axis] || high[axis] === box.high[axis]),
  )
  rest.forEachRun(({ offset, length, component }) => {
    if (open[component]) return
    for (let i = offset; i < offset + length; i++)
      if (labels[i] === label.none || labels[i] === label.air) labels[i] = side
  })
}

/**
 * Closes a lung slice by slice with a disc: vessels that enter from the side and dents as narrow as the disc become lung. A closing adds
 * nothing outside of a boundary that is rounder than the disc, and so does not go beyond the pleura.
 * @param radius of the disc, mm
 */
export function closeLung(work: Work, side: number, radius: number): void {
  const { extent, labels } = work
  const [sx, sy] = extent.spacing
  const [nx, ny] = extent.size
  const margin = Math.ceil(radius / Math.min(sx, sy)) + 1
  const box = boxOf(work, side, margin)
  if (!box) return
  const width = box.high[0] - box.low[0] + 2 * margin
  const height = box.high[1] - box.low[1] + 2 * margin
  const disc = discSpans(radius, sx, sy)
  const mask = new Uint8Array(width * height)
  const scratch = new Uint16Array(width * height)
  for (let z = box.low[2]; z < box.high[2]; z++) {
    mask.fill(0)
    let any = false
    for (let y = box.low[1]; y < box.high[1]; y++)
      for (let x = box.low[0]; x < box.high[0]; x++) {
        if (labels[(z * ny + y) * nx + x] !== side) continue
        mask[(y - box.low[1] + margin) * width + x - box.low[0] + margin] = 1
        any = true
      }
    if (!any) continue
    dilate(mask, scratch, { width, height, disc, value: 1 })
    // Erosion is the dilation of the rest; what lies outside of the picture is not part of it.
    dilate(mask, scratch, { width, height, disc, value: 0 })
    for (let y: number = box.low[1]; y < box.high[1]; y++)
      for (let x: number = box.low[0]; x < box.high[0]; x++) {
        const i = (z * ny + y) * nx + x
        if (mask[(y - box.low[1] + margin) * width + x - box.low[0] + margin] !== 1) continue
        if (labels[i] === label.none || labels[i] === label.air) labels[i] = side
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
  for (let x = 0; x < width; x++) {
    let d = far
    for (let y = 0, i = x; y < height; y++, i += width) {
      d = mask[i] === value ? 0 : Math.min(far, d + 1)
      distance[i] = d
    }
    d = far
    for (let y = height - 1, i = (height - 1) * width + x; y >= 0; y--, i -= width) {
      d = mask[i] === value ? 0 : Math.min(far, d + 1)
      if (d < (distance[i] as number)) distance[i] = d
    }
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
