import { type Expression, type Outcome, readPath } from './expression.ts'
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
  readonly #values = new Map<string, readonly unknown[]>()
  readonly #outcomes = new Map<Expression, (Outcome | undefined)[]>()

  constructor(study: RoutableStudy) {
    this.studyInstanceUID = study.studyInstanceUID
    const series = study.series.map(seriesFacts)
    const facts = studyFacts(study, series)
    this.#study = facts
    this.candidates = study.series.map(({ seriesInstanceUID }, index) => ({
      index,
      seriesInstanceUID,
      facts: { study: facts, series: series[index] ?? {} },
    }))
  }

  get study(): Candidate['facts']['study'] {
    return this.#study
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

  /** Whether a series satisfies a term. */
  outcomeOf(term: Expression, candidate: Candidate): Outcome {
    let outcomes = this.#outcomes.get(term)
    if (!outcomes) this.#outcomes.set(term, (outcomes = []))
    return (outcomes[candidate.index] ??= term.test(candidate.facts))
  }
}
