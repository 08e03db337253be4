import * as z from 'zod'
import { code, colour, name, valueName } from './vocabulary.ts'

/** What every output says of itself. */
const anyOutput = {
  /** Names the output for ever: UIDs depend on it. Needed where a pipeline has two of a kind. */
  id: name.optional(),
  /** What the Series Description says after the pipeline's title. */
  title: z.string().min(1).max(40).optional(),
  /** The input whose images the output speaks of, and on whose grid it lies. Left out: the first input of images. */
  source: name.optional(),
}

/** Ids of segments; all where left out. */
const segments = z.array(name).min(1).optional()

/** Values from black to white. */
const window = z.strictObject({ center: z.number(), width: z.number().positive() })

const heatMap = z.strictObject({
  from: valueName,
  /** Which channel of it. */
  channel: z.int().min(0).default(0),
  /** For the legend. */
  name: z.string().min(1).max(40),
  unit: z.string().max(16).default(''),
  /** Values of the first and last colour; what lies at or below the first is not drawn. */
  range: z.tuple([z.number(), z.number()]),
  colours: z.enum(['hot', 'blue-red']).default('hot'),
})

/** A picture of the source's images with colours over it. */
const overlay = {
  /** Left out: the window of the source's header, else its lowest and highest value. */
  window: window.optional(),
  segments,
  heatMap: heatMap.optional(),
  opacity: z.number().min(0).max(1).optional(),
  /** `all` slices; those `marked` by a segment or the heat map; or of each segment the `best`. */
  slices: z.enum(['all', 'marked', 'best']).default('all'),
}

/** What a class of a detector or a classifier is. Classes stand in the order of the model's. */
const findingClass = z.strictObject({
  id: name,
  label: z.string().min(1).max(64),
  /** What is found: a diagnosis, an abnormality. */
  type: code,
  site: code.optional(),
  modifiers: z.array(code).default([]),
  /** Score from which it counts as found. */
  threshold: z.number().optional(),
  /** A coded answer: `present` at or above the threshold, else `absent`. */
  evaluation: z.strictObject({ name: code, present: code, absent: code }).optional(),
})
export type FindingClass = z.infer<typeof findingClass>

/** Grid on which images are written: the source's, onto which they are resampled, or their own. */
const grid = z.enum(['source', 'own']).default('source')

/** Boxes, or key points, with what their classes are. */
const located = { from: valueName, classes: z.array(findingClass).min(1) }

const segmentation = z.discriminatedUnion('format', [
  z.strictObject({
    ...anyOutput,
    kind: z.literal('segmentation'),
    format: z.literal('binary').default('binary'),
    segments,
  }),
  z.strictObject({
    ...anyOutput,
    kind: z.literal('segmentation'),
    format: z.literal('labelmap'),
    segments,
    compression: z.enum(['rle', 'none']).default('rle'),
  }),
  /** Segments whose `from` is an image: the channel of their `value` holds their probability, 0 to 1. */
  z.strictObject({ ...anyOutput, kind: z.literal('segmentation'), format: z.literal('fractional'), segments }),
])

