import type { Evaluation } from './evaluation.ts'
import { distinct, type Expression } from './expression.ts'
import { isPatientKeyword } from './patient-keywords.ts'
import type { Candidate } from './select-series.ts'

/** The series that fail a condition, by the first of its terms that fails. */
export type Failures = Map<Expression, Candidate[]>

/** At most so many values are named in a sentence. */
const mostNamed = 5

/**
 * Why no series satisfies a condition: `none of 12 series satisfies series.Modality == "CT" (found MR)`; where the
 * series fail at different terms, how many fail at each. Values of patient elements are not named: sentences are logged.
 */
export function explainNoSeries(where: string, failures: Failures, evaluation: Evaluation): string {
  const groups = [...failures]
  const total = groups.reduce((sum, [, candidates]) => sum + candidates.length, 0)
  if (total === 0) return `the study has no series; ${where} is for one`
  const [first] = groups
  if (groups.length === 1 && first) {
    const [term, candidates] = first
    const subject = total === 1 ? 'the only series does not satisfy' : `none of ${total} series satisfies`
    return `${subject} ${term.text}${foundIn(term, candidates, evaluation)}`
  }
  const each = groups.map(
    ([term, candidates]) => `${candidates.length} not ${term.text}${foundIn(term, candidates, evaluation)}`,
  )
  return `none of ${total} series satisfies the condition: ${each.join(', ')}`
}

function foundIn(term: Expression, candidates: readonly Candidate[], evaluation: Evaluation): string {
  const error = candidates.map((candidate) => evaluation.outcomeOf(term, candidate).error).find((e) => e !== undefined)
  const parts = term.paths
    .filter((path) => !isPatientKeyword(path.split('.').at(-1) ?? ''))
    .map((path) => {
      const values = distinct(candidates.map((candidate) => evaluation.valuesOf(path)[candidate.index])).map(named)
      const shown =
        values.length > mostNamed ? [...values.slice(0, mostNamed), `and ${values.length - mostNamed} more`] : values
      return term.paths.length === 1 ? shown.join(', ') : `${path} ${shown.join(', ')}`
    })
  if (error !== undefined) parts.push(error)
  return parts.length === 0 ? '' : ` (found ${parts.join('; ')})`
}

function named(value: unknown): string {
  if (value === null) return 'no value'
  if (Array.isArray(value)) return value.map(named).join('\\')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
