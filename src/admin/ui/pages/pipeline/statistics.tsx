import { NativeSelect, Skeleton } from '@mantine/core'
import { useState } from 'react'
import type { PipelineStatistics } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { duration, number, plural } from '../../words.ts'
import { OutcomeBar } from '../pipelines/few-figures.tsx'
import '../pipelines/pipelines.css'

/** What each version did: runs and how they ended, how long they took, why they failed, what readers said. */
export function Statistics({ name }: { name: string }) {
  const [days, setDays] = useState(30)
  const query = useApi('GET /pipelines/{name}/statistics', { path: { name }, query: { days } }, { keepPrevious: true })
  return (
    <section className="panel pipeline-section" aria-labelledby="statistics-title">
      <div className="section-head">
        <h2 id="statistics-title">Runs and failures</h2>
        <NativeSelect
          aria-label="Of the last"
          size="xs"
          value={String(days)}
          onChange={(event) => setDays(Number(event.currentTarget.value))}
          data={[7, 30, 90, 365].map((count) => ({ value: String(count), label: `Last ${plural(count, 'day')}` }))}
        />
      </div>
      <Answer query={query} skeleton={<Skeleton height={110} />}>
        {({ statistics }) =>
          statistics.length === 0 ? (
            <p className="muted">No run in this time.</p>
          ) : (
            <ul className="pipeline-list pipeline-runs">
              {statistics.map((one) => (
                <Version
                  key={`${one.digest} ${one.shadow}`}
                  of={one}
                  slowest={Math.max(...statistics.map(({ duration: d }) => d?.most ?? 0))}
                />
              ))}
            </ul>
          )
        }
      </Answer>
    </section>
  )
}

function Version({ of, slowest }: { of: PipelineStatistics; slowest: number }) {
  const { digest, version, shadow, runs, failures, duration: took, feedback, agreement } = of
  const said = feedback.accepted + feedback.rejected + feedback.corrected
  return (
    <li>
      <div className="pipeline-run-head">
        <b>{version === null ? `Files ${digest.replace('sha256:', '').slice(0, 12)}` : `Version ${version}`}</b>
        {shadow && <StateBadge state="shadow" />}
        <span className="muted">{plural(runs, 'run')}</span>
      </div>
      <OutcomeBar {...of} />
      <div className="pipeline-run-words">
        {(['done', 'refused', 'failed', 'cancelled'] as const)
          .filter((key) => of[key] > 0)
          .map((key) => (
            <span key={key}>
              <span className={`pipeline-dot outcome-${key}`} aria-hidden /> {number(of[key])} {key}
            </span>
          ))}
      </div>
      {took && (
        <div className="pipeline-times">
          <span className="muted">Time</span>
          <div className="pipeline-span" aria-hidden>
            <span className="pipeline-most" style={{ width: `${(100 * took.most) / Math.max(slowest, 0.001)}%` }} />
            <span className="pipeline-p95" style={{ width: `${(100 * took.p95) / Math.max(slowest, 0.001)}%` }} />
            <span className="pipeline-median" style={{ left: `${(100 * took.median) / Math.max(slowest, 0.001)}%` }} />
          </div>
          <span>
            {duration(took.median * 1000)} <span className="muted">median,</span> {duration(took.p95 * 1000)}{' '}
            <span className="muted">for 95 %, at most</span> {duration(took.most * 1000)}
          </span>
        </div>
      )}
      {said > 0 && agreement !== null && (
        <p>
          Readers agreed with {number(100 * agreement)} %: {number(feedback.accepted)} accepted,{' '}
          {number(feedback.corrected)} corrected, {number(feedback.rejected)} rejected.
        </p>
      )}
      {failures.length > 0 && (
        <details>
          <summary>Why runs failed or were refused</summary>
          <ul className="pipeline-plain">
            {failures.map(({ reason, jobs, refused }) => (
              <li key={reason}>
                <b>{number(jobs)}</b> {refused ? 'refused' : 'failed'}: {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  )
}
