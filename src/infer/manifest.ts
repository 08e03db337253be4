import * as z from 'zod'

const code = z.strictObject({
  value: z.string().min(1).max(16),
  scheme: z.string().min(1).max(16),
  meaning: z.string().min(1).max(64),
})
const colour = z.tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)])
const range = z
  .strictObject({ minimum: z.number().nonnegative().optional(), maximum: z.number().positive().optional() })
  .refine(
    (r) => r.minimum === undefined || r.maximum === undefined || r.minimum <= r.maximum,
    'minimum is above maximum',
  )
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens are expected')
const uid = z.string().regex(/^[0-9]+(\.[0-9]+)+$/, 'a UID is expected')

/** What an input must be to be accepted; everything outside is refused with the value and the limit. */
const input = z.strictObject({
  name,
  modality: z.string().min(2),
  sopClasses: z.array(uid).min(1),
  /** `forbidden`: a contrast agent in the header refuses the series. */
  contrast: z.enum(['forbidden', 'allowed']),
  slices: range,
  /** Slice Thickness, mm. */
  sliceThickness: range,
  /** Distance between slices, mm, as measured from their positions. */
  sliceSpacing: range,
  /** Pixel Spacing, mm. */
  pixelSpacing: range,
  /** Angle between the slices and the patient's axes, degrees. */
  obliquity: range,
})

const lungsStep = z.enum([
  'remove-outside-air',
  'remove-airways',
  'select-lungs',
  'separate-lungs',
  'close-vessels',
  'fill-holes',
  'remove-false-parts',
])

const lungs = z.strictObject({
  kind: z.literal('lungs'),
  steps: z.array(lungsStep).min(1),
  /** Litres of both lungs together, less is no chest. */
  minimumVolume: z.number().positive(),
  /** Mean HU of a lung. */
  meanDensity: z.strictObject({ minimum: z.number(), maximum: z.number() }),
  /** Radius of the closing in the slice, mm. */
  closingRadius: z.number().positive().max(30),
  /** Part of the largest lung area in a slice that the first or the last slice may show: more means that the lungs are cut off. */
  largestEndArea: z.number().positive().max(1),
})

const segment = z.strictObject({
  id: name,
  label: z.string().min(1).max(64),
  category: code,
  type: code,
  modifiers: z.array(code).default([]),
  colour,
})

const measurement = z.strictObject({
  id: name,
  name: z.string().min(1).max(64),
  quantity: z.enum(['volume', 'mean-density', 'percentile-density', 'fraction-below']),
  /** The percentile, or the density in HU below which voxels count. */
  parameter: z.number().optional(),
  /** Id of a segment; absent: all segments together. */
  segment: name.optional(),
  code,
  unit: code,
  derivation: code.optional(),
  site: code.optional(),
})

/** Schema 1 of pipeline.yaml. */
export const pipelineSchema = z
  .strictObject({
    schema: z.literal(1),
    name,
    version: z.string().regex(/^\d+\.\d+\.\d+$/, 'a version as 1.0.0 is expected'),
    title: z.string().min(1).max(40),
    manufacturer: z.string().min(1).max(64),
    description: z.string().min(1),
    intendedUse: z.string().min(1),
    limits: z.string().min(1),
    /** CID 7162. */
    family: code.optional(),
    inputs: z.array(input).length(1),
    preprocessing: z.array(z.enum(['hounsfield', 'canonical-axial'])),
    model: z.strictObject({
      file: z.string().regex(/^[\w.-]+\.onnx$/, 'a file name in the same folder, as model.onnx, is expected'),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits are expected'),
    }),
    inference: z.strictObject({
      kind: z.literal('slabs'),
      input: z.string().min(1),
      output: z.string().min(1),
      /** Slices that one run gives. */
      slab: z.int().min(1).max(512),
      /** Slices beside them that one run needs to see, on each side. */
      halo: z.int().min(0).max(64),
    }),
    postprocessing: lungs,
    outputs: z.strictObject({ segments: z.array(segment).min(1), measurements: z.array(measurement) }),
  })
  .superRefine((pipeline, context) => {
    const ids = new Set(pipeline.outputs.segments.map((s) => s.id))
    if (ids.size < pipeline.outputs.segments.length)
      context.addIssue({ code: 'custom', path: ['outputs', 'segments'], message: 'two segments have the same id' })
    for (const [index, m] of pipeline.outputs.measurements.entries()) {
      const path = ['outputs', 'measurements', index]
      if (m.segment !== undefined && !ids.has(m.segment))
        context.addIssue({ code: 'custom', path: [...path, 'segment'], message: `no segment has the id ${m.segment}` })
      if ((m.quantity === 'percentile-density' || m.quantity === 'fraction-below') && m.parameter === undefined)
        context.addIssue({ code: 'custom', path: [...path, 'parameter'], message: `${m.quantity} needs a parameter` })
    }
    for (const id of ['left-lung', 'right-lung'])
      if (!ids.has(id))
        context.addIssue({
          code: 'custom',
          path: ['outputs', 'segments'],
          message: `postprocessing lungs gives ${id}: it is missing`,
        })
  })

export type PipelineManifest = z.infer<typeof pipelineSchema>
export type PipelineInput = PipelineManifest['inputs'][number]
export type LungsParameters = PipelineManifest['postprocessing']
export type SegmentManifest = PipelineManifest['outputs']['segments'][number]
export type MeasurementManifest = PipelineManifest['outputs']['measurements'][number]

/** A pipeline that can run: its manifest, checked, and where its files are. */
export interface Pipeline extends PipelineManifest {
  /** Absolute path. */
  folder: string
  /** Absolute path. */
  modelFile: string
  /** `sha256:` and the digest over the sorted names and digests of the files that decide the result. */
  digest: string
}
