import { Progress } from '@mantine/core'
import type { JobRow, Overview } from '../../api/schema.ts'
import { TimeAgo } from '../../parts/figures.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { StudyName } from '../../parts/study-name.tsx'
import { destinationName, number, pipelineName, plural } from '../../words.ts'
import { Panel, Quiet } from './panel.tsx'

/** What runs, and what runs next. */
export function QueuePanel({ overview: { running, waiting, pauses } }: { overview: Overview }) {
  const waits = waiting.infer + waiting.deliver
  return (
    <Panel title="Queue" note={waits > 0 ? `${number(waits)} waiting` : undefined}>
      {pauses.map((pause) => (
        <div key={pause.id} className="overview-paused">
          <StateBadge state="paused" /> {pause.sentence}
          {pause.waiting > 0 && <span className="muted">, {plural(pause.waiting, 'job')} held</span>}
        </div>
      ))}
      {running.length === 0 && waits === 0 && <Quiet>Nothing runs and nothing waits.</Quiet>}
      <ul className="overview-list">
        {running.map((job) => (
          <Job key={job.id} job={job} />
        ))}
        {waiting.next.map((job) => (
          <Job key={job.id} job={job} />
        ))}
      </ul>
    </Panel>
  )
}

/** What a job does, for people. */
export function jobTitle(job: Pick<JobRow, 'kind' | 'pipeline' | 'pipelineName' | 'destination'>): string {
  return job.kind === 'deliver'
    ? `Delivery to ${destinationName(job.destination ?? 'a destination', 'inside')}`
    : (job.pipelineName ?? pipelineName(job.pipeline))
}

function Job({ job }: { job: JobRow }) {
  const { progress } = job
  return (
    <li>
      <span className="overview-grow">
        <b>{jobTitle(job)}</b> <StudyName study={job} />
        {progress && (
          <span className="overview-progress">
            <Progress value={progress.fraction * 100} size={6} aria-label={`${jobTitle(job)}: ${progress.stage}`} />
            <span className="muted">{progress.stage}</span>
          </span>
        )}
      </span>
      <StateBadge state={job.held === null ? job.state : 'paused'} />
      <span className="muted">
        <TimeAgo at={job.startedAt ?? job.createdAt} />
      </span>
    </li>
  )
}

/** Failures by their reason, the most frequent first. */
export function FailedPanel({ failed }: { failed: Overview['failed'] }) {
  return (
    <Panel
      title="Failed"
      note={`${plural(failed.jobs, 'job')} of ${plural(failed.studies, 'failed study', 'failed studies')}`}
    >
      <ul className="overview-list">
        {failed.groups.map((group) => (
          <li key={`${group.kind} ${group.reason}`}>
            <StateBadge state={group.refused ? 'refused' : 'failed'} label={plural(group.jobs, 'job')} />
            <span className="overview-grow">
              <span>
                <Sentence text={group.example} />
              </span>
              <span className="sub">
                {[...group.pipelines, ...group.destinations.map((name) => destinationName(name))].join(', ')}
              </span>
            </span>
            {group.lastAt && (
              <span className="muted">
                <TimeAgo at={group.lastAt} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
