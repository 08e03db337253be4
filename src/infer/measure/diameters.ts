import * as z from 'zod'
import type { Vector } from '../../dicom/geometry.ts'
import { type Grid, placeOf } from '../image.ts'
import { convexHull } from '../radiomics/convex-hull.ts'
import { type Diameters, type Place, planarDiameters } from './planar-diameters.ts'
import { type Measured, quantity, type Subjects } from './quantity.ts'
import { segmentMask } from './segment.ts'
import { inUnit } from './units.ts'

/** What was measured before: long and short axis are two quantities of one search. */
const known = new WeakMap<Uint8Array, Map<string, Diameters | null>>()

function diametersOf(segment: Subjects['segment']): { diameters: Diameters; low: Vector } | null {
  const crop = segmentMask(segment)
  if (!crop) return null
  const ofLabels = known.get(segment.labels.labels) ?? new Map<string, Diameters | null>()
  known.set(segment.labels.labels, ofLabels)
  const key = segment.values.join()
  const before = ofLabels.get(key)
  const diameters = before ?? planarDiameters(crop.mask, { size: crop.size, spacing: segment.labels.grid.spacing })
  ofLabels.set(key, diameters)
  return diameters && { diameters, low: crop.low }
}

function inPatient(grid: Grid, low: Vector, [x, y]: Place, slice: number): Vector {
  return placeOf(grid, [low[0] + x / grid.spacing[0], low[1] + y / grid.spacing[1], low[2] + slice])
}

function planar(segment: Subjects['segment'], which: 'long' | 'short', unit: string | undefined): Measured[] {
  const found = diametersOf(segment)
  if (!found) return [inUnit(Number.NaN, 'mm', unit)]
  const { diameters, low } = found
  const places = (which === 'long' ? diameters.longEnds : diameters.shortEnds).map((end) =>
    inPatient(segment.labels.grid, low, end, diameters.slice),
  )
  return [{ ...inUnit(diameters[which], 'mm', unit), places, slice: low[2] + diameters.slice }]
}

export const longAxis = quantity({
  summary:
    'Longest diameter in the plane of a slice, over all slices (RECIST 1.1), between the outermost points of the outline.',
  options: z.strictObject({}),
  unit: 'mm',
  subject: 'segment',
  apply: (segment, _options, { unit }) => planar(segment, 'long', unit),
})

export const shortAxis = quantity({
  summary: 'Longest diameter perpendicular to the long axis, in the same slice (RECIST 1.1).',
  options: z.strictObject({}),
  unit: 'mm',
  subject: 'segment',
  apply: (segment, _options, { unit }) => planar(segment, 'short', unit),
})

export const feret = quantity({
  summary:
    'Largest diameter in space: the greatest distance between two points of the surface mesh (IBSI 3.1.11, L0JK).',
  options: z.strictObject({}),
  unit: 'mm',
  subject: 'segment',
  apply(segment, _options, { unit }) {
    const { grid } = segment.labels
    const crop = segmentMask(segment)
    const hull = crop && convexHull(crop.mask, crop.size, grid.spacing)
    if (!hull) return [inUnit(Number.NaN, 'mm', unit)]
    const [one, other] = farthest(hull.vertices)
    const index = (at: Vector): Vector =>
      [0, 1, 2].map(
        (a) => (crop.low[a] as number) + (at[a] as number) / (grid.spacing[a] as number),
      ) as unknown as Vector
    const places = [one, other].map((at) => placeOf(grid, index(at)))
    const length = Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2])
    return [{ ...inUnit(length, 'mm', unit), places }]
  },
})

function farthest(vertices: readonly Vector[]): [Vector, Vector] {
  let greatest = -1
  let ends: [Vector, Vector] = [vertices[0] as Vector, vertices[0] as Vector]
  for (let i = 0; i < vertices.length; i++) {
    const a = vertices[i] as Vector
    for (let j = 0; j < i; j++) {
      const b = vertices[j] as Vector
      const squared = (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2
      if (squared > greatest) [greatest, ends] = [squared, [a, b]]
    }
  }
  return ends
}
