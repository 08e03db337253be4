import type { LocatedFinding, Region, SourceSeries } from '../infer/inference.ts'
import type { OpenedInput } from '../infer/read/opened-input.ts'
import { PixelBox } from './compare-segments.ts'
import { EvaluateError } from './error.ts'
import type { Sketch } from './evaluation.ts'
import type { DetectionCase } from './metrics/froc.ts'
import type { ReferenceBox, ReferenceLesion } from './reference-tables.ts'

/**
 * Holds what a detector found against the boxes of the reference, image by image. A box hits where their intersection over union reaches
 * `overlap`, a point where it lies in the box; the classes must be the same where the reference names one.
 */
export function compareFindings(
  findings: readonly LocatedFinding[],
  lesions: readonly ReferenceLesion[],
  { source, overlap }: { source: SourceSeries; overlap: number },
): DetectionCase {
  const placed = placedLesions(lesions, source)
  return {
    lesions: lesions.length,
    findings: findings.map(({ id, probability, slice, regions }) => ({
      score: probability,
      hits: placed.flatMap(({ of, boxes }, index) => {
        const isOfClass = of === null || of === id.replace(/-\d+$/, '')
        const isHit = boxes.some((box) => box.slice === slice && regions.some((region) => hits(region, box, overlap)))
        return isOfClass && isHit ? [index] : []
      }),
    })),
  }
}

interface PlacedBox extends ReferenceBox {
  slice: number
}

function placedLesions(
  lesions: readonly ReferenceLesion[],
  source: SourceSeries,
): { of: string | null; boxes: PlacedBox[] }[] {
  return lesions.map((lesion) => ({
    of: lesion.class,
    boxes: lesion.boxes.map((box) => ({ ...box, slice: sliceOf(box.image, source) })),
  }))
}

/** An image by its SOP Instance UID, or its number from 1 in the order of the slices. */
function sliceOf(image: string | null, { slices }: SourceSeries): number {
  if (image === null && slices.length === 1) return 0
  const byUid = slices.findIndex(({ sopInstanceUID }) => sopInstanceUID === image)
  const number = byUid >= 0 ? byUid : Number(image ?? Number.NaN) - 1
  if (!Number.isInteger(number) || number < 0 || number >= slices.length)
    throw new EvaluateError(
      'bad-reference',
      `a box is on image ${image ?? '(none named)'}: a SOP Instance UID or a number from 1 to ${slices.length} is expected`,
    )
  return number
}

function hits(region: Region, box: ReferenceBox, overlap: number): boolean {
  if (region.kind === 'point')
    return region.column >= box.left && region.column <= box.right && region.row >= box.top && region.row <= box.bottom
  return boxOverlap(region, box) >= overlap
}

type Corners = Pick<ReferenceBox, 'left' | 'top' | 'right' | 'bottom'>

/** Intersection over union of two boxes of one image. */
export function boxOverlap(a: Corners, b: Corners): number {
  const shared =
    Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
    Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top))
  const area = ({ left, top, right, bottom }: Corners): number => (right - left) * (bottom - top)
  return shared / (area(a) + area(b) - shared)
}

/** Draws the boxes of the image with the first lesion that was missed, else with the best finding that is wrong, else with anything. */
export function sketchFindings(
  findings: readonly LocatedFinding[],
  lesions: readonly ReferenceLesion[],
  { opened, compared }: { opened: OpenedInput; compared: DetectionCase },
): Sketch {
  const { grid, source } = opened
  const [columns, rows, slices] = grid.size
  const placed = placedLesions(lesions, source)
  const hit = new Set(compared.findings.flatMap((one) => one.hits))
  const missed = placed.find((_, index) => !hit.has(index))
  const wrong = findings.find((_, index) => compared.findings[index]?.hits.length === 0)
  const slice =
    missed?.boxes[0]?.slice ?? wrong?.slice ?? findings[0]?.slice ?? placed[0]?.boxes[0]?.slice ?? slices >> 1
  const box = new PixelBox()
  const rectangle = ({ left, top, right, bottom }: Corners): string => {
    box.take(left, top)
    box.take(right, bottom)
    const n = (value: number): number => Number(value.toFixed(2))
    return `M${n(left)} ${n(top)}H${n(right)}V${n(bottom)}H${n(left)}Z`
  }
  const regionOf = (region: Region): string =>
    region.kind === 'box'
      ? rectangle(region)
      : rectangle({
          left: region.column - 2,
          top: region.row - 2,
          right: region.column + 2,
          bottom: region.row + 2,
        })
  return {
    slice,
    slices,
    columns,
    rows,
    spacing: [grid.spacing[0], grid.spacing[1]],
    result: findings
      .filter((one) => one.slice === slice)
      .flatMap(({ regions }) => regions.map(regionOf))
      .join(''),
    reference: placed.flatMap(({ boxes }) => boxes.filter((one) => one.slice === slice).map(rectangle)).join(''),
    crop: box.around(columns, rows),
  }
}
