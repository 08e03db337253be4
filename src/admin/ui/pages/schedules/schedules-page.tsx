import { Button, Group } from '@mantine/core'
import { IconClockPlay } from '@tabler/icons-react'
import { useState } from 'react'
import type { Schedule } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Page } from '../../parts/page.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { duration } from '../../words.ts'
import { cronWords } from './cron-words.ts'
import { outcomeOf } from './outcome.ts'
import { RunsDialog } from './runs-dialog.tsx'
import { ScheduleDialog } from './schedule-dialog.tsx'
import './schedules.css'

/** What the node does by itself: when, how it went, and when next. */
export function SchedulesPage() {
  const query = useApi('GET /schedules', undefined, { every: 10_000 })
  const [edited, setEdited] = useState<Schedule | null>(null)
  const [shown, setShown] = useState<Schedule | null>(null)
  return (
    <Page title="Schedules" lead="What the node does by itself, and when.">
      <DataTable
        label="Schedules"
        columns={columnsOf({ onEdit: setEdited, onRuns: setShown })}
        rows={query.data?.schedules}
        keyOf={({ name }) => name}
        error={query.error}
        onRetry={() => void query.refetch()}
        expected={{ rows: 8, height: 44 }}
        empty={{ icon: IconClockPlay, title: 'Nothing runs by schedule' }}
      />
      {edited && <ScheduleDialog schedule={edited} onClose={() => setEdited(null)} />}
      {shown && <RunsDialog schedule={shown} onClose={() => setShown(null)} />}
    </Page>
  )
}

interface Opens {
  onEdit(schedule: Schedule): void
  onRuns(schedule: Schedule): void
}

function columnsOf(opens: Opens): Column<Schedule>[] {
  return [
    {
      key: 'what',
      label: 'What',
      bare: true,
      width: '28%',
      render: ({ title, description, unavailable }) => (
        <span>
          <b>{title}</b>
          <small>{unavailable ?? description}</small>
        </span>
      ),
    },
    {
      key: 'when',
      label: 'When',
      width: '16%',
      render: ({ cron, timeZone, author }) => {
        const words = cronWords(cron)
        return (
          <span title={cron}>
            {words ?? <span className="mono">{cron}</span>}
            <small>
              {timeZone}
              {author !== null && ', changed here'}
            </small>
          </span>
        )
      },
    },
    { key: 'last', label: 'Last run', width: '20%', render: lastOf },
    {
      key: 'next',
      label: 'Next run',
      width: '18%',
      render: ({ enabled, unavailable, nextRun, running }) => {
        if (running) return <StateBadge state="running" />
        if (unavailable !== null) return <StateBadge state="unknown" label="Not set up" />
        if (!enabled) return <StateBadge state="disabled" label="Off" />
        return nextRun === null ? <span className="muted">–</span> : <TimeAgo at={nextRun} />
      },
    },
    {
      key: 'acts',
      label: 'Actions',
      bare: true,
      width: '18%',
      render: (schedule) => <Acts schedule={schedule} {...opens} />,
    },
  ]
}

function lastOf({ lastRun }: Schedule) {
  if (lastRun === null) return <span className="muted">never</span>
  const { startedAt, seconds, outcome, sentence } = lastRun
  return (
    <span>
      <StateBadge plain {...outcomeOf(outcome)} /> <TimeAgo at={startedAt} />
      <small>
        {sentence}
        {seconds !== null && ` (${duration(seconds * 1000)})`}
      </small>
    </span>
  )
}

function Acts({ schedule, onEdit, onRuns }: { schedule: Schedule } & Opens) {
  const { name, title, running, unavailable } = schedule
  const may = useMay()
  const run = useAct('POST /schedules/{name}/run', { onDone: () => toastDone(`“${title}” runs.`) })
  return (
    <Group gap={6}>
      {may('schedules.manage') && unavailable === null && (
        <Button
          size="xs"
          variant="default"
          disabled={running}
          loading={run.isPending}
          aria-label={`Run now: ${title}`}
          onClick={() => run.mutate({ path: { name } }, { onError: (error) => toastFailed('It does not run', error) })}
        >
          Run now
        </Button>
      )}
      {may('schedules.manage') && (
        <Button size="xs" variant="default" aria-label={`Change: ${title}`} onClick={() => onEdit(schedule)}>
          Change
        </Button>
      )}
      <Button size="xs" px={8} variant="subtle" aria-label={`Runs of: ${title}`} onClick={() => onRuns(schedule)}>
        Runs
      </Button>
    </Group>
  )
}
