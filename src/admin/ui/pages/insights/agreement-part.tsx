import { BarChart } from '@mantine/charts'
import { NativeSelect, Skeleton } from '@mantine/core'
import { IconThumbUp } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { addressOf, type QueryOf } from '../../api/call.ts'
import type { InsightAgreement } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Stat } from '../../parts/figures.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { number, plural } from '../../words.ts'
import { Figure } from './figure.tsx'
import { rateOf, siteName } from './insight-words.ts'
import type { Filter } from './use-insight-filter.ts'

type By = NonNullable<QueryOf<'GET /insights/agreement'>['by']>
const choices: Readonly<Record<By, string>> = {
  pipeline: 'pipeline',
  version: 'version',
  scanner: 'scanner',
  route: 'route',
  day: 'day',
  week: 'week',
  month: 'month',
}

/** What readers said of results, and how right the results were by that. */
export function AgreementPart({ filter }: { filter: Filter }) {
  const [by, setBy] = useState<By>('pipeline')
  const query = useApi('GET /insights/agreement', { query: { ...filter, by } }, { keepPrevious: true })
  const csv = (table: 'agreement' | 'performance') =>
    addressOf('GET /insights/export', { query: { ...filter, table, by } })
  return (
    <Answer query={query} skeleton={<Skeleton height={420} radius="lg" />}>
      {(answer) => {
        const { accepted, rejected, corrected, missed } = answer.total
        if (accepted + rejected + corrected + missed === 0)
          return (
            <div className="panel">
              <Empty icon={IconThumbUp} title="No reader has said anything in this period">
                Results are accepted, rejected or corrected on the page of their study.
              </Empty>
            </div>
          )
        return (
          <>
            <Head answer={answer} />
            <div className="insights-columns">
              <Said answer={answer} by={by} csv={csv('agreement')}>
                <NativeSelect
                  aria-label="Group by"
                  mb="sm"
                  w={200}
                  value={by}
                  onChange={(event) => setBy(event.currentTarget.value as By)}
                  data={Object.entries(choices).map(([value, label]) => ({ value, label: `By ${label}` }))}
                />
              </Said>
              <Performance answer={answer} csv={csv('performance')} />
            </div>
          </>
        )
      }}
    </Answer>
  )
}

function Head({ answer: { total } }: { answer: InsightAgreement }) {
  const all = total.accepted + total.rejected + total.corrected + total.missed
  return (
    <div className="panel insights-head">
      <Stat
        label="Agreement"
        value={total.agreement ? `${number(total.agreement.rate * 100)} %` : '–'}
        note={
          total.agreement
            ? `${number(total.agreement.low * 100)} to ${number(total.agreement.high * 100)} % (95 % interval)`
            : undefined
        }
      />
      <Stat label="Accepted" value={number(total.accepted)} note={`of ${plural(all, 'opinion')}`} />
      <Stat label="Rejected" value={number(total.rejected)} />
      <Stat label="Corrected" value={number(total.corrected)} />
      <Stat label="Missed" value={number(total.missed)} note="findings that readers added" />
    </div>
  )
}

function Said(props: { answer: InsightAgreement; by: By; csv: string; children: ReactNode }) {
  const { answer, by, csv, children } = props
  return (
    <Figure
      title="What readers said"
      says={`Opinions by ${choices[by]}, in ${plural(answer.groups.length, 'group')}.`}
      csv={csv}
      table={{
        head: ['', 'Agreement', 'Accepted', 'Rejected', 'Corrected', 'Missed', 'Comments'],
        rows: answer.groups.map((one) => [
          one.label,
          rateOf(one.agreement),
          number(one.accepted),
          number(one.rejected),
          number(one.corrected),
          number(one.missed),
          number(one.comments),
        ]),
      }}
    >
      {children}
      <BarChart
        h={260}
        type="stacked"
        data={answer.groups.map(({ label, accepted, corrected, rejected, missed }) => ({
          label,
          Accepted: accepted,
          Corrected: corrected,
          Rejected: rejected,
          Missed: missed,
        }))}
        dataKey="label"
        withLegend
        legendProps={{ verticalAlign: 'top', height: 34 }}
        gridAxis="x"
        tickLine="none"
        maxBarWidth={48}
        yAxisProps={{ allowDecimals: false, width: 44 }}
        barProps={{ isAnimationActive: false }}
        series={[
          { name: 'Accepted', color: 'var(--good)' },
          { name: 'Corrected', color: 'var(--warn)' },
          { name: 'Rejected', color: 'var(--bad)' },
          { name: 'Missed', color: 'var(--idle)' },
        ]}
      />
    </Figure>
  )
}

function Performance({ answer: { performance }, csv }: { answer: InsightAgreement; csv: string }) {
  const rows = performance.map((one) => ({
    ...one,
    title: [one.label, one.finding, siteName(one.site)].filter(Boolean).join(', '),
  }))
  return (
    <Figure
      title="How right the results were"
      says={`Precision and recall of ${plural(rows.length, 'finding')}.`}
      csv={csv}
      note="By what readers said: a confirmed statement counts as true. With 95 % intervals in the table."
      table={{
        head: ['', 'Precision', 'Recall', 'Specificity', 'F1', 'True +', 'False +', 'True −', 'False −', 'Not told'],
        rows: rows.map((one) => [
          one.title,
          rateOf(one.precision),
          rateOf(one.recall),
          rateOf(one.specificity),
          one.f1 === null ? '–' : number(one.f1, 2),
          number(one.truePositive),
          number(one.falsePositive),
          number(one.trueNegative),
          number(one.falseNegative),
          number(one.unknown),
        ]),
      }}
    >
      {rows.length === 0 ? (
        <Empty title="No result states whether something is there">
          Precision and recall need findings that say yes or no.
        </Empty>
      ) : (
        <BarChart
          h={260}
          data={rows.map(({ title, precision, recall, f1 }) => ({
            title,
            Precision: precision?.rate ?? null,
            Recall: recall?.rate ?? null,
            F1: f1,
          }))}
          dataKey="title"
          withLegend
          legendProps={{ verticalAlign: 'top', height: 34 }}
          gridAxis="x"
          tickLine="none"
          maxBarWidth={30}
          valueFormatter={(value) => number(value, 2)}
          yAxisProps={{ domain: [0, 1], width: 44 }}
          barProps={{ isAnimationActive: false }}
          series={[
            { name: 'Precision', color: 'var(--accent)' },
            { name: 'Recall', color: 'var(--chart-second)' },
            { name: 'F1', color: 'var(--idle)' },
          ]}
        />
      )}
    </Figure>
  )
}
