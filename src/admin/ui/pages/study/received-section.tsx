import { addressOf } from '../../api/call.ts'
import type { Arrival, Timeline } from '../../api/schema.ts'
import { Copyable } from '../../parts/copyable.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Picture } from '../../parts/picture.tsx'
import { duration, number, plural } from '../../words.ts'
import { arrivalsBySeries, senderName, seriesName } from './names.ts'
import { Folded, Section } from './section.tsx'

/** What came, series by series, and how the node knew that it was all. */
export function ReceivedSection({ timeline }: { timeline: Timeline }) {
  const series = [...arrivalsBySeries(timeline.arrivals)]
  return (
    <Section id="received" title="Received" note={plural(series.length, 'series', 'series')}>
      <ul className="study-list">
        {series.map(([uid, arrivals]) => (
          <Series key={uid} studyInstanceUID={timeline.studyInstanceUID} uid={uid} arrivals={arrivals} />
        ))}
      </ul>
    </Section>
  )
}

function Series({ studyInstanceUID, uid, arrivals }: { studyInstanceUID: string; uid: string; arrivals: Arrival[] }) {
  const [first] = arrivals
  if (!first) return null
  const instances = arrivals.reduce((sum, arrival) => sum + arrival.instances, 0)
  return (
    <li className="study-row">
      <Picture
        src={addressOf('GET /studies/{studyInstanceUID}/series/{seriesInstanceUID}/thumbnail', {
          path: { studyInstanceUID, seriesInstanceUID: uid },
          query: { size: 128 },
        })}
        alt=""
        width={64}
        height={64}
      />
      <div className="study-grow">
        <b>{seriesName(first)}</b>
        <span className="sub">
          {[
            first.modality,
            typeof first.seriesNumber === 'number' && `series ${first.seriesNumber}`,
            plural(instances, 'instance'),
          ]
            .filter(Boolean)
            .join(' · ')}
        </span>
        {arrivals.map((arrival) => (
          <Came key={`${arrival.at} ${arrival.from}`} arrival={arrival} />
        ))}
      </div>
      <Copyable value={uid} label="Series Instance UID" name="" />
    </li>
  )
}

function Came({ arrival: { at, until, from, via, instances, identical, replaced } }: { arrival: Arrival }) {
  const { name, address } = senderName(from)
  const took = Date.parse(until) - Date.parse(at)
  return (
    <span className="sub">
      <TimeAgo at={at} /> from <b>{name}</b>
      {address && ` (${address})`}, {via === 'c-store' ? 'C-STORE' : via.toUpperCase()}, {number(instances)} new
      {took > 0 && ` in ${duration(took)}`}
      {identical > 0 && `, ${number(identical)} sent again unchanged`}
      {replaced > 0 && <b className="tone-warn study-toned">, {number(replaced)} replaced with other bytes</b>}
    </span>
  )
}

/** When the study was taken as complete, and why. */
export function CompleteSection({ timeline: { revisions } }: { timeline: Timeline }) {
  const [newest, ...before] = revisions
  return (
    <Section id="complete" title="Complete" note={newest && plural(newest.instances, 'instance')}>
      {!newest && (
        <p className="study-quiet">Not yet: more instances may come. “Complete now” does not wait for them.</p>
      )}
      {newest && <Revision revision={newest} isOnly={before.length === 0} />}
      {before.length > 0 && (
        <Folded title={plural(before.length, 'earlier revision')}>
          {before.map((one) => (
            <Revision key={one.revision} revision={one} isOnly={false} />
          ))}
        </Folded>
      )}
    </Section>
  )
}

function Revision({ revision, isOnly }: { revision: Timeline['revisions'][number]; isOnly: boolean }) {
  return (
    <p className="study-line">
      {!isOnly && <b>Revision {revision.revision}: </b>}
      {revision.reason}{' '}
      <span className="muted">
        <TimeAgo at={revision.at} />
        {!isOnly && `, ${plural(revision.instances, 'instance')}`}
      </span>
    </p>
  )
}
