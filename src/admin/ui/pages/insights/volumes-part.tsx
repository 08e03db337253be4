import { BarChart } from '@mantine/charts'
import { NativeSelect, Skeleton } from '@mantine/core'
import type { ReactNode } from 'react'
import { addressOf, type QueryOf } from '../../api/call.ts'
import type { InsightVolumes } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Stat } from '../../parts/figures.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { number, plural } from '../../words.ts'
import { Figure } from './figure.tsx'
import { periodOf } from './findings-part.tsx'
import { dimensionWords } from './insight-words.ts'
import type { Filter, InsightValues } from './use-insight-filter.ts'

type By = QueryOf<'GET /insights/volumes'>['by']

/** How many inferences ended how, over time and by what they are of. */
export function VolumesPart(props: {
  filter: Filter
  days: number | null
  values: InsightValues
  change(part: InsightValues): void
}) {
  const { filter, days, values, change } = props
  const period = periodOf(days)
  const by: By = Object.keys(dimensionWords).includes(values.by ?? '') ? (values.by as By) : 'scanner'
  const trend = useApi('GET /insights/volumes', { query: { ...filter, by: period } }, { keepPrevious: true })
  const groups = useApi('GET /insights/volumes', { query: { ...filter, by } }, { keepPrevious: true })
  const csv = (of: By) => addressOf('GET /insights/export', { query: { ...filter, table: 'volumes', by: of } })
  return (
    <Answer query={trend} skeleton={<Skeleton height={420} radius="lg" />}>
      {(answer) =>
        answer.total.runs === 0 ? (
          <div className="panel">
            <Empty title="No inference in this period">Choose a longer one, or take a filter away.</Empty>
          </div>
        ) : (
          <>
            <div className="panel insights-head">
              <Stat
                label="Inferences"
                value={number(answer.total.runs)}
                note={plural(answer.total.studies, 'study', 'studies')}
              />
              <Stat
                label="With a result"
                value={number(answer.total.done)}
                note={part(answer.total.done, answer.total.runs)}
              />
              <Stat
                label="Refused"
                value={number(answer.total.refused)}
                note="the input was outside the declared limits"
              />
              <Stat
                label="Failed"
                value={number(answer.total.failed)}
                note={part(answer.total.failed, answer.total.runs)}
                {...(answer.total.failed > 0 ? { tone: 'bad' as const } : {})}
              />
            </div>
            <div className="insights-columns">
              <Volumes title="Over time" answer={answer} csv={csv(period)} />
              <Answer query={groups} skeleton={<Skeleton height={320} radius="lg" />}>
                {(grouped) => (
                  <Volumes title={`By ${dimensionWords[by]?.toLowerCase()}`} answer={grouped} csv={csv(by)}>
                    <NativeSelect
                      aria-label="Group by"
                      mb="sm"
                      w={200}
                      value={by}
                      onChange={(event) => change({ by: event.currentTarget.value })}
                      data={Object.entries(dimensionWords).map(([value, label]) => ({ value, label }))}
                    />
                  </Volumes>
                )}
              </Answer>
            </div>
          </>
        )
      }
    </Answer>
  )
}

function part(of: number, all: number): string {
  return all === 0 ? '' : `${number((of / all) * 100, 1)} %`
}

function Volumes(props: { title: string; answer: InsightVolumes; csv: string; children?: ReactNode }) {
  const { title, answer, csv, children } = props
  return (
    <Figure
      title={title}
      says={`${plural(answer.total.runs, 'inference')} in ${plural(answer.groups.length, 'group')}.`}
      csv={csv}
      table={{
        head: ['', 'Studies', 'Inferences', 'With a result', 'Refused', 'Failed'],
        rows: answer.groups.map((one) => [
          one.label,
          number(one.studies),
          number(one.runs),
          number(one.done),
          number(one.refused),
          number(one.failed),
        ]),
      }}
    >
      {children}
      <BarChart
        h={270}
        type="stacked"
        data={answer.groups.map(({ label, done, refused, failed }) => ({
          label,
          'With a result': done,
          Refused: refused,
          Failed: failed,
        }))}
        dataKey="label"
        withLegend
        legendProps={{ verticalAlign: 'top', height: 34 }}
        gridAxis="x"
        tickLine="none"
        maxBarWidth={36}
        yAxisProps={{ allowDecimals: false, width: 44 }}
        xAxisProps={{ minTickGap: 12 }}
        barProps={{ isAnimationActive: false }}
        series={[
          { name: 'With a result', color: 'var(--accent)' },
          { name: 'Refused', color: 'var(--warn)' },
          { name: 'Failed', color: 'var(--bad)' },
        ]}
      />
    </Figure>
  )
}
