import { Button } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import type { Pause } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct } from '../../api/use-api.ts'
import { TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { actorName, plural } from '../../words.ts'
import { pauseTitle } from './pause-words.ts'

/** What is paused, each with who paused it, why, and the way to go on. */
export function PausesSection({ pauses }: { pauses: Pause[] }) {
  if (pauses.length === 0) return null
  return (
    <section aria-label="Paused">
      <ul className="panel queue-list">
        {pauses.map((pause) => (
          <OnePause key={pause.id} pause={pause} />
        ))}
      </ul>
    </section>
  )
}

function OnePause({ pause }: { pause: Pause }) {
  const { id, reason, author, at, waiting } = pause
  const may = useMay()
  const resume = useAct('DELETE /queue/pauses/{id}', { onDone: () => toastDone('It goes on.') })
  return (
    <li>
      <StateBadge state="paused" />
      <div className="queue-words">
        <b>{pauseTitle(pause)}</b>
        <div>{reason}</div>
        <span className="sub">
          by {actorName(author)}, <TimeAgo at={at} />; {plural(waiting, 'job')} {waiting === 1 ? 'waits' : 'wait'}.
          Nothing is lost: they run when it is resumed.
        </span>
      </div>
      {may('queue.act') && (
        <Button
          size="xs"
          leftSection={<IconPlayerPlay size={14} aria-hidden />}
          loading={resume.isPending}
          onClick={() => resume.mutate({ path: { id } }, { onError: (error) => toastFailed('It stays paused', error) })}
        >
          Resume
        </Button>
      )}
    </li>
  )
}
