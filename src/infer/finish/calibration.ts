import * as z from 'zod'
import { finishStep } from '../step.ts'
import type { Value } from '../value.ts'
import { elementwise, logistic } from './activations.ts'
import { FinishError } from './error.ts'

const onBoth = { takes: ['image', 'numbers'], gives: { image: 'image', numbers: 'numbers' } } as const

/** One number for all channels, or one for each. */
const perChannel = (number: z.ZodNumber) => z.union([number, z.array(number).min(1)])

function checkLength(who: string, given: number | readonly number[], value: Value): (index: number) => number {
  const channels = value.kind === 'numbers' ? value.numbers.length : value.kind === 'image' ? value.image.channels : 0
  if (typeof given === 'number') return () => given
  if (given.length !== channels)
    throw new FinishError('wrong-value', `${who} gives ${given.length} numbers, there are ${channels} classes`)
  return (index) => given[index] as number
}

export const temperature = finishStep({
  summary:
    'Temperature scaling: divides logits by a temperature, before softmax or sigmoid; above 1 makes a model less sure.',
  options: z.strictObject({
    /** Without unit, as fitted on validation data (Guo et al., ICML 2017). */
    temperature: z.number().positive(),
  }),
  ...onBoth,
  apply: (value, { temperature: by }, context) => elementwise(value, context, (x) => x / by),
})

export const platt = finishStep({
  summary:
    'Platt scaling: the probability 1 / (1 + exp(-(slope * x + intercept))) of a score or logit x; one pair for all classes or one for each.',
  options: z.strictObject({
    /** Platt's -A. */
    slope: perChannel(z.number()),
    /** Platt's -B. */
    intercept: perChannel(z.number()),
    /** `probability`: x is one, and its logit ln(x / (1 - x)) is scaled (log-odds calibration); `score`: x as it is. */
    of: z.enum(['score', 'probability']).default('score'),
  }),
  ...onBoth,
  apply(value, { slope, intercept, of }, context) {
    const a = checkLength('slope', slope, value)
    const b = checkLength('intercept', intercept, value)
    const scored = of === 'score' ? (x: number) => x : logit
    return elementwise(value, context, (x, index) => logistic(a(index) * scored(x) + b(index)))
  },
})

/** Kept from infinity, as far from 0 and 1 as single precision tells apart. */
function logit(p: number): number {
  const inside = Math.min(1 - 2 ** -24, Math.max(2 ** -24, p))
  return Math.log(inside / (1 - inside))
}

export const regression = finishStep({
  summary:
    'What a regression gives in its unit: x, or exp(x), times scale, plus offset, kept between minimum and maximum.',
  options: z.strictObject({
    /** The model gives a logarithm. */
    exp: z.boolean().default(false),
    scale: perChannel(z.number()).default(1),
    offset: perChannel(z.number()).default(0),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
  ...onBoth,
  apply(value, { exp, scale, offset, minimum, maximum }, context) {
    const a = checkLength('scale', scale, value)
    const b = checkLength('offset', offset, value)
    const low = minimum ?? Number.NEGATIVE_INFINITY
    const high = maximum ?? Number.POSITIVE_INFINITY
    return elementwise(value, context, (x, index) => {
      const y = (exp ? Math.exp(x) : x) * a(index) + b(index)
      return y < low ? low : y > high ? high : y
    })
  },
})
