import { type Choice, type ChosenSeries, chooseInputs, type Studies } from './choose-series.ts'
import { choosePipeline } from './chosen-pipeline.ts'
import { Evaluation } from './evaluation.ts'
import { explainNoSeries } from './explain-miss.ts'
import { compileExpression, type Expression } from './expression.ts'
import { inTurn, type Unasked, unaskedSentence } from './in-turn.ts'
import type { RouteDefinition, RouteInput } from './route-definition.ts'
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
  /** Input name to its further series, in order; left out where no input takes several. */
  further?: Record<string, string[]>
  /** Input name to the Study Instance UID of the earlier study that its series is of; left out where none is of one. */
  earlier?: Record<string, string>
  /** One sentence, without patient data. */
  reason: string
}

/** At most so many distinct values of one path stand in a decision. */
const mostValues = 20

/**
 * Every route's decision on a study, in the order of the routes; where a route stops the others, or a fallback is not needed, that of those
 * that were not asked says so. Pure, and the same for the same study: preferences
 * leave no ties. Expressions are compiled once per text.
 * @param earlier the earlier studies of the patient, the newest first; left out where nobody looked for any: inputs of earlier studies then
 *   keep no route from matching
 */
export function evaluateRoutes(
  routes: readonly ActiveRoute[],
  study: RoutableStudy,
  earlier?: readonly RoutableStudy[],
): Decision[] {
  return decideRoutes(routes, studiesOf(study, earlier))
}

/**
 * As `evaluateRoutes`, of a study that is ready to be looked at: what one list of routes has looked at, the next need not.
 * @param known what routes that were asked decided on the same study; it is added to
 */
export function decideRoutes(
  routes: readonly ActiveRoute[],
  studies: Studies,
  known: Map<ActiveRoute, Decision> = new Map(),
): Decision[] {
  const decided = new Map<ActiveRoute, Decision>()
  const asked = (route: ActiveRoute): Decision => {
    let decision = known.get(route)
    if (!decision) known.set(route, (decision = withChoice(decide(route, studies), route, studies.current)))
    return decision
  }
  inTurn(routes, (route, unasked) => {
    const decision = unasked ? notAsked(route, unasked) : asked(route)
    decided.set(route, decision)
    return decision.matched
  })
  return routes.map((route) => decided.get(route) as Decision)
}

/** A study, and the earlier ones of its patient where anybody looked for them, ready to be looked at by many routes. */
export function studiesOf(study: RoutableStudy, earlier?: readonly RoutableStudy[]): Studies {
  const { today } = study
  return {
    current: new Evaluation(study),
    // What speaks of today speaks of the day of the decision.
    earlier:
      earlier?.map((one) => once(() => new Evaluation({ ...one, ...(today !== undefined && { today }) }))) ?? null,
  }
}

