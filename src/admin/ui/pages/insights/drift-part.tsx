import { BarChart } from '@mantine/charts'
import { Button, Skeleton } from '@mantine/core'
import { IconActivityHeartbeat, IconDownload, IconRefresh } from '@tabler/icons-react'
import { useState } from 'react'
import { addressOf } from '../../api/call.ts'
import type { DriftEvaluation, DriftMeasure } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { number, plural } from '../../words.ts'
import { withoutCodes } from './insight-words.ts'

const verdicts = {
  'too-few': { state: 'unknown', label: 'Too few to tell', order: 2 },
  none: { state: 'good', label: 'No drift', order: 3 },
  moderate: { state: 'warning', label: 'Moderate drift', order: 1 },
  strong: { state: 'failure', label: 'Strong drift', order: 0 },
} as const

function Verdict({ of }: { of: DriftEvaluation['verdict'] }) {
  return <StateBadge state={verdicts[of].state} label={verdicts[of].label} />
}

/** Whether what pipelines get, and what they give, is still as it was. */
export function DriftPart() {
  const may = useMay()
  const query = useApi('GET /insights/drift', { query: {} })
  const evaluate = useAct('POST /insights/drift', { onDone: () => toastDone('The drift is evaluated.') })
  return (
    <>
      <div className="section-head">
        <span className="muted">
          Recent studies against a reference, by the population stability index
          {query.data &&
            `: ${number(query.data.limits.moderate, 2)} and more is moderate, ${number(query.data.limits.strong, 2)} strong`}
          .
        </span>
        <span className="page-actions">
          <Button
            component="a"
            href={addressOf('GET /insights/export', { query: { table: 'drift' } })}
            download
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} aria-hidden />}
          >
            CSV
          </Button>
          {may('insights.manage') && (
            <Button
              size="xs"
              variant="default"
              loading={evaluate.isPending}
              leftSection={<IconRefresh size={14} aria-hidden />}
              onClick={() => evaluate.mutate({}, { onError: (error) => toastFailed('Not evaluated', error) })}
            >
              Evaluate now
            </Button>
          )}
        </span>
      </div>
      <Answer query={query} skeleton={<Skeleton height={300} radius="lg" />}>
        {({ evaluations }) =>
          evaluations.length === 0 ? (
            <div className="panel">
              <Empty icon={IconActivityHeartbeat} title="Drift was not evaluated yet">
                It is evaluated by schedule, once a pipeline has run often enough.
              </Empty>
            </div>
          ) : (
            <ul className="insights-list">
              {evaluations.map((evaluation) => (
                <Evaluation key={evaluation.id} evaluation={evaluation} />
              ))}
            </ul>
          )
        }
      </Answer>
    </>
  )
}

function Evaluation({ evaluation }: { evaluation: DriftEvaluation }) {
  const { pipeline, version, verdict, at, reference, window, measures } = evaluation
  const sorted = [...measures].sort((a, b) => verdicts[a.verdict].order - verdicts[b.verdict].order)
  return (
    <li className="panel insights-drift">
      <div className="section-head">
        <h2>
          {pipeline}
          {version && <span className="muted"> version {version}</span>} <Verdict of={verdict} />
        </h2>
        <span className="muted">
          <TimeAgo at={at} />
        </span>
      </div>
      <p className="insights-note">
        {plural(window.runs, 'recent inference')} against {plural(reference.runs, 'inference')} of{' '}
        {reference.kind === 'first-runs' ? 'its beginning' : 'the reference period'}.
      </p>
      {sorted.map((measure) => (
        <Measure key={measure.subject} measure={measure} />
      ))}
    </li>
  )
}

function Measure({ measure }: { measure: DriftMeasure }) {
  const { label, side, kind, verdict, stability, statistic, probability, bins, reference, window } = measure
  const [isOpen, setOpen] = useState(false)
  const share = (count: number, all: number) => (all === 0 ? 0 : (count / all) * 100)
  return (
    <details className="insights-measure" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <b>{withoutCodes(label)}</b>
        <span className="muted">{side === 'input' ? 'of what it gets' : 'of what it finds'}</span>
        <span className="muted">{stability === null ? '–' : `index ${number(stability, 3)}`}</span>
        <Verdict of={verdict} />
      </summary>
      {isOpen && (
        <>
          <figure className="chart" aria-label={`${label}: shares of reference and recent studies.`}>
            <BarChart
              h={220}
              data={bins.map((bin) => ({
                label: bin.label,
                Reference: share(bin.reference, reference),
                Recent: share(bin.window, window),
              }))}
              dataKey="label"
              withLegend
              legendProps={{ verticalAlign: 'top', height: 34 }}
              gridAxis="x"
              tickLine="none"
              valueFormatter={(value) => `${number(value, 1)} %`}
              yAxisProps={{ width: 56 }}
              barProps={{ isAnimationActive: false }}
              series={[
                { name: 'Reference', color: 'var(--chart-second)' },
                { name: 'Recent', color: 'var(--accent)' },
              ]}
            />
          </figure>
          <p className="insights-note">
            {plural(reference, 'value')} of the reference, {plural(window, 'recent value')}.{' '}
            {statistic !== null &&
              `${kind === 'number' ? 'Kolmogorov-Smirnov statistic' : 'Chi-square'} ${number(statistic, 3)}`}
            {probability !== null && `, p ${probability < 0.001 ? '< 0.001' : `= ${number(probability, 3)}`}`}
          </p>
        </>
      )}
    </details>
  )
}
