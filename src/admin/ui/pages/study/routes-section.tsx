import { lazy, Suspense, useState } from 'react'
import type { Decision, Timeline } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { FoundValue } from '../../parts/explanation.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { plural } from '../../words.ts'
import { knownSeriesName, seriesNameOf } from './names.ts'
import { Folded, Section } from './section.tsx'

const ExplainedVerdict = lazy(async () => ({ default: (await import('./explained-verdict.tsx')).ExplainedVerdict }))

/** Every route's verdict, with the values that decided it. */
export function RoutesSection({ timeline }: { timeline: Timeline }) {
  const { decisions, revision, completion } = timeline
  const now = decisions.filter((decision) => decision.revision === revision)
  const before = decisions.filter((decision) => decision.revision !== revision)
  const matched = now.filter((decision) => decision.matched)
  const others = now.filter((decision) => !decision.matched)
  return (
    <Section
      id="routes"
      title="Routes"
      note={now.length > 0 && `${matched.length} of ${plural(now.length, 'route')} matched`}
    >
      {now.length === 0 && (
        <p className="study-quiet">
          {completion ? 'No route was asked: none is active.' : 'Routes are asked when the study is complete.'}
        </p>
      )}
      <ul className="study-list">
        {[...matched, ...others].map((decision) => (
          <Verdict key={decision.route} decision={decision} timeline={timeline} />
        ))}
      </ul>
      {before.length > 0 && (
        <Folded title={`Verdicts on earlier revisions (${before.length})`}>
          <ul className="study-list">
            {before.map((decision) => (
              <Verdict key={`${decision.revision} ${decision.route}`} decision={decision} timeline={timeline} />
            ))}
          </ul>
        </Folded>
      )}
    </Section>
  )
}

function Verdict({ decision, timeline }: { decision: Decision; timeline: Timeline }) {
  const { route, matched, reason, expression, because, series, routeVersion, standsFrom, at } = decision
  const inputs = Object.entries(series)
  const may = useMay()
  const [isExplained, setExplained] = useState(false)
  return (
    <li className="study-verdict">
      <div className="study-head">
        <b>{route}</b>
        <StateBadge state={matched ? 'matched' : 'unmatched'} />
        <span className="muted">
          version {routeVersion}
          {decision.revision !== timeline.revision && `, revision ${decision.revision}`}, <TimeAgo at={at} />
        </span>
      </div>
      <p className="study-line">
        <Sentence text={reason} nameOf={(uid) => knownSeriesName(timeline, uid)} />
      </p>
      {standsFrom !== null && (
        <p className="study-line">The results of revision {standsFrom} stand: the input is the same.</p>
      )}
      <div className="study-values">
        {Object.entries(because).map(([name, value]) => (
          <FoundValue key={name} name={name} value={value} />
        ))}
        {inputs.map(([input, uid]) => (
          <FoundValue key={input} name={`input ${input}`} value={seriesNameOf(timeline, uid)} />
        ))}
      </div>
      {may('POST /routes/test') && (
        <details className="study-rule" onToggle={(event) => event.currentTarget.open && setExplained(true)}>
          <summary>Condition by condition</summary>
          {isExplained && (
            <Suspense fallback={null}>
              <ExplainedVerdict decision={decision} timeline={timeline} />
            </Suspense>
          )}
        </details>
      )}
      <details className="study-rule">
        <summary>The rule</summary>
        <code className="mono">{expression}</code>
      </details>
    </li>
  )
}
