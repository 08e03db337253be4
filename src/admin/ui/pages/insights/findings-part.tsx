import { BarChart, CompositeChart, ScatterChart } from '@mantine/charts'
import { NativeSelect, Skeleton } from '@mantine/core'
import { addressOf } from '../../api/call.ts'
import type { InsightFindingChoice, InsightGroups, InsightScatter } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Stat } from '../../parts/figures.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { number, plural, unitName } from '../../words.ts'
import { BoxPlot } from './box-plot.tsx'
import { Figure } from './figure.tsx'
import { axisNumber, dimensionWords, siteName, valueOf } from './insight-words.ts'
import type { Filter, InsightValues } from './use-insight-filter.ts'

type Period = 'day' | 'week' | 'month'

/** A trend is by days, weeks or months, so that it has some tens of points at most. */
export function periodOf(days: number | null): Period {
  if (days !== null && days <= 31) return 'day'
  return days !== null && days <= 200 ? 'week' : 'month'
}

interface PartProps {
  finding: InsightFindingChoice
  filter: Filter
  days: number | null
  values: InsightValues
  change(part: InsightValues): void
}

/** The values of a finding: how they are spread, how they went, and what they go with. */
export function FindingsPart({ finding, filter, days, values, change }: PartProps) {
  const by = Object.keys(dimensionWords).includes(values.by ?? '') ? (values.by as 'age') : 'age'
  const period = periodOf(days)
  const ask = { ...filter, finding: finding.id }
  const trend = useApi('GET /insights/groups', { query: { ...ask, by: period } }, { keepPrevious: true })
  const groups = useApi('GET /insights/groups', { query: { ...ask, by } }, { keepPrevious: true })
  const scatter = useApi('GET /insights/scatter', { query: { ...ask, x: 'age', limit: 1500 } }, { keepPrevious: true })
  const csv = (table: 'groups' | 'histogram', of: typeof by | Period) =>
    addressOf('GET /insights/export', { query: { ...ask, table, by: of } })
  return (
    <Answer query={trend} skeleton={<Skeleton height={460} radius="lg" />}>
      {(answer) =>
        answer.total.values === null ? (
          <div className="panel">
            <Empty title="No value in this period">Choose a longer one, or take a filter away.</Empty>
          </div>
        ) : (
          <>
            <Head answer={answer} unit={finding.unit} />
            <div className="insights-columns">
              <Distribution
                answer={answer}
                unit={finding.unit}
                name={titleOf(finding)}
                csv={csv('histogram', period)}
              />
              <Trend answer={answer} unit={finding.unit} csv={csv('groups', period)} />
              <Answer query={groups} skeleton={<Skeleton height={300} radius="lg" />}>
                {(grouped) => (
                  <Figure
                    title={`By ${dimensionWords[by]?.toLowerCase()}`}
                    says={`The values in ${plural(grouped.groups.length, 'group')}.`}
                    table={tableOf(grouped, finding.unit)}
                    csv={csv('groups', by)}
                    note="The line spans the 5th to the 95th percentile, the bar the middle half; the stroke is the median."
                  >
                    <NativeSelect
                      aria-label="Group by"
                      mb="sm"
                      w={200}
                      value={by}
                      onChange={(event) => change({ by: event.currentTarget.value })}
                      data={Object.entries(dimensionWords).map(([value, label]) => ({ value, label }))}
                    />
                    <BoxPlot groups={grouped.groups} unit={finding.unit} />
                  </Figure>
                )}
              </Answer>
              <Answer query={scatter} skeleton={<Skeleton height={300} radius="lg" />}>
                {(points) => <AgainstAge answer={points} unit={finding.unit} />}
              </Answer>
            </div>
            {answer.truncated && (
              <p className="insights-note">There is more than is looked at: these are the newest.</p>
            )}
          </>
        )
      }
    </Answer>
  )
}

function titleOf({ name, site }: InsightFindingChoice): string {
  return [name, siteName(site)].filter(Boolean).join(', ')
}

function Head({ answer: { total }, unit }: { answer: InsightGroups; unit: string }) {
  const values = total.values
  if (values === null) return null
  return (
    <div className="panel insights-head">
      <Stat label="Median" value={valueOf(values.median, unit)} note={`mean ${valueOf(values.mean, unit)}`} />
      <Stat
        label="Middle half"
        value={`${axisNumber(values.q1)} – ${axisNumber(values.q3)}`}
        note={`5th to 95th percentile: ${axisNumber(values.p5)} – ${axisNumber(values.p95)} ${unitName(unit)}`}
      />
      <Stat label="Values" value={number(values.n)} note={`of ${plural(total.studies, 'study', 'studies')}`} />
      <Stat label="Patients" value={number(total.patients)} note="that are known by an identifier" />
    </div>
  )
}

