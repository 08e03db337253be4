import { z } from 'zod'
import { suggestion } from '../nearest-name.ts'
import { compileExpression, compileNumber } from './expression.ts'
import { ExpressionError } from './expression-error.ts'
import type { Scope } from './vocabulary.ts'

/** Stands in `outputs` for every destination that is not named there. */
export const defaultOutputs = 'default'

const slug = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and single hyphens')
  .max(64)

const pipelineReference = z
  .string()
  .regex(
    /^[a-z0-9]+(-[a-z0-9]+)*(@(\d+\.\d+\.\d+|sha256:[0-9a-f]{64}))?$/,
    'NAME, NAME@1.2.0 or NAME@sha256:… with 64 hexadecimal digits',
  )
  .max(160)

/** A CEL text that has to compile; the refusal carries the position of the mistake. */
function celText(compile: (text: string, scope: Scope) => unknown, scope: Scope, description: string) {
  return z
    .string()
    .min(1)
    .max(4000)
    .describe(description)
    .superRefine((text, context) => {
      try {
        compile(text, scope)
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error
        context.addIssue({ code: 'custom', message: error.message, params: { line: error.line, column: error.column } })
      }
    })
}

const rank = celText(compileNumber, 'series', 'CEL over `series` that gives a number; a series without one ranks last.')

const preferenceSchema = z.union([
  z
    .enum(['thinnest-slices', 'most-instances', 'newest', 'oldest'])
    .describe('thinnest-slices: smallest SliceThickness; newest, oldest: by series date and time.'),
  z.strictObject({ highest: rank }),
  z.strictObject({ lowest: rank }),
])

const inputSchema = z.strictObject({
  where: celText(
    compileExpression,
    'series',
    'CEL over `series` and `study`: which series may be this input. Elements by DICOM keyword, and series.instances.',
  ),
  prefer: z
    .array(preferenceSchema)
    .max(8)
    .default([])
    .describe('Which of several series is taken; the first preference that tells them apart decides.'),
  required: z.boolean().default(true).describe('Without a series for a required input the route does not match.'),
  // Left out rather than filled in: a definition without them stays what it was.
  from: z
    .enum(['study', 'prior'])
    .optional()
    .describe('prior: the series is of the newest earlier study of the patient that has one. Left out: study.'),
  of: slug
    .optional()
    .describe(
      'Another input of the route: only series that refer to its series, as segmentations do, may be this one.',
    ),
  several: z
    .boolean()
    .optional()
    .describe(
      'true: every series that satisfies the condition belongs to the input, in the order of the preferences, as the phases of a sequence.',
    ),
})

interface Linked {
  shadow?: boolean | undefined
  stop?: boolean | undefined
  fallback?: boolean | undefined
  onAccept?: string | undefined
  inputs: Record<
    string,
    { from?: 'study' | 'prior' | undefined; of?: string | undefined; several?: boolean | undefined }
  >
  destinations: readonly string[]
  outputs?: Record<string, unknown> | undefined
}

/** Where parts of a route do not go together. */
function contradictions({ inputs, destinations, outputs, shadow, stop, fallback, onAccept }: Linked): RouteProblem[] {
  const problems: RouteProblem[] = []
  for (const [name, { from, of, several }] of Object.entries(inputs)) {
    if (of === undefined) continue
    const other = Object.hasOwn(inputs, of) ? inputs[of] : undefined
    const fault = (expectation: string): void => void problems.push({ path: `inputs.${name}.of`, expectation })
    if (of === name || !other) fault(`the name of another input is expected${suggestion(of, Object.keys(inputs))}`)
    else if (other.of !== undefined) fault(`input "${of}" refers to another itself`)
    else if ((other.from ?? 'study') !== (from ?? 'study')) fault(`input "${of}" is of another study`)
    if (several) fault('an input of several series refers to no other')
  }
  if (shadow && stop)
    problems.push({ path: 'stop', expectation: 'a shadow route is for comparison, and stops nothing' })
  if (shadow && fallback)
    problems.push({ path: 'fallback', expectation: 'a shadow route is for comparison, and is no fallback' })
  if (shadow && onAccept)
    problems.push({ path: 'onAccept', expectation: 'a shadow route is for comparison: nothing of it is verified' })
  for (const name of Object.keys(outputs ?? {}))
    if (name !== defaultOutputs && !destinations.includes(name))
      problems.push({
        path: `outputs.${name}`,
        expectation: `a destination of the route, or "${defaultOutputs}", is expected${suggestion(name, destinations)}`,
      })
  return problems
}