/** A result that a pipeline gives. Which of them go to which destination is the route's choice. */
export const outputSchema = z.discriminatedUnion('kind', [
  segmentation,
  /** Measurements of segments, and of the whole, as structured reports (TID 1500). */
  z.strictObject({
    ...anyOutput,
    kind: z.literal('measurement-report'),
    segments,
    /** Id of the segmentation that it refers to; left out: the only one. */
    segmentation: name.optional(),
  }),
  /** Findings with their boxes or points, or the outline of each measured segment where it is largest, as a structured report. */
  z.strictObject({
    ...anyOutput,
    kind: z.literal('planar-report'),
    segments,
    findings: z
      .strictObject({
        ...located,
        /** The most findings that are reported, best first. */
        maximum: z.int().min(1).max(1000).default(100),
      })
      .optional(),
  }),
  /** What a classifier says of the images as a whole, as a structured report. */
  z.strictObject({
    ...anyOutput,
    kind: z.literal('classification-report'),
    ...located,
    /** `all` classes with their probability, or only those `found`. */
    report: z.enum(['all', 'found']).default('all'),
  }),
  z.strictObject({
    ...anyOutput,
    kind: z.literal('parametric-map'),
    from: valueName,
    channel: z.int().min(0).default(0),
    /** What a value means. */
    quantity: code,
    unit: code,
    /** How the map was made of its images (CID 7203). */
    derivation: code,
    range: z.tuple([z.number(), z.number()]).optional(),
    grid,
  }),
  /** A new series of images: denoised, super-resolved, synthesised. */
  z.strictObject({
    ...anyOutput,
    kind: z.literal('derived-images'),
    from: valueName,
    channel: z.int().min(0).default(0),
    /** CID 7203. */
    derivations: z.array(code).min(1),
    /** In words: denoised. */
    description: z.string().min(1).max(40),
    rescale: z.strictObject({ slope: z.number().positive(), intercept: z.number() }).optional(),
    grid,
  }),
  /** A colour secondary capture with a legend. */
  z.strictObject({
    ...anyOutput,
    ...overlay,
    kind: z.literal('colour-capture'),
    notes: z.array(z.string().max(80)).default([]),
  }),
  /** Shapes over the images as a grayscale presentation state: outlines of segments, boxes and points of findings. */
  z.strictObject({
    ...anyOutput,
    kind: z.literal('presentation-state'),
    segments,
    findings: z.strictObject(located).optional(),
    window: window.optional(),
    colour: colour.optional(),
  }),
  /** A page as an encapsulated PDF: measurements, classification, and pictures. */
  z.strictObject({
    ...anyOutput,
    kind: z.literal('summary-pdf'),
    text: z.array(z.string().min(1).max(2000)).default([]),
    classification: z.strictObject(located).optional(),
    /** Left out: no pictures. */
    picture: z.strictObject(overlay).optional(),
    /** The most pictures on the page. */
    pictures: z.int().min(1).max(12).default(4),
  }),
  /** A key object selection: the slices that show segments or findings best. */
  z.strictObject({
    ...anyOutput,
    kind: z.literal('key-images'),
    /** CID 7010. */
    concept: code.optional(),
    description: z.string().min(1).max(200),
    segments,
    findings: z.strictObject(located).optional(),
    maximum: z.int().min(1).max(100).default(10),
  }),
  /** An RT structure set. */
  z.strictObject({
    ...anyOutput,
    kind: z.literal('structure-set'),
    segments,
    /** How far a contour may be moved to save points, pixels. */
    tolerance: z.number().min(0).max(5).optional(),
    /** RT ROI Interpreted Type by segment; ORGAN where it is left out. */
    interpretedTypes: z
      .record(name, z.enum(['ORGAN', 'PTV', 'CTV', 'GTV', 'EXTERNAL', 'AVOIDANCE', 'MARKER', '']))
      .optional(),
  }),
  /** A value as a NIfTI file. */
  z.strictObject({ ...anyOutput, kind: z.literal('nifti'), from: valueName, channel: z.int().min(0).default(0), grid }),
  /** Measurements and findings as a JSON file. */
  z.strictObject({
    ...anyOutput,
    kind: z.literal('json'),
    segments,
    findings: z.strictObject(located).optional(),
    classification: z.strictObject(located).optional(),
  }),
])

export type OutputManifest = z.infer<typeof outputSchema>
export type OutputKind = OutputManifest['kind']
export type OutputOf<Kind extends OutputKind> = Extract<OutputManifest, { kind: Kind }>
export type LocatedFindings = NonNullable<OutputOf<'presentation-state'>['findings']>
export type OverlayManifest = NonNullable<OutputOf<'summary-pdf'>['picture']>
