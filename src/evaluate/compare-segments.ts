import { maskContours } from '../encode/mask-contours.ts'
import type { InferredSegment } from '../infer/inference.ts'
import type { OpenedInput } from '../infer/read/opened-input.ts'
import type { SegmentComparison, Sketch } from './evaluation.ts'
import { dice, intersectionOverUnion, overlapOf } from './metrics/overlap.ts'
import { surfaceDistances } from './metrics/surface-distance.ts'
import type { ReferenceMasks } from './reference-masks.ts'

/** Square millimetres of a voxel's sides make millilitres. */
const cubicMillimetresPerMillilitre = 1000

/** Compares the segments that the reference speaks of, and draws where they differ most. */
export async function compareSegments(
  segments: readonly InferredSegment[],
  masks: ReferenceMasks,
  { opened, tolerance }: { opened: OpenedInput; tolerance: number },
): Promise<{ comparisons: SegmentComparison[]; sketch: Sketch | null }> {
  const { size, spacing } = opened.grid
  const plane = size[0] * size[1]
  const millilitres = (spacing[0] * spacing[1] * spacing[2]) / cubicMillimetresPerMillilitre
  const comparisons: SegmentComparison[] = []
  const differing = new Uint32Array(size[2])
  const inside = new Uint32Array(size[2])
  const kept: { segment: InferredSegment; slices: (Uint8Array | null)[] }[] = []
  for (const segment of segments) {
    const reference = await masks(segment)
    if (!reference) continue
    const result = volumeOf(segment, plane, size[2])
    const overlap = overlapOf(result, reference)
    const distances = surfaceDistances({ result, reference }, size, spacing, tolerance)
    comparisons.push({
      segment: segment.id,
      dice: dice(overlap),
      iou: intersectionOverUnion(overlap),
      hausdorff95: distances?.hausdorff95 ?? null,
      surfaceDice: distances?.surfaceDice ?? (overlap.result + overlap.reference > 0 ? 0 : null),
      volume: overlap.result * millilitres,
      referenceVolume: overlap.reference * millilitres,
    })
    countBySlice(result, reference, { plane, differing, inside })
    kept.push({ segment, slices: packed(reference, plane, size[2]) })
  }
  if (comparisons.length === 0) return { comparisons, sketch: null }
  const slice = greatest(differing) ?? greatest(inside) ?? size[2] >> 1
  return { comparisons, sketch: sketchOf(slice, kept, opened) }
}

function volumeOf({ maskOf }: InferredSegment, plane: number, slices: number): Uint8Array {
  const volume = new Uint8Array(plane * slices)
  for (let slice = 0; slice < slices; slice++) {
    const mask = maskOf(slice)
    if (mask) volume.set(mask, slice * plane)
  }
  return volume
}

function countBySlice(
  result: Uint8Array,
  reference: Uint8Array,
  { plane, differing, inside }: { plane: number; differing: Uint32Array; inside: Uint32Array },
): void {
  for (let slice = 0, i = 0; slice < differing.length; slice++) {
    let [differ, within] = [0, 0]
    for (const end = i + plane; i < end; i++) {
      if (!result[i] !== !reference[i]) differ++
      if (result[i]) within++
    }
    differing[slice] = (differing[slice] as number) + differ
    inside[slice] = (inside[slice] as number) + within
  }
}

function greatest(counts: Uint32Array): number | null {
  let best = 0
  for (let at = 0; at < counts.length; at++) if ((counts[at] as number) > (counts[best] as number)) best = at
  return (counts[best] ?? 0) > 0 ? best : null
}

/** Slices that hold something, an eighth of their size: until it is known which one is drawn. */
function packed(mask: Uint8Array, plane: number, slices: number): (Uint8Array | null)[] {
  return Array.from({ length: slices }, (_, slice) => {
    const part = mask.subarray(slice * plane, (slice + 1) * plane)
    if (!part.includes(1)) return null
    const bits = new Uint8Array(Math.ceil(plane / 8))
    for (let i = 0; i < plane; i++) if (part[i]) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7))
    return bits
  })
}

function unpacked(bits: Uint8Array | null, plane: number): Uint8Array | null {
  return bits && Uint8Array.from({ length: plane }, (_, i) => ((bits[i >> 3] as number) >> (i & 7)) & 1)
}

function sketchOf(
  slice: number,
  kept: readonly { segment: InferredSegment; slices: readonly (Uint8Array | null)[] }[],
  { grid }: OpenedInput,
): Sketch {
  const [columns, rows, slices] = grid.size
  const box = new PixelBox()
  const draw = (mask: Uint8Array | null): string => (mask ? pathOf(mask, { rows, columns, box }) : '')
  const result = kept.map(({ segment }) => draw(segment.maskOf(slice))).join('')
  const reference = kept.map((one) => draw(unpacked(one.slices[slice] ?? null, columns * rows))).join('')
  return {
    slice,
    slices,
    columns,
    rows,
    spacing: [grid.spacing[0], grid.spacing[1]],
    result,
    reference,
    crop: box.around(columns, rows),
  }
}

/** Borders as path data; contours have the centre of the first pixel at 0, 0. */
function pathOf(mask: Uint8Array, { rows, columns, box }: { rows: number; columns: number; box: PixelBox }): string {
  return maskContours(mask, { rows, columns })
    .flatMap(({ outer, holes }) => [outer, ...holes])
    .map((polygon) => {
      const points: string[] = []
      for (let at = 0; at + 1 < polygon.length; at += 2) {
        const [x, y] = [(polygon[at] as number) + 0.5, (polygon[at + 1] as number) + 0.5]
        box.take(x, y)
        points.push(`${Number(x.toFixed(2))} ${Number(y.toFixed(2))}`)
      }
      return `M${points.join('L')}Z`
    })
    .join('')
}

/** The least part of a picture that shows a small thing with what is around it, pixels. */
const leastCrop = 96

/** The box of what is drawn. */
export class PixelBox {
  #low: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  #high: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]

  take(x: number, y: number): void {
    this.#low = [Math.min(this.#low[0], x), Math.min(this.#low[1], y)]
    this.#high = [Math.max(this.#high[0], x), Math.max(this.#high[1], y)]
  }

  /** A square around it with a margin, within an image; the whole image where nothing was drawn. */
  around(columns: number, rows: number): readonly [number, number, number, number] {
    if (this.#low[0] > this.#high[0]) return [0, 0, columns, rows]
    const extent = Math.max(this.#high[0] - this.#low[0], this.#high[1] - this.#low[1])
    const side = Math.ceil(Math.max(leastCrop, extent * 1.35))
    const along = (axis: 0 | 1, size: number): [number, number] => {
      const length = Math.min(side, size)
      const middle = (this.#low[axis] + this.#high[axis]) / 2
      return [Math.round(Math.min(size - length, Math.max(0, middle - length / 2))), length]
    }
    const [left, width] = along(0, columns)
    const [top, height] = along(1, rows)
    return [left, top, width, height]
  }
}
