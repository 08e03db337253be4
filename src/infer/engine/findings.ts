import type { Vector } from '../../dicom/geometry.ts'
import { InferError } from '../error.ts'
import { type Grid, indexOf, placeOf } from '../image.ts'
import type { InferredFinding, LocatedFinding, Region } from '../inference.ts'
import type { FindingClass } from '../manifest/output.ts'
import { sliceAt } from '../read/missing-slices.ts'
import type { OpenedInput } from '../read/opened-input.ts'
import type { Box, Point, Value } from '../value.ts'

/** What an output says of boxes, points or numbers. */
export interface Described {
  classes: readonly FindingClass[]
  /** The most that are reported, best first. */
  maximum?: number | undefined
}

function describe(of: FindingClass, score: number, id: string): InferredFinding {
  const { label, type, site, modifiers, threshold, evaluation } = of
  const found = threshold === undefined || score >= threshold
  return {
    id,
    label,
    type,
    site: site ?? null,
    modifiers,
    probability: score,
    found,
    evaluations: evaluation ? [{ name: evaluation.name, value: found ? evaluation.present : evaluation.absent }] : [],
  }
}

/**
 * What a classifier says, class by class.
 * @throws {InferError} `wrong-value` when there are fewer numbers than classes, or they are no probabilities
 */
export function classification(numbers: Float64Array, { classes }: Described): InferredFinding[] {
  if (numbers.length !== classes.length)
    throw new InferError('wrong-value', `there are ${numbers.length} numbers, ${classes.length} classes are declared`)
  return classes.map((of, index) => {
    const score = numbers[index] as number
    // A sum of floats may stand beside 1 by its last digit.
    if (!(score >= -1e-6 && score <= 1 + 1e-6))
      throw new InferError('wrong-value', `the number of ${of.id} is ${score}, a probability from 0 to 1 is expected`)
    return describe(of, Math.min(1, Math.max(0, score)), of.id)
  })
}

/**
 * What a detector found, on the slices of a grid: the box or point on the slice that its middle is nearest to. What is below its class's
 * threshold is left out.
 * @param source grid of the images that the findings are reported on
 * @throws {InferError} `wrong-value` for a class that is not declared
 */
export function locatedFindings(
  value: Extract<Value, { kind: 'boxes' | 'points' }>,
  { classes, maximum = Number.POSITIVE_INFINITY }: Described,
  source: Pick<OpenedInput, 'grid' | 'places'>,
): LocatedFinding[] {
  const given: readonly (Box | Point)[] = value.kind === 'boxes' ? value.boxes : value.points
  const counts = new Map<string, number>()
  const findings: LocatedFinding[] = []
  for (const one of [...given].sort((a, b) => b.score - a.score)) {
    if (findings.length >= maximum) break
    const of = classes[one.class]
    if (!of) throw new InferError('wrong-value', `class ${one.class} was found, ${classes.length} classes are declared`)
    if (of.threshold !== undefined && one.score < of.threshold) continue
    const place = 'at' in one ? pointOn(one, value.grid, source.grid) : boxOn(one, value.grid, source.grid)
    if (!place) continue
    const number = (counts.get(of.id) ?? 0) + 1
    counts.set(of.id, number)
    const score = Math.min(1, Math.max(0, one.score))
    findings.push({
      ...describe(of, score, `${of.id}-${number}`),
      slice: sliceAt(source, place.slice),
      regions: [place.region],
    })
  }
  return findings
}

type Place = { slice: number; region: Region } | null

/** From the centre of a voxel to the corner of the first pixel. */
const halfPixel = 0.5

function pointOn({ at }: Point, grid: Grid, source: Grid): Place {
  const [i, j, k] = indexOf(source, placeOf(grid, at))
  const slice = Math.round(k)
  if (slice < 0 || slice >= source.size[2]) return null
  return { slice, region: { kind: 'point', column: i + halfPixel, row: j + halfPixel } }
}

function boxOn({ from, to }: Box, grid: Grid, source: Grid): Place {
  const corners = [from[0], to[0]].flatMap((i) =>
    [from[1], to[1]].flatMap((j) => [from[2], to[2]].map((k): Vector => indexOf(source, placeOf(grid, [i, j, k])))),
  )
  const along = (axis: 0 | 1 | 2): [number, number] => {
    const values = corners.map((corner) => corner[axis])
    return [Math.min(...values), Math.max(...values)]
  }
  const within = (value: number, size: number): number => Math.min(size, Math.max(0, value + halfPixel))
  const [columns, rows, slices] = source.size
  const [left, right] = along(0).map((value) => within(value, columns)) as [number, number]
  const [top, bottom] = along(1).map((value) => within(value, rows)) as [number, number]
  const [low, high] = along(2)
  const slice = Math.round((low + high) / 2)
  if (slice < 0 || slice >= slices || right <= left || bottom <= top) return null
  return { slice, region: { kind: 'box', left, top, right, bottom } }
}
