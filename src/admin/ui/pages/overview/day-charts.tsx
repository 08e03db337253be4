import '@mantine/charts/styles.css'
import { CompositeChart, LineChart } from '@mantine/charts'
import type { Overview } from '../../api/schema.ts'
import { duration, number, plural } from '../../words.ts'
import { Panel, Quiet } from './panel.tsx'

/** The day by quarters of an hour: how much came and was finished, and how long it took. */
export function DayCharts({ overview: { quarters, lateAfter } }: { overview: Overview }) {
  const points = shownOf(quarters).map((one) => ({
    at: new Date(one.from).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }),
    Received: one.studies,
    Delivered: one.delivered,
    'Failed jobs': one.failed,
    Median: one.latencyMedian,
    '95th percentile': one.latency95,
  }))
  const sum = (of: (one: Overview['quarters'][number]) => number) => quarters.reduce((total, one) => total + of(one), 0)
  const received = sum(({ studies }) => studies)
  const delivered = sum((one) => one.delivered)
  const longest = Math.max(0, ...quarters.map(({ latency95 }) => latency95 ?? 0))
  return (
    <div className="overview-columns">
      <Panel title="Through the day" note="studies a quarter of an hour">
        <figure
          className="chart"
          aria-label={`Today ${plural(received, 'study', 'studies')} came and ${number(delivered)} were delivered.`}
        >
          {received + delivered === 0 ? (
            <Quiet>No study has come today.</Quiet>
          ) : (
            <CompositeChart
              h={200}
              data={points}
              dataKey="at"
              withLegend
              legendProps={{ verticalAlign: 'top', height: 36 }}
              gridAxis="x"
              tickLine="none"
              curveType="linear"
              withDots={false}
              maxBarWidth={18}
              valueFormatter={(value) => number(value)}
              yAxisProps={{ allowDecimals: false, width: 36 }}
              xAxisProps={{ minTickGap: 28 }}
              composedChartProps={{ barCategoryGap: 1, barGap: 0 }}
              barProps={{ isAnimationActive: false }}
              lineProps={{ isAnimationActive: false }}
              series={[
                { name: 'Received', color: 'var(--chart-second)', type: 'bar' },
                { name: 'Failed jobs', color: 'var(--bad)', type: 'bar' },
                { name: 'Delivered', color: 'var(--accent)', type: 'line' },
              ]}
            />
          )}
        </figure>
      </Panel>
      <Panel title="Time to the last result" note={`late after ${duration(lateAfter * 1000)}`}>
        <figure
          className="chart"
          aria-label={`The slowest quarter of an hour had a 95th percentile of ${duration(longest * 1000)}.`}
        >
          {longest === 0 ? (
            <Quiet>No result has been delivered today.</Quiet>
          ) : (
            <LineChart
              h={200}
              data={points}
              dataKey="at"
              withLegend
              legendProps={{ verticalAlign: 'top', height: 36 }}
              gridAxis="x"
              tickLine="none"
              curveType="linear"
              connectNulls={false}
              withDots
              dotProps={{ r: 3 }}
              valueFormatter={(seconds) => duration(seconds * 1000)}
              yAxisProps={{ width: 76, tickFormatter: axisTime }}
              xAxisProps={{ minTickGap: 28 }}
              lineProps={{ isAnimationActive: false }}
              series={[
                { name: 'Median', color: 'var(--accent)' },
                { name: '95th percentile', color: 'var(--chart-second)' },
              ]}
              {...(longest > lateAfter * 0.6
                ? { referenceLines: [{ y: lateAfter, label: 'late', color: 'var(--warn)' }] }
                : {})}
            />
          )}
        </figure>
      </Panel>
    </div>
  )
}

/** The day from an hour before the first study on; two hours at least. */
function shownOf(quarters: Overview['quarters']): Overview['quarters'] {
  const first = quarters.findIndex(({ studies, delivered, failed }) => studies + delivered + failed > 0)
  return quarters.slice(Math.max(0, Math.min(first - 4, quarters.length - 8)))
}

/** As short as an axis needs it: `45 s`, `2.5 min`, `1.5 h`. */
function axisTime(seconds: number): string {
  if (seconds < 60) return `${number(seconds)} s`
  return seconds < 3600 ? `${number(seconds / 60, 1)} min` : `${number(seconds / 3600, 1)} h`
}
