import type * as z from 'zod'
import type { Vector } from '../../dicom/geometry.ts'
import type { Grid, Image, LabelMap } from '../image.ts'
import type { Box } from '../value.ts'

/** What is measured. */
export interface Subjects {
  /** The voxels that carry one of some labels, together: one segment, or all of them. */
  segment: { labels: LabelMap; values: readonly number[] }
  /** The same, and an image on the same grid whose values are measured there. */
  'image+segment': { labels: LabelMap; values: readonly number[]; image: Image }
  boxes: { grid: Grid; boxes: readonly Box[] }
  numbers: { numbers: Float64Array }
  /** A value of this study and the same of an earlier one, in one unit; days between the studies, null where a date is missing. */
  prior: { now: number; before: number; days: number | null }
}
export type SubjectKind = keyof Subjects

/** One measured number. */
export interface Measured {
  /** NaN where there is nothing to measure. */
  value: number
  /** UCUM. */
  unit: string
  /** Tells the numbers of one quantity apart, where it gives several: `x`, `y`, `z`, or `slice-12`. */
  part?: string
  /** Where it was measured in one slice: its index along the grid's third axis, from 0. */
  slice?: number
  /** Where it was measured, in patient coordinates, mm: the end points of a diameter, the centre of a sphere. */
  places?: readonly Vector[]
}

export interface MeasureContext {
  /** The UCUM unit that is asked for; else the quantity's own. For quantities in the unit of the image: what that unit is. */
  unit?: string
}

/** Something that can be measured, with options of its own. */
export interface Quantity<Options extends z.ZodType = z.ZodType, Kind extends SubjectKind = SubjectKind> {
  summary: string
  options: Options
  /** UCUM, the unit where none is asked for; `image`: that of the image's values. */
  unit: string
  subject: Kind
  /**
   * @returns at least one number; the first is the quantity itself where it is one number
   * @throws {FinishError} `different-grids` where image and labels are not on one grid; `wrong-value` where a unit cannot be given, or an
   * option names what is not there
   */
  apply(subject: Subjects[Kind], options: z.output<Options>, context: MeasureContext): readonly Measured[]
}

/** Declares a quantity with the types of its own options and subject, and hands it out with them forgotten, for the table. */
export function quantity<Options extends z.ZodType, Kind extends SubjectKind>(
  declared: Quantity<Options, Kind>,
): Quantity {
  return declared
}
