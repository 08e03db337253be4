import * as z from 'zod'
import type { StepDeclaration } from './step-chain.ts'
import { stepSchema } from './step-chain.ts'
import { code, name, valueName } from './vocabulary.ts'

/**
 * The schema of an entry of `measure`: a quantity of a segment, or of all segments together, or of a value.
 * @param quantities what can be measured, with its options
 */
export function measurementSchema(quantities: Readonly<Record<string, StepDeclaration>>) {
  return z.strictObject({
    id: name,
    /** Words for people. */
    name: z.string().min(1).max(64),
    quantity: stepSchema(quantities),
    /** The image whose values are measured where the segment is; or the boxes or numbers that are measured in the place of a segment. */
    of: valueName.optional(),
    /** Id of a segment; left out: all segments together. */
    segment: name.optional(),
    /** For a change: ids of the measurement of this study, and of the same of an earlier one. */
    change: z.strictObject({ now: name, before: name }).optional(),
    code,
    /** A UCUM unit. */
    unit: code,
    /** Mean, total, … (CID 7464). */
    derivation: code.optional(),
    /** The anatomy that a value without a segment speaks of. */
    site: code.optional(),
  })
}
export type MeasurementManifest = z.infer<ReturnType<typeof measurementSchema>>
