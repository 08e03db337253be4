import '@mantine/charts/styles.css'
import { Skeleton } from '@mantine/core'
import { IconChartHistogram } from '@tabler/icons-react'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { AgreementPart } from './agreement-part.tsx'
import { DriftPart } from './drift-part.tsx'
import { FindingsPart } from './findings-part.tsx'
import { InsightFilters } from './insight-filters.tsx'
import { chosenFinding, useInsightFilter } from './use-insight-filter.ts'
import { VolumesPart } from './volumes-part.tsx'
import './insights.css'

const parts = [
  ['findings', 'Findings'],
  ['volumes', 'Volumes'],
  ['agreement', 'Readers'],
  ['drift', 'Drift'],
] as const

/** What the AI found, over many studies: pictures first, the numbers behind each. */
export function InsightsPage() {
  const query = useApi('GET /insights/options')
  const { values, change, filter, days } = useInsightFilter()
  const part = parts.find(([name]) => name === values.part)?.[0] ?? 'findings'
  return (
    <Page
      title="Insights"
      lead="What the AI found, over many studies; what leaves the page withholds counts below five."
    >
      <div className="insights">
        <div className="choices" role="group" aria-label="Part">
          {parts.map(([name, label]) => (
            <button
              key={name}
              type="button"
              aria-pressed={part === name}
              onClick={() => change({ part: name === 'findings' ? undefined : name })}
            >
              {label}
            </button>
          ))}
        </div>
        <Answer query={query} skeleton={<Skeleton height={520} radius="lg" />}>
          {(options) => {
            if (options.first === null)
              return (
                <div className="panel">
                  <Empty icon={IconChartHistogram} title="Nothing was found yet">
                    Every inference that ends is counted here.
                  </Empty>
                </div>
              )
            const finding = chosenFinding(options, values.finding)
            return (
              <>
                {options.filling && (
                  <div className="muted" role="status">
                    Earlier inferences are still being counted: the numbers grow for a while.
                  </div>
                )}
                {part !== 'drift' && (
                  <InsightFilters
                    options={options}
                    values={values}
                    change={change}
                    withFinding={part === 'findings' && finding !== null}
                  />
                )}
                {part === 'findings' &&
                  (finding === null ? (
                    <div className="panel">
                      <Empty title="Nothing was measured yet">Results so far have no numbers.</Empty>
                    </div>
                  ) : (
                    <FindingsPart finding={finding} filter={filter} days={days} values={values} change={change} />
                  ))}
                {part === 'volumes' && <VolumesPart filter={filter} days={days} values={values} change={change} />}
                {part === 'agreement' && <AgreementPart filter={filter} />}
                {part === 'drift' && <DriftPart />}
              </>
            )
          }}
        </Answer>
      </div>
    </Page>
  )
}
