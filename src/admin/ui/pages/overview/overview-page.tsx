import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { Overview } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Page } from '../../parts/page.tsx'
import { ArrivingPanel } from './arriving-panel.tsx'
import { DestinationsPanel } from './destinations-panel.tsx'
import { NodePanel } from './node-panel.tsx'
import { FailedPanel, QueuePanel } from './queue-panels.tsx'
import { Today } from './today.tsx'
import './overview.css'

const DayCharts = lazy(async () => ({ default: (await import('./day-charts.tsx')).DayCharts }))

/** What the node does now, and did today: the number that matters first. */
export function OverviewPage() {
  const query = useApi('GET /overview', undefined, { every: 30_000 })
  return (
    <Page title="Overview">
      <Answer query={query} skeleton={<OverviewSkeleton />}>
        {(overview) => <Panels overview={overview} />}
      </Answer>
    </Page>
  )
}

function Panels({ overview }: { overview: Overview }) {
  return (
    <div className="overview">
      <Today overview={overview} />
      <Suspense fallback={<ChartsSkeleton />}>
        <DayCharts overview={overview} />
      </Suspense>
      <div className="overview-columns">
        <ArrivingPanel arriving={overview.arriving} />
        <QueuePanel overview={overview} />
      </div>
      {overview.failed.groups.length > 0 && <FailedPanel failed={overview.failed} />}
      <div className="overview-columns">
        <DestinationsPanel destinations={overview.destinations} />
        <NodePanel overview={overview} />
      </div>
    </div>
  )
}

function ChartsSkeleton() {
  return (
    <div className="overview-columns">
      <Skeleton height={278} radius="lg" />
      <Skeleton height={278} radius="lg" />
    </div>
  )
}

function OverviewSkeleton() {
  return (
    <div className="overview">
      <Skeleton height={132} radius="lg" />
      <ChartsSkeleton />
      <div className="overview-columns">
        <Skeleton height={220} radius="lg" />
        <Skeleton height={220} radius="lg" />
      </div>
    </div>
  )
}
