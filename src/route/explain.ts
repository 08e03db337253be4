import { type Choice, chooseInputs, refersTo, type Studies } from './choose-series.ts'
import {
  type ActiveRoute,
  type Decision,
  evaluateRoutes,
  sentenceOfChoice,
  studiesOf,
  whyNone,
} from './evaluate-routes.ts'
import type { Evaluation } from './evaluation.ts'
import { type ExplainedCondition, explainCondition } from './explain-condition.ts'
import type { Preference, RouteDefinition, RouteInput } from './route-definition.ts'
import { type Candidate, type PreferenceValue, preferenceValues } from './select-series.ts'
import type { RoutableStudy } from './study-facts.ts'

/** One series as an input saw it. */
export interface ExplainedSeries {
  seriesInstanceUID: string
  /** Of an earlier study where the input takes those. */
  studyInstanceUID: string
  /** What a person calls it by. */
  modality: string | null
  seriesNumber: number | null
  seriesDescription: string | null
  instances: number
  condition: ExplainedCondition
  /** Whether it refers to the series of the input that `of` names; null where the input asks for no such thing. */
  refers: boolean | null
  preferences: PreferenceValue[]
  /** 1 for the series that is taken, then those that it was preferred to; null for those that are no candidates. */
  place: number | null
}

/** One input of a route: what it asked for, and what it found. */
export interface ExplainedInput {
  name: string
  required: boolean
  from: 'study' | 'prior'
  where: string
  prefer: string[]
  /** Why it has its series, or why it has none. */
  sentence: string
  /** Series Instance UIDs. */
  chosen: string[]
  series: ExplainedSeries[]
  /** Series that are left out here, because there are too many. */
  omitted: number
}

/** A decision down to every condition and value, whether it matched or not. */
export interface ExplainedRoute {
  route: string
  routeVersion: number
  decision: Decision
  /** null for a route without one. */
  when: ExplainedCondition | null
  inputs: ExplainedInput[]
}

/** At most so many series are explained for an input. */
const mostSeries = 100

/**
 * Explains what routes decide on a study, condition by condition; also those that were not asked, as if they had been.
 * @param routes all of them, because they bear on each other
 * @param names those to be explained; left out: all
 */
export function explainRoutes(
  routes: readonly ActiveRoute[],
  study: RoutableStudy,
  { earlier, names }: { earlier?: readonly RoutableStudy[]; names?: ReadonlySet<string> } = {},
): ExplainedRoute[] {
  const decisions = evaluateRoutes(routes, study, earlier)
  const studies = studiesOf(study, earlier)
  return routes.flatMap((route, i) => {
    const decision = decisions[i]
    if (!decision || (names && !names.has(route.definition.name))) return []
    return [explainRoute(route, decision, studies)]
  })
}

/** Explains one route by itself, as if there were no others. */
export function explain(
  definition: RouteDefinition,
  study: RoutableStudy,
  earlier?: readonly RoutableStudy[],
): ExplainedRoute {
  const [explained] = explainRoutes([{ version: 0, definition }], study, { ...(earlier && { earlier }) })
  return explained as ExplainedRoute
}

function explainRoute({ definition, version }: ActiveRoute, decision: Decision, studies: Studies): ExplainedRoute {
  const { name, when, inputs } = definition
  const choices = chooseInputs(inputs, studies)
  return {
    route: name,
    routeVersion: version,
    decision,
    when: when === undefined ? null : explainCondition(when, 'study', studies.current.facts),
    inputs: Object.entries(inputs).map(([inputName, input]) => explainInput(inputName, input, { choices, studies })),
  }
}

function explainInput(
  name: string,
  input: RouteInput,
  { choices, studies }: { choices: ReadonlyMap<string, Choice>; studies: Studies },
): ExplainedInput {
  const choice = choices.get(name) as Choice
  const other = input.of === undefined ? undefined : choices.get(input.of)
  const looked = lookedAt(input, choice, studies)
  const ranked =
    choice.kind === 'chosen' ? [choice.selection.candidate, ...choice.selection.others].map(uidOf) : ([] as string[])
  const series = looked.flatMap((evaluation) =>
    evaluation.candidates.map((candidate) => {
      const isRanked = choice.kind === 'chosen' && choice.evaluation === evaluation
      const place = isRanked ? ranked.indexOf(candidate.seriesInstanceUID) + 1 : 0
      return explainSeries(input, candidate, {
        evaluation,
        refers: other?.kind === 'chosen' ? refersTo(candidate, other.selection.candidate) : null,
        place: place === 0 ? null : place,
      })
    }),
  )
  // What was chosen, then what nearly was, must not be what is left out.
  const shown = series.length <= mostSeries ? series : series.sort(byPlace).slice(0, mostSeries)
  return {
    name,
    required: input.required,
    from: input.from ?? 'study',
    where: input.where,
    prefer: input.prefer.map(textOfPreference),
    sentence: sentenceOf(name, input, choice, studies.current),
    chosen: choice.kind === 'chosen' ? [choice.selection.candidate.seriesInstanceUID, ...choice.further] : [],
    series: shown,
    omitted: series.length - shown.length,
  }
}

/** The studies whose series an input looked at: of the earlier ones as far as the first that has one. */
function lookedAt(input: RouteInput, choice: Choice, { current, earlier }: Studies): Evaluation[] {
  if (input.from !== 'prior') return [current]
  const looked: Evaluation[] = []
  for (const get of earlier ?? []) {
    const evaluation = get()
    looked.push(evaluation)
    if (choice.kind === 'chosen' && choice.evaluation === evaluation) break
  }
  return looked
}

function explainSeries(
  { where, prefer }: RouteInput,
  { seriesInstanceUID, facts }: Candidate,
  { evaluation, refers, place }: { evaluation: Evaluation; refers: boolean | null; place: number | null },
): ExplainedSeries {
  const { Modality, SeriesNumber, SeriesDescription, instances } = facts.series
  return {
    seriesInstanceUID,
    studyInstanceUID: evaluation.studyInstanceUID,
    modality: typeof Modality === 'string' ? Modality : null,
    seriesNumber: typeof SeriesNumber === 'number' ? SeriesNumber : null,
    seriesDescription: typeof SeriesDescription === 'string' ? SeriesDescription : null,
    instances: typeof instances === 'number' ? instances : 0,
    condition: explainCondition(where, 'series', facts),
    refers,
    preferences: preferenceValues(prefer, facts),
    place,
  }
}

function sentenceOf(name: string, input: RouteInput, choice: Choice, current: Evaluation): string {
  const taken = sentenceOfChoice(name, choice, current)
  if (taken !== null) return taken
  return choice.kind === 'chosen' || choice.kind === 'not-looked'
    ? ''
    : `input "${name}": ${whyNone(choice, input, current)}`
}

function textOfPreference(preference: Preference): string {
  if (typeof preference === 'string') return preference
  return 'highest' in preference ? `highest ${preference.highest}` : `lowest ${preference.lowest}`
}

function uidOf({ seriesInstanceUID }: Candidate): string {
  return seriesInstanceUID
}

function byPlace(a: ExplainedSeries, b: ExplainedSeries): number {
  return (a.place ?? Number.MAX_SAFE_INTEGER) - (b.place ?? Number.MAX_SAFE_INTEGER)
}
