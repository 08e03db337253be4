import { z } from 'zod'
import { compileExpression, compileNumber } from './expression.ts'
import { ExpressionError } from './expression-error.ts'
import { suggestion } from './nearest-name.ts'
import type { Scope } from './vocabulary.ts'

const slug = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and single hyphens')
  .max(64)

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
})

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
    pipeline: slug.describe('Name of the pipeline.'),
    destinations: z.array(slug).min(1).describe('Names of the destinations that get the results.'),
    priority: z.enum(['urgent', 'normal', 'low']).default('normal').describe('urgent jobs run first.'),
    assemble: z
      .strictObject({
        quiet: z.number().min(0).max(86_400).describe('Seconds; instead of assemble.quiet.'),
      })
      .optional()
      .describe('A quiet time for the studies that match; association release then decides nothing.'),
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
}

/** Checks a route definition of unknown origin and fills in the defaults; every problem at once. */
export function parseRouteDefinition(
  definition: unknown,
): { ok: true; definition: RouteDefinition } | { ok: false; problems: RouteProblem[] } {
  const parsed = routeDefinitionSchema.safeParse(definition)
  if (parsed.success) return { ok: true, definition: parsed.data }
  return { ok: false, problems: parsed.error.issues.map((i) => ({ path: i.path.join('.'), expectation: i.message })) }
}

/** What a route may name, as far as it is known. */
export interface KnownNames {
  destinations: readonly string[]
  /** Pipelines by name, with the names of their inputs. */
  pipelines: ReadonlyMap<string, readonly string[]>
}

/** What a route names that is not there: the pipeline, one of its inputs, a destination. */
export function unknownReferences(route: RouteDefinition, known: KnownNames): RouteProblem[] {
  const problems: RouteProblem[] = []
  const inputs = known.pipelines.get(route.pipeline)
  if (!inputs) {
    const help = suggestion(route.pipeline, known.pipelines.keys())
    problems.push({ path: 'pipeline', expectation: `no pipeline is called "${route.pipeline}"${help}` })
  }
  for (const name of Object.keys(route.inputs)) {
    if (!inputs || inputs.includes(name)) continue
    const expectation = `pipeline "${route.pipeline}" has no input "${name}"; it has ${inputs.join(', ')}`
    problems.push({ path: `inputs.${name}`, expectation })
  }
  for (const name of inputs ?? []) {
    if (name in route.inputs) continue
    problems.push({ path: 'inputs', expectation: `pipeline "${route.pipeline}" needs the input "${name}"` })
  }
  for (const [i, name] of route.destinations.entries()) {
    if (known.destinations.includes(name)) continue
    const expectation = `no destination is called "${name}"${suggestion(name, known.destinations)}`
    problems.push({ path: `destinations.${i}`, expectation })
  }
  return problems
}
