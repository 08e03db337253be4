import * as z from 'zod'
import { placeOf } from '../image.ts'
import { measureSurface } from '../radiomics/surface.ts'
import { type MeasureContext, type Measured, quantity, type Subjects } from './quantity.ts'
import { segmentMask, voxelCount } from './segment.ts'
import { asPart, inUnit, unitRatio } from './units.ts'

const none = z.strictObject({})

export const volume = quantity({
  summary: 'Volume: the number of voxels times the volume of one.',
  options: none,
  unit: 'mL',
  subject: 'segment',
  apply(segment, _options, { unit = 'mL' }) {
    const [sx, sy, sz] = segment.labels.grid.spacing
    return [{ value: voxelCount(segment) * ((sx * sy * sz) / unitRatio('mm3', unit)), unit }]
  },
})

/** Area of each slice along the grid's third axis that has voxels of the segment, mm2, by its index. */
function sliceAreas(segment: Subjects['segment']): Map<number, number> {
  const areas = new Map<number, number>()
  const crop = segmentMask(segment)
  if (!crop) return areas
  const [x, y] = segment.labels.grid.spacing
  const plane = crop.size[0] * crop.size[1]
  for (let k = 0; k < crop.size[2]; k++) {
    let pixels = 0
    for (let i = k * plane; i < (k + 1) * plane; i++) pixels += crop.mask[i] as number
    if (pixels > 0) areas.set(crop.low[2] + k, pixels * x * y)
  }
  return areas
}

export const area = quantity({
  summary: 'Area in the plane of the slices: in the slice where it is largest, or in a given one.',
  options: z.strictObject({
    /** Index of the slice along the grid's third axis, from 0; left out: the one with the largest area. */
    slice: z.int().min(0).optional(),
  }),
  unit: 'mm2',
  subject: 'segment',
  apply(segment, { slice }, { unit }) {
    const areas = sliceAreas(segment)
    const largest = (): number => [...areas.keys()].reduce((best, k) => (at(k) > at(best) ? k : best), -1)
    const at = (k: number): number => areas.get(k) ?? 0
    const index = slice ?? largest()
    const mm2 = index < 0 ? Number.NaN : at(index)
    return [{ ...inUnit(mm2, 'mm2', unit), ...(index >= 0 && { slice: index }) }]
  },
})

export const areaPerSlice = quantity({
  summary:
    'Area in every slice along the grid’s third axis in which the segment lies; parts are `slice-` and its index, from 0.',
  options: none,
  unit: 'mm2',
  subject: 'segment',
  apply(segment, _options, { unit }) {
    return Array.from(sliceAreas(segment), ([index, mm2]) => ({
      ...inUnit(mm2, 'mm2', unit),
      part: `slice-${index}`,
      slice: index,
    }))
  },
})

/** Area and volume of the surface mesh; NaN without voxels. */
function surfaceOf(segment: Subjects['segment']): { area: number; volume: number } {
  const crop = segmentMask(segment)
  if (!crop) return { area: Number.NaN, volume: Number.NaN }
  return measureSurface(crop.mask, crop.size, segment.labels.grid.spacing)
}

export const surfaceArea = quantity({
  summary: 'Area of the surface: of the triangle mesh half way between voxels inside and outside (IBSI 3.1.3, C0JK).',
  options: none,
  unit: 'mm2',
  subject: 'segment',
  apply: (segment, _options, { unit }) => [inUnit(surfaceOf(segment).area, 'mm2', unit)],
})

export const sphericity = quantity({
  summary:
    'Area of the sphere of the same volume over the area of the surface, both of the mesh; 1 for a sphere (IBSI 3.1.8, QCFX).',
  options: none,
  unit: '1',
  subject: 'segment',
  apply(segment, _options, { unit }) {
    const mesh = surfaceOf(segment)
    return [asPart(Math.cbrt(36 * Math.PI * mesh.volume ** 2) / mesh.area, unit)]
  },
})

export const centroid = quantity({
  summary: 'Mean place of the voxels in patient coordinates: parts x (to the left), y (to the back), z (to the head).',
  options: none,
  unit: 'mm',
  subject: 'segment',
  apply(segment, _options, context) {
    const crop = segmentMask(segment)
    const sums: [number, number, number] = [0, 0, 0]
    let voxels = 0
    const [width, height, depth] = crop?.size ?? [0, 0, 0]
    for (let k = 0, at = 0; k < depth; k++)
      for (let j = 0; j < height; j++)
        for (let i = 0; i < width; i++, at++) {
          if (crop?.mask[at] !== 1) continue
          voxels++
          sums[0] += i
          sums[1] += j
          sums[2] += k
        }
    if (!crop) return perAxis([Number.NaN, Number.NaN, Number.NaN], context)
    const middle = [0, 1, 2].map((a) => (crop.low[a] as number) + (sums[a] as number) / voxels) as [
      number,
      number,
      number,
    ]
    const place = placeOf(segment.labels.grid, middle)
    return perAxis(place, context).map((one) => ({ ...one, places: [place] }))
  },
})

export const extent = quantity({
  summary: 'Size of the box around the segment along the axes of its grid, whole voxels: parts x, y, z.',
  options: none,
  unit: 'mm',
  subject: 'segment',
  apply(segment, _options, context) {
    const crop = segmentMask(segment)
    const { spacing } = segment.labels.grid
    return perAxis(
      [0, 1, 2].map((a) => (crop ? (crop.size[a] as number) * (spacing[a] as number) : Number.NaN)),
      context,
    )
  },
})

/** Three lengths in mm as parts. */
export function perAxis(lengths: readonly number[], { unit }: MeasureContext): Measured[] {
  return ['x', 'y', 'z'].map((part, axis) => ({ ...inUnit(lengths[axis] as number, 'mm', unit), part }))
}
