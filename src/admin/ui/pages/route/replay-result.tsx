import { Button, Progress } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import type { RouteReplay } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { duration, number, personName, plural } from '../../words.ts'
import { asSentence } from './route-words.ts'

type Result = NonNullable<RouteReplay['result']>

/** How far a replay is, in studies. */
export function ReplayProgress({ replay, onCancel }: { replay: RouteReplay | undefined; onCancel(): void }) {
  const { done = 0, total = 0 } = replay ?? {}
  return (
    <div className="replay-progress">
      <Progress value={total === 0 ? 0 : (100 * done) / total} aria-label="Studies that were looked at" />
      <div>
        <span role="status">
          {total === 0 ? 'Looking for the studies…' : `${number(done)} of ${plural(total, 'study', 'studies')}`}
        </span>
        <Button size="compact-sm" variant="subtle" onClick={onCancel}>
          Stop
        </Button>
      </div>
    </div>
  )
}

/** In one sentence what the route would have done, and what differs from what is in force. */
export function replaySentence(result: Result): string {
  const { matched, studies, activeVersion, gained, lost, otherSeries } = result
  const would = `Would have matched ${number(matched)} of ${plural(studies, 'study', 'studies')}`
  if (activeVersion === null) return `${would}; no version is in force to compare with.`
  const differ = gained + lost + otherSeries
  if (differ === 0) return `${would}; none differs from version ${activeVersion}, which is in force.`
  const parts = [
    gained > 0 && `${number(gained)} matched now`,
    lost > 0 && `${number(lost)} not any more`,
    otherSeries > 0 && `${number(otherSeries)} with other series`,
  ].filter(Boolean)
  return `${would}; ${number(differ)} ${differ === 1 ? 'differs' : 'differ'} from version ${activeVersion}, which is in force: ${parts.join(', ')}.`
}

/** What came of a replay: the sentence, a bar, and the studies that differ. */
export function ReplayResult({ replay, isShort = false }: { replay: RouteReplay; isShort?: boolean }) {
  const { result, state, error } = replay
  if (state === 'failed')
    return <ProblemAlert error={new Error(asSentence(error ?? 'It failed'))} title="The replay failed" />
  if (state === 'cancelled' && !result) return <p className="muted">The replay was stopped.</p>
  if (!result) return null
  return (
    <div className="replay-result">
      <p className="replay-sentence" role="status">
        {replaySentence(result)}
      </p>
      <Bar result={result} />
      <p className="muted replay-note">
        {plural(replay.days, 'day')}, {number(result.studies)} {result.studies === 1 ? 'study' : 'studies'} looked at in{' '}
        {duration(result.ms)}
        {result.truncated && '; there are older ones that were not looked at'}. Nothing was run.
      </p>
      {result.otherRoutes.length > 0 && (
        <p>
          Other routes would decide otherwise too, because one stops others or is a fallback:{' '}
          {result.otherRoutes
            .map(({ route, gained, lost }) => `${route} (${number(gained)} more, ${number(lost)} fewer)`)
            .join(', ')}
          .
        </p>
      )}
      {!isShort && <Differences result={result} />}
    </div>
  )
}

function Bar({ result: { studies, matched, gained, lost } }: { result: Result }) {
  if (studies === 0) return null
  const part = (count: number) => ({ width: `${(100 * count) / Math.max(1, studies + lost)}%` })
  return (
    <div className="replay-bar" aria-hidden>
      <span className="replay-same" style={part(matched - gained)} />
      <span className="replay-gained" style={part(gained)} />
      <span className="replay-lost" style={part(lost)} />
    </div>
  )
}

const kinds = {
  gained: { label: 'Matched now', tone: 'good' },
  lost: { label: 'Not any more', tone: 'bad' },
  series: { label: 'Other series', tone: 'warn' },
} as const

function Differences({ result: { differences, sample, gained, lost, otherSeries } }: { result: Result }) {
  const [shown, setShown] = useState(10)
  const all = gained + lost + otherSeries
  return (
    <>
      {differences.length > 0 && (
        <section aria-label="Studies that differ">
          <h3>Studies that differ</h3>
          <ul className="replay-list">
            {differences.slice(0, shown).map(({ studyInstanceUID, kind, before, after }) => (
              <li key={studyInstanceUID}>
                <StudyLink studyInstanceUID={studyInstanceUID} />
                <StateBadge state={kind} label={kinds[kind].label} tone={kinds[kind].tone} />
                <span className="muted">
                  <Sentence
                    text={asSentence(kind === 'lost' ? after.reason : kind === 'gained' ? before.reason : after.reason)}
                  />
                </span>
              </li>
            ))}
          </ul>
          {shown < differences.length && (
            <Button size="compact-sm" variant="subtle" onClick={() => setShown(shown + 20)}>
              Show more
            </Button>
          )}
          {all > differences.length && (
            <p className="muted">
              The newest {differences.length} of {number(all)} are listed.
            </p>
          )}
        </section>
      )}
      {sample.length > 0 && (
        <section aria-label="Studies that match">
          <h3>The newest that match</h3>
          <ul className="replay-list">
            {sample.slice(0, 10).map(({ studyInstanceUID }) => (
              <li key={studyInstanceUID}>
                <StudyLink studyInstanceUID={studyInstanceUID} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

/** A study by its patient and description, which are asked for by its UID. */
export function StudyLink({ studyInstanceUID }: { studyInstanceUID: string }) {
  const { data } = useApi('GET /studies', { query: { search: studyInstanceUID, limit: 1 } })
  const study = data?.studies[0]
  return (
    <span className="study-name">
      <Link href={`/studies/${studyInstanceUID}`}>{study ? personName(study.patientName) : 'Study'}</Link>
      <span className="muted"> {study?.studyDescription ?? (study ? 'No description' : '')}</span>
    </span>
  )
}