/** A route: which studies go to which pipeline, with which series, and where the results go. */
export const routeDefinitionSchema = z
  .strictObject({
    name: slug.describe('Unique name of the route: lower-case letters, digits, hyphens.'),
    description: z.string().max(500).optional().describe('One sentence for people.'),
    enabled: z.boolean().default(true).describe('A route that is off matches nothing, and its decisions say so.'),
    when: celText(
      compileExpression,
      'study',
      'CEL over `study`; without it, a route matches when each required input finds a series.',
    ).optional(),
    inputs: z
      .record(slug, inputSchema)
      .refine((inputs) => Object.keys(inputs).length > 0, 'at least one input')
      .describe('The inputs of the pipeline by name, and the series for each.'),
    pipeline: pipelineReference.describe(
      'The pipeline: NAME for the newest version that is installed, NAME@1.2.0 for that version, NAME@sha256:… for exactly those files.',
    ),
    canary: z
      .strictObject({
        pipeline: pipelineReference.describe('The pipeline that is tried, written as the other one.'),
        fraction: z.number().gt(0).max(1).describe('The part of the studies that go to it, such as 0.1.'),
      })
      .optional()
      .describe('Sends a part of the studies to another pipeline instead; a study always goes the same way.'),
    shadow: z
      .boolean()
      .optional()
      .describe(
        'The pipeline is run and its results are stored for comparison, but not delivered, and count as no findings.',
      ),
    destinations: z
      .array(slug)
      .default([])
      .describe('Names of the destinations that get the results: at least one, unless the route is a shadow.'),
    outputs: z
      .record(z.string().min(1), z.array(z.string().min(1)).min(1))
      .optional()
      .describe(
        'Kinds or ids of the outputs that a destination gets; "default" stands for those that are not named. Left out: every destination gets all.',
      ),
    priority: z
      .enum(['urgent', 'normal', 'low', 'off-peak'])
      .default('normal')
      .describe('urgent jobs run first; off-peak: they run last, and only in the windows of the calendar.'),
    urgent: z
      .array(
        z
          .strictObject({
            finding: z.string().min(1).max(255).describe('Name of a measurement of the pipeline.'),
            over: z.number().optional().describe('Critical where the value is above this.'),
            under: z.number().optional().describe('Critical where the value is below this.'),
            category: z
              .union([z.literal(1), z.literal(2), z.literal(3)])
              .optional()
              .describe(
                'ACR category of actionable findings: 1 (left out) within minutes, 2 within hours, 3 within days.',
              ),
          })
          .refine(({ over, under }) => over !== undefined || under !== undefined, 'over or under, or both'),
      )
      .min(1)
      .max(50)
      .optional()
      .describe('Findings that are critical: the result is marked urgent, delivered first, and told at once.'),
    stop: z.boolean().optional().describe('true: where this route matches, the routes after it are not asked.'),
    fallback: z
      .boolean()
      .optional()
      .describe('true: asked after all others, wherever it stands, and only where none of them has matched.'),
    onAccept: z
      .literal('verified-sr')
      .optional()
      .describe(
        'verified-sr: where a person accepts a result, its report is written anew as verified by them, and delivered.',
      ),
    assemble: z
      .strictObject({
        quiet: z.number().min(0).max(86_400).describe('Seconds; instead of assemble.quiet.'),
      })
      .optional()
      .describe('A quiet time for the studies that match; association release then decides nothing.'),
  })
  .refine(({ shadow, destinations }) => shadow === true || destinations.length > 0, {
    path: ['destinations'],
    message: 'at least one destination, unless the route is a shadow',
  })
  .superRefine((route, context) => {
    for (const { path, expectation } of contradictions(route))
      context.addIssue({ code: 'custom', path: path.split('.'), message: expectation })
  })
  .describe('A route of Hilum.')

export type DeepReadonly<T> = T extends (infer Member)[]
  ? readonly DeepReadonly<Member>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** A valid route, defaults filled in; immutable, because its versions and decisions belong together. */
export type RouteDefinition = DeepReadonly<z.output<typeof routeDefinitionSchema>>
export type RouteInput = RouteDefinition['inputs'][string]
export type Preference = z.output<typeof preferenceSchema>

/** One thing wrong with a route definition; `path` as in `inputs.ct.where`. */
export interface RouteProblem {
  path: string
  expectation: string
  /** Of a mistake in a CEL text: where in that text, counted from 1. */
  line?: number
  column?: number
}

/** Checks a route definition of unknown origin and fills in the defaults; every problem at once. */
export function parseRouteDefinition(
  definition: unknown,
): { ok: true; definition: RouteDefinition } | { ok: false; problems: RouteProblem[] } {
  const parsed = routeDefinitionSchema.safeParse(definition)
  if (parsed.success) return { ok: true, definition: parsed.data }
  return { ok: false, problems: parsed.error.issues.map(problemOf) }
}

function problemOf(issue: z.core.$ZodIssue): RouteProblem {
  const { line, column } = (issue.code === 'custom' ? issue.params : undefined) ?? {}
  return {
    path: issue.path.join('.'),
    expectation: issue.message,
    ...(typeof line === 'number' && typeof column === 'number' && { line, column }),
  }
}
