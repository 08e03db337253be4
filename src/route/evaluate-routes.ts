import { Evaluation } from './evaluation.ts'
import { explainNoSeries, type Failures } from './explain-miss.ts'
import { compileExpression, distinct, type Expression, termsOf } from './expression.ts'
import type { RouteDefinition, RouteInput } from './route-definition.ts'
import { selectSeries } from './select-series.ts'
import type { RoutableStudy } from './study-facts.ts'

/** A route as it is stored: one version of one name. */
export interface ActiveRoute {
  version: number
  definition: RouteDefinition
}

/** One route's verdict on one study revision, with the values that decided it. */
export interface Decision {
  route: string
  routeVersion: number
  matched: boolean
  /** The conditions that decided: the one that failed, or all that held. */
  expression: string
  /**
   * For a match, the values of the study and of the selected series; for a miss, the distinct values over all series,
   * one alone by itself. With several inputs the keys of a match begin with `inputs.<name>.`.
   */
  because: Record<string, unknown>
  /** Input name to Series Instance UID; empty for a miss. */
  series: Record<string, string>
  /** One sentence, without patient data. */
  reason: string
}

/** At most so many distinct values of one path stand in a decision. */
const mostValues = 20

/**
 * Every route's decision on a study, in the order of the routes. Pure, and the same for the same study: preferences
 * leave no ties. Expressions are compiled once per text.
 */
export function evaluateRoutes(routes: readonly ActiveRoute[], study: RoutableStudy): Decision[] {
  const evaluation = new Evaluation(study)
  return routes.map((route) => decide(route, evaluation))
}

function decide(route: ActiveRoute, evaluation: Evaluation): Decision {
  const { definition, version } = route
  const base = { route: definition.name, routeVersion: version, matched: false, series: {} }
  if (!definition.enabled) {
    return { ...base, expression: 'enabled', because: { enabled: false }, reason: 'the route is off' }
  }
  const because: Record<string, unknown> = {}
  if (definition.when !== undefined) {
    const when = compileExpression(definition.when, 'study').evaluate({ study: evaluation.study })
    if (!when.value)
      return { ...base, expression: definition.when, because: when.because, reason: whenReason(definition.when, when) }
    Object.assign(because, when.because)
  }
  const inputs = Object.entries(definition.inputs)
  const series: Record<string, string> = {}
  const sentences: string[] = []
  for (const [name, input] of inputs) {
    const found = chooseSeries(input, evaluation)
    if ('selection' in found) {
      const { candidate, decidedBy } = found.selection
      series[name] = candidate.seriesInstanceUID
      const prefix = inputs.length > 1 ? `inputs.${name}.` : ''
      for (const path of found.where.paths) because[prefix + path] = evaluation.valuesOf(path)[candidate.index]
      const number = `of ${found.matching} that satisfy the condition`
      const choice =
        decidedBy === null ? 'the only series that satisfies the condition' : `chosen ${number} by ${decidedBy}`
      sentences.push(`input "${name}": series ${candidate.seriesInstanceUID}, ${choice}`)
    } else if (input.required) {
      const reason = `input "${name}": ${explainNoSeries(found.where.text, found.failures, evaluation)}`
      return { ...base, expression: input.where, because: valuesOverAll(found.where, evaluation), reason }
    }
  }
  if (Object.keys(series).length === 0) {
    const expression = expressionOf(definition)
    return { ...base, expression, because, reason: 'every input is optional, and none of them found a series' }
  }
  return { ...base, matched: true, expression: expressionOf(definition), because, series, reason: sentences.join('; ') }
}

/** A route that has found some of its required series, and not all. */
export interface WaitingRoute {
  route: string
  /** The first required input without a series. */
  input: string
}

/**
 * The routes that would match but for a required series that is missing, as far as the study is there. That another required input has
 * its series is what tells that the missing one belongs to this study: a route that has found none is for other studies.
 */
export function waitingRoutes(routes: readonly ActiveRoute[], study: RoutableStudy): WaitingRoute[] {
  const several = routes.filter(({ definition }) => definition.enabled && requiredInputs(definition).length > 1)
  if (several.length === 0) return []
  const evaluation = new Evaluation(study)
  return several.flatMap(({ definition }) => {
    const { name, when } = definition
    if (when !== undefined && !compileExpression(when, 'study').evaluate({ study: evaluation.study }).value) return []
    const inputs = requiredInputs(definition)
    const missing = inputs
      .filter(([, input]) => !('selection' in chooseSeries(input, evaluation)))
      .map(([input]) => input)
    return missing[0] !== undefined && missing.length < inputs.length ? [{ route: name, input: missing[0] }] : []
  })
}

const requiredInputs = ({ inputs }: RouteDefinition): [string, RouteInput][] =>
  Object.entries(inputs).filter(([, { required }]) => required)

type Choice =
  | { where: Expression; matching: number; selection: NonNullable<ReturnType<typeof selectSeries>> }
  | { where: Expression; failures: Failures }

function chooseSeries(input: RouteInput, evaluation: Evaluation): Choice {
  const where = compileExpression(input.where, 'series')
  const terms = termsOf(input.where, 'series')
  const failures: Failures = new Map()
  const matching = evaluation.candidates.filter((candidate) => {
    const failed = terms.find((term) => !evaluation.outcomeOf(term, candidate).value)
    if (!failed) return true
    const already = failures.get(failed)
    if (already) already.push(candidate)
    else failures.set(failed, [candidate])
    return false
  })
  const selection = selectSeries(matching, input.prefer)
  return selection ? { where, matching: matching.length, selection } : { where, failures }
}

function valuesOverAll(where: Expression, evaluation: Evaluation): Record<string, unknown> {
  return Object.fromEntries(
    where.paths.map((path) => {
      const values = distinct(evaluation.valuesOf(path))
      if (values.length <= 1) return [path, values[0] ?? null]
      return [
        path,
        values.length > mostValues
          ? [...values.slice(0, mostValues), `and ${values.length - mostValues} more`]
          : values,
      ]
    }),
  )
}

function whenReason(text: string, verdict: { missing: string[]; error?: string }): string {
  if (verdict.error !== undefined) return `the study does not satisfy ${text}: ${verdict.error}`
  const missing = verdict.missing.length > 0 ? ` (without a value: ${verdict.missing.join(', ')})` : ''
  return `the study does not satisfy ${text}${missing}`
}

/** The condition itself where there is one; else all of them, each with the name of what it is for. */
function expressionOf(definition: RouteDefinition): string {
  const inputs = Object.entries(definition.inputs)
  if (definition.when === undefined && inputs.length === 1) return inputs[0]?.[1].where ?? ''
  const wheres = inputs.map(([name, input]) => `${name}: ${input.where}`)
  return [...(definition.when === undefined ? [] : [`when: ${definition.when}`]), ...wheres].join('; ')
}
