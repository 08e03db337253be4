import type { ExplainedCondition, ExplainedRoute, ExplainedSeries, RouteDecision } from '../../api/schema.ts'
import { type Explained, Explanation, FoundValue } from '../../parts/explanation.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { plural } from '../../words.ts'
import { conditionWords } from './condition-words.ts'
import { asSentence } from './route-words.ts'

const verdicts = { true: 'holds', false: 'fails', 'not-decided': 'unknown', error: 'unknown' } as const
const joins = { and: 'All of these', or: 'At least one of these', not: 'Not so' } as const

/** A condition of the API as the page shows it: groups by their word, terms by their text. */
function explained({ kind, text, verdict, values, error, members }: ExplainedCondition): Explained {
  return {
    text: kind === 'term' ? conditionWords(text) : joins[kind],
    verdict: verdicts[verdict],
    values: kind === 'term' ? values.map(({ path, value }) => ({ name: nameOf(path), value })) : [],
    reason: error ?? (verdict === 'not-decided' && kind === 'term' ? 'no value, so it counts as not satisfied' : null),
    members: kind === 'term' ? [] : members.map(explained),
  }
}

function nameOf(path: string): string {
  return path.split('.').slice(1).join('.') || path
}

/** A route's verdict on a study: in one sentence, then condition by condition and series by series. */
export function ExplainedVerdict({ of }: { of: ExplainedRoute }) {
  const { decision, when, inputs } = of
  const names = new Map(
    inputs.flatMap(({ series }) =>
      series.map((one) => [one.seriesInstanceUID, seriesName(one).replace(/^Series /, '')] as const),
    ),
  )
  return (
    <div className="verdict">
      <div className={`verdict-head tone-${decision.matched ? 'good' : 'idle'}`} role="status">
        <StateBadge state={decision.matched ? 'matched' : 'unmatched'} />
        <span>
          <Sentence text={asSentence(decision.reason)} nameOf={(uid) => names.get(uid) ?? null} />
        </span>
      </div>
      {when && (
        <section>
          <h3>The study</h3>
          <Explanation of={explained(when)} label="Which studies, explained" />
        </section>
      )}
      {inputs.map((input) => (
        <section key={input.name}>
          <h3>
            Series “{input.name}” <span className="muted">{input.required ? '' : 'not needed'}</span>
          </h3>
          {input.sentence !== '' && input.sentence !== decision.reason && (
            <p className="verdict-sentence">
              <Sentence text={asSentence(input.sentence)} nameOf={(uid) => names.get(uid) ?? null} />
            </p>
          )}
          <ul className="verdict-series">
            {[...input.series].sort(byPlace).map((series) => (
              <Series key={series.seriesInstanceUID + series.studyInstanceUID} series={series} />
            ))}
          </ul>
          {input.omitted > 0 && (
            <p className="muted">{plural(input.omitted, 'further series', 'further series')} not shown.</p>
          )}
        </section>
      ))}
    </div>
  )
}

function byPlace(a: ExplainedSeries, b: ExplainedSeries): number {
  return (a.place ?? Number.MAX_SAFE_INTEGER) - (b.place ?? Number.MAX_SAFE_INTEGER)
}

export function seriesName({
  seriesNumber,
  seriesDescription,
  modality,
}: Pick<ExplainedSeries, 'seriesNumber' | 'seriesDescription' | 'modality'>): string {
  const number = seriesNumber === null ? 'Series' : `Series ${seriesNumber}`
  return [number, seriesDescription ?? modality].filter(Boolean).join(', ')
}

function Series({ series }: { series: ExplainedSeries }) {
  const { place, condition, instances, modality, refers, preferences } = series
  const isChosen = place === 1
  return (
    <li className={isChosen ? 'verdict-chosen' : undefined}>
      <details open={isChosen || place === null}>
        <summary>
          <b>{seriesName(series)}</b>
          <span className="muted">
            {modality}, {plural(instances, 'image')}
          </span>
          {isChosen ? (
            <StateBadge state="matched" label="Taken" />
          ) : place === null ? (
            <StateBadge state="unmatched" label="Does not fit" />
          ) : (
            <StateBadge state="unmatched" label={`Fits, no. ${place}`} />
          )}
        </summary>
        <Explanation of={explained(condition)} label={`${seriesName(series)}, explained`} />
        {refers === false && <p className="muted">It does not refer to the series that it has to refer to.</p>}
        {preferences.length > 0 && (
          <div className="verdict-preferences">
            {preferences.map(({ preference, value }) => (
              <FoundValue key={preference} name={preference.replace('-', ' ')} value={value} />
            ))}
          </div>
        )}
      </details>
    </li>
  )
}

/** What the other routes would decide, in their order. */
export function OtherDecisions({ decisions, except }: { decisions: readonly RouteDecision[]; except: string }) {
  const others = decisions.filter(({ route }) => route !== except)
  if (others.length === 0) return null
  return (
    <details className="verdict-others">
      <summary>What the other routes decide ({others.length})</summary>
      <ul>
        {others.map(({ route, matched, reason }) => (
          <li key={route}>
            <b>{route}</b> <StateBadge state={matched ? 'matched' : 'unmatched'} />
            <div className="muted">
              <Sentence text={asSentence(reason)} />
            </div>
          </li>
        ))}
      </ul>
    </details>
  )
}
