import { Modal, Skeleton } from '@mantine/core'
import type { Schedule } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { actorName, duration } from '../../words.ts'
import { outcomeOf } from './outcome.ts'

/** The last runs of a schedule. */
export function RunsDialog({ schedule: { name, title }, onClose }: { schedule: Schedule; onClose(): void }) {
  const query = useApi('GET /schedules/{name}/runs', { path: { name }, query: { limit: 50 } })
  return (
    <Modal opened size="lg" onClose={onClose} title={`Runs of “${title}”`} closeButtonProps={{ 'aria-label': 'Close' }}>
      <Answer query={query} skeleton={<Skeleton height={200} />}>
        {({ runs }) =>
          runs.length === 0 ? (
            <p className="muted">It has not run yet.</p>
          ) : (
            <ul className="schedules-runs">
              {runs.map(({ id, by, startedAt, finishedAt, outcome, sentence }) => (
                <li key={id}>
                  <StateBadge {...outcomeOf(outcome)} />
                  <span className="schedules-words">
                    {sentence ?? 'It runs.'}
                    <span className="sub">{by === 'schedule' ? 'by schedule' : `asked for by ${actorName(by)}`}</span>
                  </span>
                  <span className="muted">
                    <TimeAgo at={startedAt} />
                    {finishedAt && `, ${duration(new Date(finishedAt).getTime() - new Date(startedAt).getTime())}`}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Modal>
  )
}
