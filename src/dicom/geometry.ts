/** A point or direction in patient coordinates, mm: x to the left, y to the back, z to the head (PS3.3 C.7.6.2.1.1). */
export type Vector = readonly [number, number, number]

export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
export const subtract = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
export const add = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
export const scale = (a: Vector, by: number): Vector => [a[0] * by, a[1] * by, a[2] * by]
export const norm = (a: Vector): number => Math.hypot(a[0], a[1], a[2])
export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]

/** Where one image plane lies (PS3.3 C.7.6.2). */
export interface ImagePlane {
  imagePositionPatient: Vector
  /** Direction cosines of a row (towards growing columns), then of a column (towards growing rows). */
  imageOrientationPatient: readonly number[]
  rows: number
  columns: number
  /** Row spacing, column spacing, mm. */
  pixelSpacing: readonly [number, number]
}

export type StackProblemCode =
  | 'too-few-slices'
  | 'invalid-orientation'
  | 'mixed-orientations'
  | 'mixed-sizes'
  | 'mixed-spacings'
  | 'duplicate-positions'
  | 'missing-slices'
  | 'irregular-spacing'
  | 'gantry-tilt'

/** Parallel, evenly spaced planes: a volume. */
export interface Stack {
  kind: 'stack'
  /** Indices of the given planes, in order of their position along the normal. */
  order: number[]
  /** Unit vectors: along a row, along a column, and their cross product. */
  row: Vector
  column: Vector
  normal: Vector
  rows: number
  columns: number
  pixelSpacing: readonly [number, number]
  /** Distance between neighbouring slices along the normal, mm. */
  sliceSpacing: number
  /** Where each slice in order stands on the even grid, from 0; numbers are left out where slices are missing. */
  places: number[]
  /** Position of the first slice in order. */
  origin: Vector
}

/** Why planes make no volume: a sentence with the values. */
export interface StackProblem {
  kind: 'problem'
  code: StackProblemCode
  reason: string
}

const problem = (code: StackProblemCode, reason: string): StackProblem => ({ kind: 'problem', code, reason })
const degrees = (radians: number): number => (radians * 180) / Math.PI
const mm = (value: number): string => `${Number(value.toFixed(3))} mm`

/** Slices may stand beside their regular grid by this part of the spacing, or by what rounding to 0.1 mm explains. */
const positionTolerance = { part: 0.05, mm: 0.1 }
/** More drift of the slices across their normal, as an angle, counts as gantry tilt. */
const tiltTolerance = 0.5

/**
 * Orders image planes along their normal and checks that they make a volume: parallel, of one size and spacing, evenly spaced, none
 * missing, none twice, not sheared by gantry tilt. Instance numbers and slice locations are not looked at: they lie.
 * @param options.missing so many slices may be missing between the others
 * @returns a stack, or the first problem found as a sentence
 */
export function sortSlices(
  planes: readonly ImagePlane[],
  { missing = 0 }: { missing?: number } = {},
): Stack | StackProblem {
  const first = planes[0]
  if (!first || planes.length < 2)
    return problem('too-few-slices', `the series has ${planes.length} slices, at least 2 make a volume`)
  const axes = axesOf(first.imageOrientationPatient)
  if (!axes)
    return problem(
      'invalid-orientation',
      `Image Orientation (Patient) ${first.imageOrientationPatient.join('\\')} is not two perpendicular unit vectors`,
    )
  const mixed = findMixture(planes, first)
  if (mixed) return mixed
  const { row, column, normal } = axes
  const along = planes.map((plane) => dot(plane.imagePositionPatient, normal))
  const order = planes.map((_, index) => index).sort((a, b) => at(along, a) - at(along, b))
  const positions = order.map((index) => at(along, index))
  const places = placesOf(positions)
  const uneven = findUnevenness(positions, places, missing)
  if (uneven) return uneven
  const sorted = order.map((index) => planes[index] as ImagePlane)
  const tilted = findTilt(sorted, axes)
  if (tilted) return tilted
  return {
    kind: 'stack',
    order,
    row,
    column,
    normal,
    rows: first.rows,
    columns: first.columns,
    pixelSpacing: first.pixelSpacing,
    sliceSpacing: (at(positions, positions.length - 1) - at(positions, 0)) / at(places, places.length - 1),
    places,
    origin: (sorted[0] as ImagePlane).imagePositionPatient,
  }
}

function at(numbers: readonly number[], index: number): number {
  return numbers[index] as number
}

