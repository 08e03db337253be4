import * as z from 'zod'
import { code, colour, name, valueName } from './vocabulary.ts'

/** What a label of a label map, or a channel of a probability map, is: in words and codes. */
const defined = z.strictObject({
  id: name,
  /** The label map, or the image whose channel holds the segment's probability. */
  from: valueName,
  /** The label, from 1; of an image of probabilities its channel, from 0. */
  value: z.int().min(0).max(255),
  label: z.string().min(1).max(64),
  /** SegmentedPropertyCategory (CID 7150). */
  category: code,
  /** SegmentedPropertyType (CID 7151 and others). */
  type: code,
  /** Laterality and other modifiers of the type. */
  modifiers: z.array(code).default([]),
  colour,
})

/** Every segment of a segmentation that is an input, as that object defines it: ids are `id` and the segment's number. */
const given = z.strictObject({ id: name, from: name, every: z.literal(true) })

export const segmentSchema = z.union([defined, given])
export type SegmentManifest = z.infer<typeof segmentSchema>
export type DefinedSegment = z.infer<typeof defined>
