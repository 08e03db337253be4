import * as z from 'zod'

/** A coded concept (PS3.16): value, coding scheme designator, meaning. */
export const code = z.strictObject({
  value: z.string().min(1).max(16),
  scheme: z.string().min(1).max(16),
  meaning: z.string().min(1).max(64),
})

/** Red, green, blue, 0 to 255. */
export const colour = z.tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)])

/** A least and a greatest value; what is left out is not limited. */
export const range = z
  .strictObject({ minimum: z.number().optional(), maximum: z.number().optional() })
  .refine(
    (r) => r.minimum === undefined || r.maximum === undefined || r.minimum <= r.maximum,
    'minimum is above maximum',
  )
export type Range = z.infer<typeof range>

/** Names of inputs, values, models, segments, measurements and outputs. */
export const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens are expected')

/** What an entry refers to: a name, or an input's name with `.axis`, the places along the axis of a sequence. */
export const valueName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}(\.axis)?$/, 'the name of a value is expected: lower-case letters, digits and hyphens')

export const uid = z.string().regex(/^[0-9]+(\.[0-9]+)+$/, 'a UID is expected')

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits are expected')

/** A file in the pipeline's own folder. */
export const fileName = z.string().regex(/^[\w][\w.-]*$/, 'a file name in the same folder, as model.onnx, is expected')

/** What the keyword of an attribute looks like. */
export const keyword = z
  .string()
  .regex(/^[A-Z][A-Za-z0-9]+$/, 'the keyword of an attribute, as PatientAge, is expected')
