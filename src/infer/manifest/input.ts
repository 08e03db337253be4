import * as z from 'zod'
import { keyword, name, range, uid } from './vocabulary.ts'

/** One text, or a list of those that are accepted. */
const oneOf = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).transform((v) => [v].flat())

/** What any input says of itself, and what is accepted; everything outside is refused with the value and the limit. */
const anyInput = {
  name,
  /** `prior`: the series comes from an earlier study of the patient, that the route finds. */
  from: z.enum(['study', 'prior']).default('study'),
  /** False: the pipeline runs without it; values that are made of it are left out then, with whatever needs them. */
  required: z.boolean().default(true),
  modality: oneOf,
  sopClasses: z.array(uid).min(1).optional(),
  manufacturer: oneOf.optional(),
  bodyPart: oneOf.optional(),
  rows: range.optional(),
  columns: range.optional(),
  /** `forbidden`: a contrast agent in the header refuses the series; `required`: its absence does. */
  contrast: z.enum(['forbidden', 'allowed', 'required']).default('allowed'),
  /** Numbers of the header within limits: RepetitionTime, KVP, MagneticFieldStrength … */
  attributes: z.record(keyword, range).optional(),
}

/**
 * What values stand for. `modality`: as the Modality LUT or rescale gives them; where there is none, as they are stored. `hounsfield`: HU,
 * rounded to whole numbers, padding is air; anything else is refused. `stored`: as they are stored.
 */
const values = z.enum(['modality', 'hounsfield', 'stored']).default('modality')
/** What padded pixels (Pixel Padding Value) become; left out: -1024 in `hounsfield`, else they stay as they are. */
const padding = z.number().optional()

const geometry = {
  /** Slice Thickness, mm. */
  sliceThickness: range.optional(),
  /** Distance between slices, mm, as measured from their positions. */
  sliceSpacing: range.optional(),
  /** Pixel Spacing, mm. */
  pixelSpacing: range.optional(),
  /** Planes that are accepted, by the patient's axis that the slices' normal is nearest to. */
  orientation: z
    .array(z.enum(['axial', 'coronal', 'sagittal']))
    .min(1)
    .optional(),
  /** Angle between the slices and the patient's axes, degrees. */
  obliquity: range.optional(),
  /** Convolution Kernel, as it is written. */
  kernel: oneOf.optional(),
}

const volume = z.strictObject({
  ...anyInput,
  kind: z.literal('volume'),
  values,
  padding,
  ...geometry,
  slices: range.optional(),
  /** So many slices may be missing between the others: they are interpolated, and results leave them out. Left out: none. */
  missingSlices: z.int().min(0).max(20).default(0),
})

const sequence = z.strictObject({
  ...anyInput,
  kind: z.literal('sequence'),
  values,
  padding,
  ...geometry,
  slices: range.optional(),
  /**
   * What the volumes of the sequence differ in. `time`: seconds from the first (dynamic contrast, fMRI); `cardiac-phase`: milliseconds
   * after the R wave; `b-value`: s/mm²; `echo`: echo time, ms.
   */
  by: z.enum(['time', 'cardiac-phase', 'b-value', 'echo']),
  /** How many volumes there are. */
  phases: range.optional(),
})

const frames = z.strictObject({
  ...anyInput,
  kind: z.literal('frames'),
  values,
  padding,
  /** Pixel Spacing or Imager Pixel Spacing, mm. */
  pixelSpacing: range.optional(),
  /** How many frames there are. */
  frames: range.optional(),
  /** `colour`: three channels, 0 to 255; `grey`: one, made of the colours where it must be. */
  colours: z.enum(['grey', 'colour']).default('grey'),
})

const image = z.strictObject({
  ...anyInput,
  kind: z.literal('image'),
  values,
  padding,
  pixelSpacing: range.optional(),
  colours: z.enum(['grey', 'colour']).default('grey'),
  /** View Position of the images that are meant: PA, AP, LL, CC, MLO. Others of the series are passed over. */
  viewPosition: oneOf.optional(),
  /** What happens where the series has several such images. */
  several: z.enum(['refuse', 'first', 'last']).default('refuse'),
})

/** Masks that came with a series: a Segmentation object, on the grid of the series that it was drawn on. */
const segmentation = z.strictObject({
  ...anyInput,
  kind: z.literal('segmentation'),
  modality: oneOf.default(['SEG']),
  /** The input whose images were segmented. */
  of: name,
  /** Segments that overlap cannot be one label map: `first` and `last` say which of them keeps a voxel. */
  overlap: z.enum(['refuse', 'first', 'last']).default('refuse'),
  /** Part of probability from which a voxel of a fractional segmentation counts, 0 to 1. */
  threshold: z.number().min(0).max(1).default(0.5),
})

/** A series that a pipeline takes. */
export const inputSchema = z.discriminatedUnion('kind', [volume, sequence, frames, image, segmentation])

export type PipelineInput = z.infer<typeof inputSchema>
export type InputOf<Kind extends PipelineInput['kind']> = Extract<PipelineInput, { kind: Kind }>
/** Inputs that give an image. */
export type ImageInput = Exclude<PipelineInput, { kind: 'segmentation' }>

/** One number of a vector of metadata. */
const metadatum = z.union([
  keyword.transform((attribute) => ({ attribute })),
  z.strictObject({
    attribute: keyword,
    /** What each text stands for: `{ M: 1, F: 0 }`. */
    codes: z.record(z.string(), z.number()).optional(),
    /** The number in the place of an attribute that is absent, or whose text has none; left out: the input is refused. */
    otherwise: z.number().optional(),
    /** The number is `(value - subtract) / divide`. */
    subtract: z.number().optional(),
    divide: z
      .number()
      .refine((v) => v !== 0, 'a number that is not 0 is expected')
      .optional(),
    /** Accepted values, before they are scaled. */
    range: range.optional(),
  }),
])

/** A vector of numbers of an input's header. PatientAge is in years, whatever unit it is written in. */
export const metadataSchema = z.strictObject({ from: name, values: z.array(metadatum).min(1) })
export type Metadata = z.infer<typeof metadataSchema>
