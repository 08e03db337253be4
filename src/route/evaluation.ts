import { distinct, type Expression, type Outcome, readPath } from './expression.ts'
import type { Facts } from './facts.ts'
import type { Candidate } from './select-series.ts'
import { type RoutableStudy, seriesFacts, studyFacts } from './study-facts.ts'

/**
 * One study as all routes look at it. Routes share terms and elements (`series.Modality == "CT"` stands in most), so
 * every term and every path is looked at once a series, however many routes there are.
 */
export class Evaluation {
  readonly studyInstanceUID: string
  readonly candidates: readonly Candidate[]
  readonly #study: Candidate['facts']['study']
  readonly #today: { today?: string }
  readonly #values = new Map<string, readonly unknown[]>()
  readonly #distinct = new Map<string, readonly unknown[]>()
  readonly #outcomes = new Map<Expression, (Outcome | undefined)[]>()

  constructor(study: RoutableStudy) {
    this.studyInstanceUID = study.studyInstanceUID
    const series = study.series.map(seriesFacts)
    const facts = studyFacts(study, series)
    this.#study = facts
    this.#today = study.today === undefined ? {} : { today: study.today }
    this.candidates = study.series.map(({ seriesInstanceUID }, index) => ({
      index,
      seriesInstanceUID,
      facts: { study: facts, series: series[index] ?? {}, ...this.#today },
    }))
  }

  get study(): Candidate['facts']['study'] {
    return this.#study
  }

  /** What a condition over the study alone looks at. */
  get facts(): Facts {
    return { study: this.#study, ...this.#today }
  }

  /** What a path holds for each series, in their order; null where it is missing. */
  valuesOf(path: string): readonly unknown[] {
    const known = this.#values.get(path)
    if (known) return known
    const steps = path.split('.')
    const values = this.candidates.map(({ facts }) => readPath(facts, steps))
    this.#values.set(path, values)
    return values
  }

  /** The distinct values of a path over all series, in order of appearance. */
  distinctOf(path: string): readonly unknown[] {
    let values = this.#distinct.get(path)
    if (!values) this.#distinct.set(path, (values = distinct(this.valuesOf(path))))
    return values
  }

  /** Whether a series satisfies a term. */
  outcomeOf(term: Expression, candidate: Candidate): Outcome {
    let outcomes = this.#outcomes.get(term)
    if (!outcomes) this.#outcomes.set(term, (outcomes = []))
    return (outcomes[candidate.index] ??= term.test(candidate.facts))
  }
}
