import { Button, Skeleton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlayerPause } from '@tabler/icons-react'
import type { QueueState } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Stat } from '../../parts/figures.tsx'
import { Page } from '../../parts/page.tsx'
import { number, plural } from '../../words.ts'
import { FailuresSection } from './failures-section.tsx'
import { JobsSection } from './jobs-section.tsx'
import { PauseDialog } from './pause-dialog.tsx'
import { PausesSection } from './pauses-section.tsx'
import './queue.css'

/** What runs, waits and has failed; and what is paused. */
export function QueuePage() {
  const may = useMay()
  const query = useApi('GET /queue', undefined, { every: 15_000 })
  const [isPausing, pausing] = useDisclosure(false)
  return (
    <Page
      title="Queue"
      lead={query.data ? leadOf(query.data) : ' '}
      actions={
        may('queue.act') && (
          <Button
            variant="default"
            leftSection={<IconPlayerPause size={16} aria-hidden />}
            onClick={pausing.open}
            disabled={query.data === undefined}
          >
            Pause…
          </Button>
        )
      }
    >
      <div className="queue">
        <Answer query={query} skeleton={<Skeleton height={118} radius="lg" />}>
          {(queue) => (
            <>
              <PausesSection pauses={queue.pauses} />
              <Counts queue={queue} />
            </>
          )}
        </Answer>
        <FailuresSection />
        <JobsSection />
      </div>
      {isPausing && <PauseDialog onClose={pausing.close} />}
    </Page>
  )
}

function leadOf({ slots }: QueueState): string {
  return `Up to ${plural(slots.infer, 'inference')} and ${plural(slots.deliver, 'delivery', 'deliveries')} at a time.`
}

function Counts({ queue: { counts, held } }: { queue: QueueState }) {
  const sum = (of: 'queued' | 'running' | 'failed') => counts.reduce((total, one) => total + one[of], 0)
  const parts = (of: 'queued' | 'running' | 'failed') => {
    const one = (kind: 'infer' | 'deliver') => counts.find((count) => count.kind === kind)?.[of] ?? 0
    return `${plural(one('infer'), 'inference')}, ${plural(one('deliver'), 'delivery', 'deliveries')}`
  }
  return (
    <section className="panel queue-counts" aria-label="How much there is">
      <Stat label="Running" value={number(sum('running'))} note={parts('running')} />
      <Stat label="Waiting" value={number(sum('queued'))} note={parts('queued')} />
      <Stat
        label="Kept back"
        value={number(held)}
        note={held === 0 ? 'nothing that waits is paused' : 'by what is paused'}
        {...(held > 0 ? { tone: 'warn' as const } : {})}
      />
      <Stat
        label="Failed"
        value={number(sum('failed'))}
        note={parts('failed')}
        {...(sum('failed') > 0 ? { tone: 'bad' as const } : {})}
      />
    </section>
  )
}
