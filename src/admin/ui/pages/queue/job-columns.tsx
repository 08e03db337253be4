import { Button, Group, Menu, Progress } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import type { JobRow } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct } from '../../api/use-api.ts'
import { useConfirm } from '../../parts/confirm.tsx'
import type { Column } from '../../parts/data-table.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { StudyName } from '../../parts/study-name.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { destinationName, pipelineName, plural } from '../../words.ts'
import { heldWords } from './pause-words.ts'

/** What a job does, in words. */
function titleOf(job: JobRow): string {
  return job.kind === 'deliver'
    ? `Deliver to ${destinationName(job.destination ?? 'a destination', 'inside')}`
    : (job.pipelineName ?? pipelineName(job.pipeline))
}

export const jobColumns: Column<JobRow>[] = [
  {
    key: 'what',
    label: 'Job',
    bare: true,
    render: (job) => (
      <span>
        <b>{titleOf(job)}</b>
        <small>
          {job.pipelineVersion && `version ${job.pipelineVersion} · `}
          {job.route ? `route ${job.route}` : 'asked for by somebody'}
          {job.shadow && ' · shadow'}
        </small>
      </span>
    ),
  },
  { key: 'study', label: 'Study', render: (job) => <StudyName study={job} /> },
  {
    key: 'state',
    label: 'State',
    width: '30%',
    render: (job) => (
      <span>
        {job.progress && (
          <Progress
            className="queue-progress"
            value={job.progress.fraction * 100}
            size={6}
            aria-label={`${titleOf(job)}: ${job.progress.stage}`}
          />
        )}
        <StateBadge state={job.refused ? 'refused' : job.held === null ? job.state : 'paused'} />
        <small>
          {job.error ? <Sentence text={job.error} /> : job.held ? heldWords(job.held) : job.progress?.stage}
          {job.attempts > 1 && ` ${plural(job.attempts, 'attempt')}.`}
        </small>
      </span>
    ),
  },
  {
    key: 'at',
    label: 'Since',
    width: '150px',
    render: (job) => (
      <span>
        <TimeAgo at={job.finishedAt ?? job.startedAt ?? job.createdAt} />
        {job.state === 'queued' && job.priority !== 0 && <small>{priorityOf(job.priority)}</small>}
      </span>
    ),
  },
  { key: 'acts', label: 'Actions', bare: true, width: '130px', render: (job) => <Acts job={job} /> },
]

function priorityOf(priority: number): string {
  if (priority > 0) return 'urgent'
  return priority > -20 ? 'low priority' : 'shadow: last'
}

function Acts({ job }: { job: JobRow }) {
  const { id, state } = job
  const may = useMay()
  const confirm = useConfirm()
  const path = { id }
  const retry = useAct('POST /jobs/{id}/retry', { onDone: () => toastDone('The job is queued again.') })
  const cancel = useAct('POST /jobs/{id}/cancel', {
    onDone: (answer) => toastDone(answer.state === 'running' ? 'The job ends within seconds.' : 'The job is ended.'),
  })
  const prioritise = useAct('POST /jobs/{id}/priority', {
    onDone: () => toastDone('Its place in the queue is changed.'),
  })
  if (!may('queue.act') || state === 'done') return null
  if (state === 'failed')
    return (
      <Button
        size="xs"
        variant="default"
        loading={retry.isPending}
        onClick={() => retry.mutate({ path }, { onError: (error) => toastFailed('Not queued', error) })}
      >
        Retry
      </Button>
    )
  const end = async () => {
    const isSure = await confirm({
      title: `End “${titleOf(job)}”?`,
      text: 'It counts as failed, and can be retried.',
      confirm: 'End the job',
      danger: true,
    })
    if (isSure) cancel.mutate({ path }, { onError: (error) => toastFailed('It goes on', error) })
  }
  const put = (priority: 'urgent' | 'normal' | 'low') =>
    prioritise.mutate({ path, body: { priority } }, { onError: (error) => toastFailed('It keeps its place', error) })
  return (
    <Group gap={6}>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="xs" variant="default" aria-label={`Actions on ${titleOf(job)}`}>
            <IconDots size={15} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {state === 'queued' && (
            <>
              <Menu.Label>Place in the queue</Menu.Label>
              <Menu.Item onClick={() => put('urgent')}>Before all others</Menu.Item>
              <Menu.Item onClick={() => put('normal')}>As usual</Menu.Item>
              <Menu.Item onClick={() => put('low')}>Behind all others</Menu.Item>
              <Menu.Divider />
            </>
          )}
          <Menu.Item color="var(--bad)" onClick={() => void end()}>
            End the job…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  )
}
