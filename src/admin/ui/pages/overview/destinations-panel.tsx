import type { Overview } from '../../api/schema.ts'
import { TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { destinationName, plural } from '../../words.ts'
import { Panel, Quiet } from './panel.tsx'

type Destination = Overview['destinations'][number]

/** Whether results arrive where they are sent. */
export function DestinationsPanel({ destinations }: { destinations: Destination[] }) {
  return (
    <Panel title="Destinations">
      {destinations.length === 0 && <Quiet>No destination is configured: results stay here.</Quiet>}
      <ul className="overview-list">
        {destinations.map((one) => (
          <li key={one.name}>
            <span className="overview-grow">
              <b>{destinationName(one.name)}</b> <span className="sub">{tellOf(one)}</span>
            </span>
            <DestinationBadge destination={one} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function tellOf({ lastError, lastSuccessAt, pending }: Destination) {
  if (lastError !== null) return lastError
  if (lastSuccessAt === null) return 'Nothing has been delivered there yet.'
  return (
    <>
      Last delivery <TimeAgo at={lastSuccessAt} />
      {pending > 0 && `, ${plural(pending, 'object')} on the way`}
    </>
  )
}

function DestinationBadge({ destination: { paused, lastError, failed, lastSuccessAt } }: { destination: Destination }) {
  if (paused !== null) return <StateBadge state="paused" />
  if (lastError !== null)
    return <StateBadge state="failed" label={failed > 0 ? `${plural(failed, 'object')} failed` : 'Failing'} />
  return lastSuccessAt === null ? (
    <StateBadge state="unknown" label="Not used yet" />
  ) : (
    <StateBadge state="good" label="Answers" />
  )
}
