import { Button } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import type { Attempt, Timeline, TimelineJob } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct } from '../../api/use-api.ts'
import { Copyable } from '../../parts/copyable.tsx'
import { Duration, TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { destinationName, pipelineDigest, pipelineName, plural } from '../../words.ts'
import { Folded, Section } from './section.tsx'
import { msOf } from './stages.ts'

/** What pipelines did, attempt by attempt, with what each wrote down. */
export function JobsSection({ timeline }: { timeline: Timeline }) {
  const jobs = timeline.jobs.filter(({ kind }) => kind === 'infer')
  const own = jobs.filter(({ shadow, revision }) => !shadow && revision === timeline.revision)
  const earlier = jobs.filter(({ shadow, revision }) => !shadow && revision !== timeline.revision)
  const shadows = jobs.filter(({ shadow }) => shadow)
  return (
    <Section id="jobs" title="Pipelines" note={own.length > 0 && plural(own.length, 'run')}>
      {own.length === 0 && (
        <p className="study-quiet">
          {timeline.decisions.length > 0 ? 'No pipeline was asked for.' : 'Pipelines run when a route has matched.'}
        </p>
      )}
      <Jobs jobs={own} />
      {earlier.length > 0 && (
        <Folded title={`Of earlier revisions (${earlier.length})`}>
          <Jobs jobs={earlier} />
        </Folded>
      )}
      {shadows.length > 0 && (
        <Folded title={`In the shadow, for comparison (${shadows.length})`}>
          <Jobs jobs={shadows} />
        </Folded>
      )}
    </Section>
  )
}

function Jobs({ jobs }: { jobs: TimelineJob[] }) {
  return (
    <ul className="study-list">
      {jobs.map((job) => (
        <Job key={job.id} job={job} />
      ))}
    </ul>
  )
}

/** A job with its attempts. */
export function Job({ job }: { job: TimelineJob }) {
  const digest = pipelineDigest(job.pipeline)
  return (
    <li className="study-verdict">
      <div className="study-head">
        <b>
          {job.kind === 'deliver'
            ? `Delivery to ${destinationName(job.destination ?? 'a destination', 'inside')}`
            : pipelineName(job.pipeline)}
        </b>
        <StateBadge state={job.refused ? 'refused' : job.state} />
        <span className="muted">
          {job.route ? `route ${job.route}` : 'asked for by a person'}
          {job.finishedAt !== null && (
            <>
              , <Duration ms={msOf(job)} />
            </>
          )}
        </span>
        <span className="study-grow" />
        {digest && job.pipeline && <Copyable value={job.pipeline} label="version’s digest" name="" />}
        <Retry job={job} />
      </div>
      {job.error !== null && (
        <p
          className={`study-line study-toned ${job.refused ? 'tone-warn' : job.state === 'failed' ? 'tone-bad' : 'tone-warn'}`}
        >
          {job.error}
        </p>
      )}
      {job.state === 'queued' && job.attempts.length > 0 && (
        <p className="study-line muted">
          Next attempt <TimeAgo at={job.runAfter} />
        </p>
      )}
      {job.interruptions > 0 && (
        <p className="study-line muted">
          {plural(job.interruptions, 'attempt')} ended with the process, and did not count.
        </p>
      )}
      {job.attempts.map((attempt, index) => (
        <AttemptOf key={attempt.at} attempt={attempt} number={index + 1} jobError={job.error} />
      ))}
    </li>
  )
}

function AttemptOf({ attempt, number, jobError }: { attempt: Attempt; number: number; jobError: string | null }) {
  const { at, ms, provider, error, log } = attempt
  const line = (
    <>
      Attempt {number}, <TimeAgo at={at} />
      {provider && `, on ${provider}`}
      {ms !== null && (
        <>
          , <Duration ms={ms} />
        </>
      )}
      {error !== null && error !== jobError && <span className="tone-bad study-toned">: {error}</span>}
    </>
  )
  if (log === null || log.trim() === '') return <p className="study-attempt">{line}</p>
  return (
    <details className="study-attempt">
      <summary>{line}</summary>
      <ol className="study-log">
        {log
          .trim()
          .split('\n')
          .map((sentence, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: what was written down never changes
            <li key={index}>{sentence}</li>
          ))}
      </ol>
    </details>
  )
}

function Retry({ job }: { job: TimelineJob }) {
  const may = useMay()
  const retry = useAct('POST /jobs/{id}/retry', {
    onDone: () => toastDone('The job is queued again.'),
  })
  if (job.state !== 'failed' || !may('POST /jobs/{id}/retry')) return null
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconRefresh size={14} aria-hidden />}
      loading={retry.isPending}
      onClick={() =>
        retry.mutate({ path: { id: job.id } }, { onError: (error) => toastFailed('The job is not queued', error) })
      }
    >
      Retry
    </Button>
  )
}
