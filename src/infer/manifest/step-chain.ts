import * as z from 'zod'

/** What a table of steps must say for a chain to be checked. */
export interface StepDeclaration {
  summary: string
  options: z.ZodType
}

/** A step of a chain with its options, checked. */
export interface StepCall {
  step: string
  options: unknown
}

/**
 * The schema of one step: a bare name, or a mapping of one name to its options. It is one mapping with every step's name, so that editors know
 * them all and problems carry the path of the option.
 */
export function stepSchema(table: Readonly<Record<string, StepDeclaration>>): z.ZodType<StepCall> {
  const names = Object.keys(table)
  const shape: Record<string, z.ZodType> = {}
  for (const [name, { options, summary }] of Object.entries(table))
    shape[name] = z.optional(options.meta({ description: summary }))
  const bare = z.enum(names as [string, ...string[]])
  const withOptions = z.strictObject(shape)
  return z.union([bare, withOptions]).transform((value, context): StepCall => {
    const given = typeof value === 'string' ? [value] : Object.keys(value)
    const [step] = given
    if (step === undefined || given.length > 1) {
      context.addIssue({ code: 'custom', message: 'one step is expected: a name, or a name with its options' })
      return z.NEVER
    }
    if (typeof value !== 'string') return { step, options: value[step] }
    const parsed = (table[step] as StepDeclaration).options.safeParse({})
    if (parsed.success) return { step, options: parsed.data }
    const missing = parsed.error.issues.map((issue) => issue.path.join('.') || issue.message).join(', ')
    context.addIssue({ code: 'custom', message: `${step} needs options: ${missing}` })
    return z.NEVER
  })
}