/** The three unit axes of an orientation, or null where its two vectors are no perpendicular unit vectors. */
export function axesOf(orientation: readonly number[]): { row: Vector; column: Vector; normal: Vector } | null {
  if (orientation.length !== 6 || !orientation.every(Number.isFinite)) return null
  const [a, b, c, d, e, f] = orientation as [number, number, number, number, number, number]
  const row: Vector = [a, b, c]
  const column: Vector = [d, e, f]
  if (Math.abs(norm(row) - 1) > 0.01 || Math.abs(norm(column) - 1) > 0.01 || Math.abs(dot(row, column)) > 0.01)
    return null
  const unitRow = scale(row, 1 / norm(row))
  const across = cross(unitRow, column)
  const normal = scale(across, 1 / norm(across))
  return { row: unitRow, column: cross(normal, unitRow), normal }
}

function findMixture(planes: readonly ImagePlane[], first: ImagePlane): StackProblem | null {
  const same = (a: readonly number[], b: readonly number[], tolerance: number): boolean =>
    a.length === b.length && a.every((value, index) => Math.abs(value - at(b, index)) <= tolerance)
  const groups = (key: (plane: ImagePlane) => string): string => {
    const counts = new Map<string, number>()
    for (const plane of planes) counts.set(key(plane), (counts.get(key(plane)) ?? 0) + 1)
    return [...counts].map(([name, count]) => `${count} of ${name}`).join(', ')
  }
  if (planes.some((plane) => !same(plane.imageOrientationPatient, first.imageOrientationPatient, 0.001)))
    return problem(
      'mixed-orientations',
      `the series mixes image orientations: ${groups((p) => p.imageOrientationPatient.map((v) => Number(v.toFixed(3))).join('\\'))}`,
    )
  if (planes.some((plane) => plane.rows !== first.rows || plane.columns !== first.columns))
    return problem('mixed-sizes', `the series mixes image sizes: ${groups((p) => `${p.columns}x${p.rows}`)}`)
  if (planes.some((plane) => !same(plane.pixelSpacing, first.pixelSpacing, 0.0005 * first.pixelSpacing[0])))
    return problem(
      'mixed-spacings',
      `the series mixes pixel spacings: ${groups((p) => `${p.pixelSpacing.join('\\')} mm`)}`,
    )
  return null
}

function gapsOf(positions: readonly number[]): { gaps: number[]; median: number } {
  const gaps = positions.slice(1).map((position, index) => position - at(positions, index))
  return {
    gaps,
    median: at(
      gaps.toSorted((a, b) => a - b),
      gaps.length >> 1,
    ),
  }
}

/** The place of each slice on the grid of the usual gap: one that is twice or three times as wide leaves places out, where few are. */
function placesOf(positions: readonly number[]): number[] {
  const { gaps, median } = gapsOf(positions)
  const few = gaps.filter((gap) => gap > median * 1.5).length <= gaps.length / 4
  let place = 0
  return [0, ...gaps.map((gap) => (place += few && median > 0 ? Math.max(1, Math.round(gap / median)) : 1))]
}

/**
 * @param positions of the slices along the normal, ascending, mm
 * @param places on the even grid
 * @param allowedMissing so many slices may be missing
 */
function findUnevenness(
  positions: readonly number[],
  places: readonly number[],
  allowedMissing: number,
): StackProblem | null {
  const { gaps, median } = gapsOf(positions)
  const twice = gaps.filter((gap) => gap < Math.max(0.01, median * 0.02)).length
  if (twice > 0)
    return problem(
      'duplicate-positions',
      `${twice + 1} or more slices share a position: ${twice} of ${gaps.length} gaps are 0 mm`,
    )
  const missing = at(places, places.length - 1) - gaps.length
  if (missing > allowedMissing) {
    const wide = gaps.filter((gap) => gap > median * 1.5)
    const where = at(positions, gaps.indexOf(at(wide, 0)))
    return problem(
      'missing-slices',
      `${missing} slices are missing: ${wide.length} gaps are wider than the spacing of ${mm(median)}, the first of ${mm(at(wide, 0))} after position ${mm(where)}${allowedMissing > 0 ? `; at most ${allowedMissing} may be missing` : ''}`,
    )
  }
  const start = at(positions, 0)
  const spacing = (at(positions, positions.length - 1) - start) / at(places, places.length - 1)
  const allowed = Math.max(positionTolerance.part * spacing, positionTolerance.mm)
  const offset = positions.reduce((worst, p, i) => Math.max(worst, Math.abs(p - start - at(places, i) * spacing)), 0)
  if (offset > allowed)
    return problem(
      'irregular-spacing',
      `the slice spacing is irregular: from ${mm(Math.min(...gaps))} to ${mm(Math.max(...gaps))}, slices stand up to ${mm(offset)} beside an even grid, at most ${mm(allowed)} is accepted`,
    )
  return null
}

