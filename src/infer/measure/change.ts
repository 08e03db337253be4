import * as z from 'zod'
import { quantity } from './quantity.ts'
import { inUnit } from './units.ts'

const none = z.strictObject({})

export const absoluteChange = quantity({
  summary: 'The value minus that of the prior study, in the value’s unit.',
  options: none,
  unit: 'image',
  subject: 'prior',
  apply: ({ now, before }, _options, { unit = '1' }) => [{ value: now - before, unit }],
})

export const relativeChange = quantity({
  summary: 'The change since the prior study as a part of the prior value; not given where that is 0 or less.',
  options: none,
  unit: '%',
  subject: 'prior',
  apply: ({ now, before }, _options, { unit }) => [
    inUnit(before > 0 ? (100 * (now - before)) / before : Number.NaN, '%', unit),
  ],
})

/** Volumes grow with the third power of diameters: their logarithm three times as fast. */
const powers = { volume: 1, diameter: 3 } as const

const grows = z.strictObject({
  /** What the value is; of a diameter the doubling of the volume is given. */
  of: z.enum(['volume', 'diameter']).default('volume'),
})

export const doublingTime = quantity({
  summary:
    'Time in which a volume doubles at the rate since the prior study: days * ln 2 / ln(now / before) (Schwartz 1961). Below 0 where it shrinks; not given without change, dates or volume.',
  options: grows,
  unit: 'd',
  subject: 'prior',
  apply({ now, before, days }, { of }, { unit }) {
    const growth = powers[of] * Math.log(now / before)
    const isKnown = days !== null && days > 0 && now > 0 && before > 0 && growth !== 0
    return [inUnit(isKnown ? (days * Math.LN2) / growth : Number.NaN, 'd', unit)]
  },
})

export const growthPerYear = quantity({
  summary: 'Growth of the volume in a year at the rate since the prior study, as a part of the prior value.',
  options: grows,
  unit: '%',
  subject: 'prior',
  apply({ now, before, days }, { of }, { unit }) {
    const isKnown = days !== null && days > 0 && now >= 0 && before > 0
    const factor = isKnown ? (now / before) ** ((powers[of] * 365.25) / days) : Number.NaN
    return [inUnit(100 * (factor - 1), '%', unit)]
  },
})
