import * as z from 'zod'
import { prepareStep } from '../step.ts'
import { outputRange } from './options.ts'
import { mapParts, resultOf, unlimited } from './parts.ts'
import { applyRealWorldValue, realWorldValueMapping } from './real-world-value.ts'
import { suvFactor } from './suv.ts'
import { applyVoi, voiOf } from './voi.ts'

/** Steps that need what the header says. */

const realWorldValue = prepareStep({
  summary:
    'Maps stored values to values of the real world, as Real World Value Mapping Sequence says (the input with `values: stored`).',
  options: z.strictObject({
    /** UCUM code of the unit that is wanted, as `mm2/s`. Left out, with `label`: the first mapping. */
    unit: z.string().min(1).optional(),
    /** LUT Label of the mapping. */
    label: z.string().min(1).optional(),
    /** What stored values become that the mapping leaves out. */
    unmapped: z.number().default(0),
  }),
  apply(image, options, { header, owned, note }) {
    const mapping = realWorldValueMapping(header, options)
    const data = resultOf(image, owned)
    const outside = applyRealWorldValue(image.data, data, mapping, options.unmapped)
    if (outside > 0)
      note(
        `real-world-value: ${outside} stored values are outside of ${mapping.first} to ${mapping.last}, they count as ${options.unmapped}`,
      )
    return { ...image, data }
  },
})

const suv = prepareStep({
  summary: 'Turns activity of a PET series (Bq/ml) into standardised uptake values, decay-corrected.',
  options: z.strictObject({
    normalisation: z.enum(['bw', 'lbm', 'bsa', 'ibw']).default('bw'),
    /** Formula of the lean body mass: James (LBMJAMES128), James with 120 (LBM), Janmahasatian (LBMJANMA). */
    leanBodyMass: z.enum(['james', 'james-120', 'janmahasatian']).default('james'),
  }),
  apply(image, options, { header, owned, note }) {
    const { factor, explanation } = suvFactor(header, options)
    note(`suv: ${explanation}; factor ${Number(factor.toPrecision(6))}`)
    return mapParts(image, owned, [{ from: 0, to: image.data.length }], () => ({ factor, offset: 0, ...unlimited }))
  },
})

const voi = prepareStep({
  summary: 'Applies the VOI LUT or window of the header, as a viewer would first show it.',
  options: z.strictObject({
    /** `auto`: the LUT where there is one, else the window. */
    source: z.enum(['auto', 'lut', 'window']).default('auto'),
    /** Which of several alternatives, from 0. */
    index: z.int().min(0).default(0),
    output: outputRange,
  }),
  apply(image, options, { header, owned }) {
    const transform = voiOf(header, options.source, options.index)
    const data = resultOf(image, owned)
    applyVoi(image.data, data, transform, options.output)
    return { ...image, data }
  },
})

export const headerSteps = { 'real-world-value': realWorldValue, suv, voi }
