import type { Evaluation } from './evaluation.ts'
import type { Failures } from './explain-miss.ts'
import { compileExpression, type Expression, termsOf } from './expression.ts'
import type { ItemFacts } from './facts.ts'
import type { RouteDefinition, RouteInput } from './route-definition.ts'
import { type Candidate, type Selection, selectSeries } from './select-series.ts'

/** The study of a decision, and the earlier ones of its patient. */
export interface Studies {
  current: Evaluation
  /** The newest first, looked at when a route asks for them; null: nobody has looked for any. */
  earlier: readonly (() => Evaluation)[] | null
}

/** The series that an input has. */
export interface ChosenSeries {
  kind: 'chosen'
  where: Expression
  /** How many satisfy the condition. */
  matching: number
  selection: Selection
  /** The study that they are of. */
  evaluation: Evaluation
  /** Further series, where the input takes several. */
  further: string[]
}

/**
 * What came of an input. `none`: no series satisfies the condition; `unreferred`: none of those that do refers to the series of the other
 * input; `no-earlier`: no earlier study has one; `not-looked`: nobody has looked for earlier studies.
 */
export type Choice =
  | ChosenSeries
  | { kind: 'none'; where: Expression; failures: Failures }
  | { kind: 'unreferred'; where: Expression; matching: number; of: string }
  | { kind: 'no-earlier'; where: Expression; studies: number }
  | { kind: 'not-looked' }

/** The choice for every input of a route, in their order. */
export function chooseInputs(inputs: RouteDefinition['inputs'], studies: Studies): Map<string, Choice> {
  const choices = new Map<string, Choice>()
  const entries = Object.entries(inputs)
  for (const [name, input] of entries) if (input.of === undefined) choices.set(name, chooseSeries(input, studies))
  for (const [name, input] of entries)
    if (input.of !== undefined) choices.set(name, chooseReferring(input, input.of, { choices, studies }))
  return new Map(entries.map(([name]) => [name, choices.get(name) as Choice]))
}

function chooseSeries(input: RouteInput, { current, earlier }: Studies): Choice {
  if (input.from !== 'prior') return choiceIn(input, current)
  if (earlier === null) return { kind: 'not-looked' }
  for (const evaluation of earlier) {
    const choice = choiceIn(input, evaluation())
    if (choice.kind === 'chosen') return choice
  }
  return { kind: 'no-earlier', where: compileExpression(input.where, 'series'), studies: earlier.length }
}

function choiceIn(input: RouteInput, evaluation: Evaluation): Choice {
  const where = compileExpression(input.where, 'series')
  const { matching, failures } = satisfying(input, evaluation)
  const selection = selectSeries(matching, input.prefer)
  if (!selection) return { kind: 'none', where, failures }
  const further = input.several ? selection.others.map(({ seriesInstanceUID }) => seriesInstanceUID) : []
  return { kind: 'chosen', where, matching: matching.length, selection, evaluation, further }
}

function chooseReferring(
  input: RouteInput,
  of: string,
  { choices, studies }: { choices: ReadonlyMap<string, Choice>; studies: Studies },
): Choice {
  const other = choices.get(of)
  // Without the other there is nothing to refer to; the condition still says what is missing.
  if (other?.kind !== 'chosen') {
    const choice = chooseSeries(input, studies)
    return choice.kind === 'chosen'
      ? { kind: 'unreferred', where: choice.where, matching: choice.matching, of }
      : choice
  }
  const { evaluation } = other
  const where = compileExpression(input.where, 'series')
  const { matching, failures } = satisfying(input, evaluation)
  if (matching.length === 0) return { kind: 'none', where, failures }
  const referring = matching.filter((candidate) => refersTo(candidate, other.selection.candidate))
  const selection = selectSeries(referring, input.prefer)
  if (!selection) return { kind: 'unreferred', where, matching: matching.length, of }
  return { kind: 'chosen', where, matching: referring.length, selection, evaluation, further: [] }
}

function satisfying(input: RouteInput, evaluation: Evaluation): { matching: Candidate[]; failures: Failures } {
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
  return { matching, failures }
}

/**
 * Whether the Referenced Series Sequence (PS3.3 C.12.2) of a series names another. One that has none, or whose is too long to be kept,
 * may speak of every series of its frame of reference.
 */
export function refersTo({ facts }: Candidate, other: Candidate): boolean {
  const { ReferencedSeriesSequence: references, FrameOfReferenceUID: frame } = facts.series
  if (Array.isArray(references))
    return (references as ItemFacts[]).some((item) => item.SeriesInstanceUID === other.seriesInstanceUID)
  return typeof frame === 'string' && frame === other.facts.series.FrameOfReferenceUID
}
