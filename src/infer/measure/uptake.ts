import * as z from 'zod'
import type { Vector } from '../../dicom/geometry.ts'
import { placeOf } from '../image.ts'
import { type Measured, quantity, type Subjects } from './quantity.ts'
import { channelOn, segmentMask } from './segment.ts'
import { highest, sphereMeans } from './sphere-means.ts'

/** Radius of a sphere of 1 mL, mm. */
const peakRadius = 10 * (3 / (4 * Math.PI)) ** (1 / 3)

export const suvMax = quantity({
  summary: 'Highest value of a voxel in the segment, with its place.',
  options: z.strictObject({ channel: z.int().min(0).default(0) }),
  unit: 'image',
  subject: 'image+segment',
  apply(subject, { channel }, { unit = '1' }) {
    const data = channelOn(subject.labels, subject.image, channel)
    const crop = segmentMask(subject)
    return [found(subject, crop && highest(crop, (at) => data[at] as number, subject.labels.grid.size), unit)]
  },
})

export const suvPeak = quantity({
  summary:
    'Highest mean value of a sphere of 1 mL whose centre is a voxel of the segment (EANM 2.0, QIBA FDG-PET/CT; IBSI 0F91). The sphere takes in voxels whose centres lie in it, outside of the segment too.',
  options: z.strictObject({
    channel: z.int().min(0).default(0),
    /** mm; that of 1 mL. */
    radius: z.number().positive().max(50).default(peakRadius),
  }),
  unit: 'image',
  subject: 'image+segment',
  apply(subject, { channel, radius }, { unit = '1' }) {
    const { grid } = subject.labels
    const data = channelOn(subject.labels, subject.image, channel)
    const crop = segmentMask(subject)
    if (!crop) return [found(subject, null, unit)]
    const meanAround = sphereMeans(data, crop, grid, radius)
    return [found(subject, highest(crop, meanAround, grid.size), unit)]
  },
})

function found(
  { labels: { grid } }: Subjects['image+segment'],
  best: { value: number; at: Vector } | null,
  unit: string,
): Measured {
  return best ? { value: best.value, unit, places: [placeOf(grid, best.at)] } : { value: Number.NaN, unit }
}