function Distribution(props: { answer: InsightGroups; unit: string; name: string; csv: string }) {
  const { answer, unit, name, csv } = props
  const edges = answer.edges ?? []
  const counts = answer.total.histogram ?? []
  const bins = counts.map((values, index) => ({
    bin: `${axisNumber(edges[index] ?? 0)} – ${axisNumber(edges[index + 1] ?? 0)}`,
    at: axisNumber(edges[index] ?? 0),
    Values: values,
  }))
  return (
    <Figure
      title="Distribution"
      says={`${name}: median ${valueOf(answer.total.values?.median, unit)} of ${number(answer.total.values?.n ?? 0)} values.`}
      table={{ head: [unitName(unit) || 'Value', 'Values'], rows: bins.map((one) => [one.bin, number(one.Values)]) }}
      csv={csv}
      note={`${name}${unitName(unit) && ` in ${unitName(unit)}`}`}
    >
      <BarChart
        h={250}
        data={bins}
        dataKey="at"
        series={[{ name: 'Values', color: 'var(--chart-second)' }]}
        gridAxis="x"
        tickLine="none"
        yAxisProps={{ allowDecimals: false, width: 44 }}
        xAxisProps={{ minTickGap: 16 }}
        barChartProps={{ barCategoryGap: 1 }}
        barProps={{ isAnimationActive: false }}
      />
    </Figure>
  )
}

function Trend({ answer, unit, csv }: { answer: InsightGroups; unit: string; csv: string }) {
  const points = answer.groups
    .filter(({ values }) => values !== null)
    .map(({ label, values }) => ({
      at: label,
      Median: values?.median,
      'Lower quarter': values?.q1,
      'Upper quarter': values?.q3,
    }))
  const words = { day: 'day', week: 'week', month: 'month' }[answer.by as Period]
  return (
    <Figure
      title="Over time"
      says={`Medians of ${plural(points.length, words)}.`}
      table={tableOf(answer, unit)}
      csv={csv}
      note={`By ${words}${unitName(unit) && `, in ${unitName(unit)}`}`}
    >
      <CompositeChart
        h={250}
        data={points}
        dataKey="at"
        withLegend
        legendProps={{ verticalAlign: 'top', height: 34 }}
        gridAxis="x"
        tickLine="none"
        curveType="linear"
        connectNulls={false}
        valueFormatter={(value) => valueOf(value, unit)}
        yAxisProps={{ width: 60, tickFormatter: axisNumber, domain: ['auto', 'auto'] }}
        xAxisProps={{ minTickGap: 20 }}
        lineProps={{ isAnimationActive: false }}
        dotProps={{ r: 3 }}
        series={[
          { name: 'Upper quarter', color: 'var(--chart-second)', type: 'line' },
          { name: 'Lower quarter', color: 'var(--chart-second)', type: 'line' },
          { name: 'Median', color: 'var(--accent)', type: 'line' },
        ]}
      />
    </Figure>
  )
}

function AgainstAge({ answer: { points, total, correlation }, unit }: { answer: InsightScatter; unit: string }) {
  const sexes = [
    ['F', 'Women', 'var(--accent)'],
    ['M', 'Men', 'var(--chart-second)'],
    [null, 'Sex not known', 'var(--idle)'],
  ] as const
  const series = sexes
    .map(([sex, name, color]) => ({
      name,
      color,
      data: points
        .filter((point) => (sex === null ? point.sex !== 'F' && point.sex !== 'M' : point.sex === sex))
        .map(({ x, y }) => ({ Age: x, Value: y })),
    }))
    .filter(({ data }) => data.length > 0)
  const says =
    correlation === null
      ? `${plural(total, 'value')} with an age.`
      : `${plural(total, 'value')} with an age; the correlation is ${number(correlation, 2)}.`
  return (
    <Figure
      title="Against age"
      says={says}
      table={{
        head: ['Age', 'Value', 'Sex'],
        rows: points.slice(0, 500).map(({ x, y, sex }) => [number(x, 1), valueOf(y, unit), sex ?? '–']),
      }}
      note={says}
    >
      {points.length === 0 ? (
        <Empty title="No age is known" />
      ) : (
        <ScatterChart
          h={250}
          data={series}
          dataKey={{ x: 'Age', y: 'Value' }}
          tickLine="none"
          withLegend={series.length > 1}
          legendProps={{ verticalAlign: 'top', height: 34 }}
          valueFormatter={{ x: (value) => `${number(value, 1)} years`, y: (value) => valueOf(value, unit) }}
          xAxisProps={{ domain: ['auto', 'auto'] }}
          yAxisProps={{ width: 60, tickFormatter: axisNumber, domain: ['auto', 'auto'] }}
          scatterProps={{ isAnimationActive: false }}
        />
      )}
    </Figure>
  )
}

function tableOf({ groups }: InsightGroups, unit: string) {
  return {
    head: ['', 'Studies', 'Values', 'Median', 'Mean', '25 %', '75 %', '5 %', '95 %'],
    rows: groups.map(({ label, studies, values }) => [
      label,
      number(studies),
      number(values?.n ?? 0),
      ...(['median', 'mean', 'q1', 'q3', 'p5', 'p95'] as const).map((name) => valueOf(values?.[name], unit)),
    ]),
  }
}
