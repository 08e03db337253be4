import '@mantine/charts/styles.css'
import { LineChart } from '@mantine/charts'
import { Skeleton } from '@mantine/core'
import { IconChartLine } from '@tabler/icons-react'
import type { InsightMeasurement } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { dicomDate, number, plural } from '../../words.ts'
import { Figure } from './figure.tsx'
import { axisNumber, siteName, valueOf } from './insight-words.ts'
import './insights.css'

/** What was measured of a patient over their studies, and how it changed. */
export function PatientPage({ studyInstanceUID = '' }: { studyInstanceUID?: string }) {
  const query = useApi('GET /insights/patient/{studyInstanceUID}', { path: { studyInstanceUID }, query: {} })
  return (
    <Page
      title="Change over time"
      lead={query.data ? plural(query.data.studies.length, 'study of this patient', 'studies of this patient') : ' '}
      back={{ href: `/studies/${studyInstanceUID}`, label: 'The study' }}
    >
      <Answer query={query} skeleton={<Skeleton height={360} radius="lg" />}>
        {({ known, measurements }) =>
          !known || measurements.length === 0 ? (
            <div className="panel">
              <Empty icon={IconChartLine} title="Nothing to compare">
                {known
                  ? 'Nothing was measured of this patient yet.'
                  : 'The study has no patient identifier, or nothing was counted of it yet.'}
              </Empty>
            </div>
          ) : (
            <div className="insights-columns">
              {measurements.map((measurement) => (
                <Measurement key={`${measurement.finding.id} ${measurement.pipeline}`} measurement={measurement} />
              ))}
            </div>
          )
        }
      </Answer>
    </Page>
  )
}

function Measurement({ measurement: { finding, pipeline, points, change } }: { measurement: InsightMeasurement }) {
  const title = [finding.name, siteName(finding.site)].filter(Boolean).join(', ')
  const says = changeOf(change, finding.unit)
  return (
    <Figure
      title={title}
      says={`${title}: ${says}`}
      note={`${says} By ${pipeline}.`}
      table={{
        head: ['Study', 'Value', 'Version'],
        rows: points.map(({ date, value, version }) => [
          dicomDate(date.replaceAll('-', '')),
          valueOf(value, finding.unit),
          version ?? '–',
        ]),
      }}
    >
      <LineChart
        h={220}
        data={points.map(({ date, value }) => ({ date: dicomDate(date.replaceAll('-', '')), Value: value }))}
        dataKey="date"
        gridAxis="x"
        tickLine="none"
        curveType="linear"
        dotProps={{ r: 4 }}
        valueFormatter={(value) => valueOf(value, finding.unit)}
        yAxisProps={{ width: 60, tickFormatter: axisNumber, domain: ['auto', 'auto'] }}
        lineProps={{ isAnimationActive: false }}
        series={[{ name: 'Value', color: 'var(--accent)' }]}
      />
    </Figure>
  )
}

function changeOf(change: InsightMeasurement['change'], unit: string): string {
  if (change === null) return 'Measured on one day only.'
  const { days, perYear, percent, doublingDays } = change
  const slope = `${perYear >= 0 ? '+' : ''}${valueOf(perYear, unit)} a year`
  const whole = percent === null ? '' : ` (${percent >= 0 ? '+' : '−'}${number(Math.abs(percent), 1)} % in all)`
  const doubling = doublingDays === null ? '' : ` It would double in ${plural(Math.round(doublingDays), 'day')}.`
  return `${slope} over ${plural(Math.round(days), 'day')}${whole}.${doubling}`
}