function notAsked({ definition, version }: ActiveRoute, unasked: Unasked): Decision {
  const stopped = 'stoppedBy' in unasked
  return {
    route: definition.name,
    routeVersion: version,
    matched: false,
    expression: stopped ? 'stop' : 'fallback',
    because: stopped ? { 'stopped by': unasked.stoppedBy } : { 'matched before': unasked.matchedBefore },
    series: {},
    reason: unaskedSentence(unasked),
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

/** A match by a route with a canary says which pipeline the study goes to, and why. */
function withChoice(decision: Decision, { definition }: ActiveRoute, study: Evaluation): Decision {
  const { sentence } = choosePipeline(definition, study.studyInstanceUID)
  return decision.matched && sentence !== null ? { ...decision, reason: `${decision.reason}; ${sentence}` } : decision
}

function decide(route: ActiveRoute, studies: Studies): Decision {
  const { definition, version } = route
  const { current } = studies
  const base = { route: definition.name, routeVersion: version, matched: false, series: {} }
  if (!definition.enabled) {
    return { ...base, expression: 'enabled', because: { enabled: false }, reason: 'the route is off' }
  }
  const because: Record<string, unknown> = {}
  if (definition.when !== undefined) {
    const when = compileExpression(definition.when, 'study').evaluate(current.facts)
    if (!when.value)
      return { ...base, expression: definition.when, because: when.because, reason: whenReason(definition.when, when) }
    Object.assign(because, when.because)
  }
  const choices = chooseInputs(definition.inputs, studies)
  for (const [name, choice] of choices) {
    const input = definition.inputs[name] as RouteInput
    if (choice.kind === 'chosen' || choice.kind === 'not-looked' || !input.required) continue
    const reason = `input "${name}": ${whyNone(choice, input, current)}`
    return { ...base, expression: input.where, because: valuesOverAll(choice.where, current), reason }
  }
  const chosen = [...choices].flatMap(([name, choice]) => (choice.kind === 'chosen' ? [{ name, choice }] : []))
  const expression = expressionOf(definition)
  if (chosen.length === 0)
    return { ...base, expression, because, reason: 'every input is optional, and none of them found a series' }
  const many = Object.keys(definition.inputs).length > 1
  for (const { name, choice } of chosen) Object.assign(because, valuesOfChosen(choice, many ? `inputs.${name}.` : ''))
  return {
    ...base,
    matched: true,
    expression,
    because,
    ...seriesOf(chosen, current),
    reason: sentencesOf(choices, current),
  }
}

type Chosen = { name: string; choice: ChosenSeries }

function seriesOf(chosen: readonly Chosen[], current: Evaluation): Pick<Decision, 'series' | 'further' | 'earlier'> {
  const series = chosen.map(({ name, choice }) => [name, choice.selection.candidate.seriesInstanceUID])
  const further = chosen.filter(({ choice }) => choice.further.length > 0)
  const earlier = chosen.filter(({ choice }) => choice.evaluation !== current)
  return {
    series: Object.fromEntries(series),
    ...(further.length > 0 && { further: Object.fromEntries(further.map((c) => [c.name, c.choice.further])) }),
    ...(earlier.length > 0 && {
      earlier: Object.fromEntries(earlier.map((c) => [c.name, c.choice.evaluation.studyInstanceUID])),
    }),
  }
}

function valuesOfChosen({ where, selection, evaluation }: ChosenSeries, prefix: string): Record<string, unknown> {
  return Object.fromEntries(
    where.paths.map((path) => [prefix + path, evaluation.valuesOf(path)[selection.candidate.index]]),
  )
}

function sentencesOf(choices: ReadonlyMap<string, Choice>, current: Evaluation): string {
  const sentences = [...choices].map(([name, choice]) => sentenceOfChoice(name, choice, current))
  return sentences.filter((sentence) => sentence !== null).join('; ')
}

/** How an input came to its series, without patient data; null where it has none. */
export function sentenceOfChoice(name: string, choice: Choice, current: Evaluation): string | null {
  if (choice.kind === 'not-looked') return `input "${name}": earlier studies are looked for when the study is complete`
  if (choice.kind !== 'chosen') return null
  const { selection, further, matching, evaluation } = choice
  const { candidate, decidedBy } = selection
  const of = evaluation === current ? '' : ` of the earlier study ${evaluation.studyInstanceUID}`
  const series = `input "${name}": series ${candidate.seriesInstanceUID}${of}`
  if (further.length > 0) return `${series} and ${further.length} more, all that satisfy the condition`
  return decidedBy === null
    ? `${series}, the only series that satisfies the condition`
    : `${series}, chosen of ${matching} that satisfy the condition by ${decidedBy}`
}

/** An input without a series. */
export type Missing = Exclude<Choice, { kind: 'chosen' } | { kind: 'not-looked' }>

/** Why an input has no series, in one sentence without patient data. */
export function whyNone(choice: Missing, { where }: RouteInput, current: Evaluation): string {
  switch (choice.kind) {
    case 'none':
      return explainNoSeries(where, choice.failures, current)
    case 'unreferred':
      return `none of ${choice.matching} series that satisfy the condition refers to the series of input "${choice.of}"`
    case 'no-earlier':
      return choice.studies === 0
        ? 'there is no earlier study of the patient'
        : `none of ${choice.studies} earlier studies of the patient has a series that satisfies ${where}`
  }
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
  const several = new Set(
    routes.filter(({ definition }) => definition.enabled && requiredInputs(definition).length > 1),
  )
  if (several.size === 0) return []
  const studies: Studies = { current: new Evaluation(study), earlier: null }
  const mayStop = routes.some(({ definition }) => definition.stop === true || definition.fallback === true)
  const waiting: WaitingRoute[] = []
  inTurn(routes, (route, unasked) => {
    if (unasked) return false
    const missing = several.has(route) ? missingInput(route, studies) : null
    if (missing !== null) waiting.push({ route: route.definition.name, input: missing })
    return mayStop && missing === null && decide(route, studies).matched
  })
  return waiting
}

/** The first required input without a series, where another one has its. */
function missingInput({ definition }: ActiveRoute, studies: Studies): string | null {
  const { when } = definition
  if (when !== undefined && !compileExpression(when, 'study').evaluate(studies.current.facts).value) return null
  const inputs = requiredInputs(definition)
  const choices = chooseInputs(definition.inputs, studies)
  const missing = inputs.map(([input]) => input).filter((input) => choices.get(input)?.kind !== 'chosen')
  return missing.length < inputs.length ? (missing[0] ?? null) : null
}

/** Those that arrive with the study. */
const requiredInputs = ({ inputs }: RouteDefinition): [string, RouteInput][] =>
  Object.entries(inputs).filter(([, { required, from }]) => required && from !== 'prior')

function valuesOverAll(where: Expression, evaluation: Evaluation): Record<string, unknown> {
  return Object.fromEntries(
    where.paths.map((path) => {
      const values = evaluation.distinctOf(path)
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