function findTilt(
  sorted: readonly ImagePlane[],
  axes: { row: Vector; column: Vector; normal: Vector },
): StackProblem | null {
  const origin = (sorted[0] as ImagePlane).imagePositionPatient
  const drift = (plane: ImagePlane): Vector => subtract(plane.imagePositionPatient, origin)
  const last = drift(sorted[sorted.length - 1] as ImagePlane)
  const across = Math.hypot(dot(last, axes.row), dot(last, axes.column))
  const angle = degrees(Math.atan2(across, dot(last, axes.normal)))
  if (angle > tiltTolerance)
    return problem(
      'gantry-tilt',
      `the slices are sheared by ${angle.toFixed(1)}° (gantry tilt): their positions drift by ${mm(across)} across the normal, at most ${tiltTolerance}° is accepted`,
    )
  const worst = sorted.reduce((most, plane) => {
    const d = drift(plane)
    return Math.max(most, Math.abs(dot(d, axes.row)), Math.abs(dot(d, axes.column)))
  }, 0)
  // Slices that jump sideways are no drift, and no volume either.
  const allowed = Math.max(1, Math.tan((tiltTolerance * Math.PI) / 180) * dot(last, axes.normal))
  if (worst > allowed)
    return problem(
      'irregular-spacing',
      `slices are displaced sideways by up to ${mm(worst)}, at most ${mm(allowed)} is accepted`,
    )
  return null
}

/** How one axis of the source lies in the canonical array. */
interface AxisPlace {
  /** Canonical axis: 0 x (to the left), 1 y (to the back), 2 z (to the head). */
  axis: 0 | 1 | 2
  flipped: boolean
}

/**
 * The canonical grid of a stack: the same voxels with axes permuted and flipped, so that x grows to the patient's left, y to the back
 * and z to the head. Stored with x fastest, then y, then z. No resampling: a voxel of one is a voxel of the other.
 */
export interface CanonicalGrid {
  /** Voxels along x, y, z. */
  size: Vector
  /** mm along x, y, z. */
  spacing: Vector
  /** The largest angle between an axis of the grid and the patient's axis that it stands for, degrees. */
  obliquity: number
  /** Unit vectors of the grid's x, y and z in patient coordinates. */
  directions: readonly [Vector, Vector, Vector]
  /** Centre of the voxel 0, patient coordinates, mm. */
  origin: Vector
  /** Canonical index of (slice, row, column) is `start + slice * steps.slice + row * steps.row + column * steps.column`. */
  start: number
  steps: { slice: number; row: number; column: number }
}

/** Finds the axes of the patient that are nearest to a stack's slices, rows and columns. */
export function canonicalGrid(stack: Stack, slices: number): CanonicalGrid {
  const sources = [
    { direction: stack.row, count: stack.columns, spacing: stack.pixelSpacing[1] },
    { direction: stack.column, count: stack.rows, spacing: stack.pixelSpacing[0] },
    { direction: stack.normal, count: slices, spacing: stack.sliceSpacing },
  ] as const
  const places = nearestAxes(sources.map((s) => s.direction))
  const size: [number, number, number] = [0, 0, 0]
  const spacing: [number, number, number] = [0, 0, 0]
  const directions: [Vector, Vector, Vector] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]
  let origin = stack.origin
  let cosine = 1
  for (const [index, source] of sources.entries()) {
    const { axis, flipped } = places[index] as AxisPlace
    size[axis] = source.count
    spacing[axis] = source.spacing
    directions[axis] = scale(source.direction, flipped ? -1 : 1)
    if (flipped) origin = add(origin, scale(source.direction, (source.count - 1) * source.spacing))
    cosine = Math.min(cosine, Math.abs(source.direction[axis]))
  }
  const strides: Vector = [1, size[0], size[0] * size[1]]
  let start = 0
  const steps = sources.map(({ count }, index) => {
    const { axis, flipped } = places[index] as AxisPlace
    if (flipped) start += (count - 1) * strides[axis]
    return flipped ? -strides[axis] : strides[axis]
  })
  return {
    size,
    spacing,
    obliquity: degrees(Math.acos(Math.min(1, cosine))),
    directions,
    origin,
    start,
    steps: { column: at(steps, 0), row: at(steps, 1), slice: at(steps, 2) },
  }
}

/** The assignment of three perpendicular directions to the patient's axes with the largest sum of cosines. */
function nearestAxes(directions: readonly Vector[]): AxisPlace[] {
  const permutations = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const
  const fit = (axes: readonly (0 | 1 | 2)[]): number =>
    directions.reduce((sum, direction, index) => sum + Math.abs(direction[axes[index] as 0 | 1 | 2]), 0)
  const best = permutations.reduce((a, b) => (fit(b) > fit(a) + 1e-9 ? b : a))
  return directions.map((direction, index) => {
    const axis = best[index] as 0 | 1 | 2
    return { axis, flipped: direction[axis] < 0 }
  })
}
