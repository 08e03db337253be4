import { Skeleton } from '@mantine/core'
import type { PipelineStatistics } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { duration, number, plural } from '../../words.ts'

const days = 30

/** Runs, how they ended, how long they took, and what readers said, of the last 30 days: all versions together. */
export function FewFigures({ name }: { name: string }) {
  const { data } = useApi('GET /pipelines/{name}/statistics', { path: { name }, query: { days } })
  if (!data) return <Skeleton height={62} radius="md" />
  const sum = (key: 'runs' | 'done' | 'failed' | 'refused' | 'cancelled') =>
    data.statistics.reduce((total, one) => total + one[key], 0)
  const runs = sum('runs')
  if (runs === 0) return <p className="pipelines-quiet muted">No run in the last {days} days.</p>
  const counts = { done: sum('done'), failed: sum('failed'), refused: sum('refused'), cancelled: sum('cancelled') }
  const median = data.statistics.find((one) => one.duration !== null)?.duration?.median ?? null
  const agreement = agreementOf(data.statistics)
  return (
    <div className="pipelines-figures">
      <OutcomeBar runs={runs} {...counts} />
      <dl>
        <div>
          <dt title={`In the last ${days} days`}>Runs</dt>
          <dd>{number(runs)}</dd>
        </div>
        <div>
          <dt>Failed</dt>
          <dd className={counts.failed > 0 ? 'pipelines-bad' : undefined}>{number(counts.failed)}</dd>
        </div>
        <div>
          <dt>Median time</dt>
          <dd>{median === null ? '–' : duration(median * 1000)}</dd>
        </div>
        <div>
          <dt title="Results that readers accepted, of those they said something of">Agreement</dt>
          <dd title={agreement ? plural(agreement.said, 'answer') : 'Nobody has said anything yet'}>
            {agreement ? `${number(100 * agreement.part)} %` : '–'}
          </dd>
        </div>
      </dl>
    </div>
  )
}

function agreementOf(statistics: readonly PipelineStatistics[]): { part: number; said: number } | null {
  const sum = (key: 'accepted' | 'rejected' | 'corrected') =>
    statistics.reduce((total, { feedback }) => total + feedback[key], 0)
  const said = sum('accepted') + sum('rejected') + sum('corrected')
  return said === 0 ? null : { part: sum('accepted') / said, said }
}

interface Outcomes {
  runs: number
  done: number
  failed: number
  refused: number
  cancelled: number
}

/** How runs ended, as parts of a bar; said in words too. */
export function OutcomeBar({ runs, done, failed, refused, cancelled }: Outcomes) {
  const parts = [
    { key: 'done', count: done, word: 'done' },
    { key: 'refused', count: refused, word: 'refused' },
    { key: 'failed', count: failed, word: 'failed' },
    { key: 'cancelled', count: cancelled, word: 'cancelled' },
  ].filter(({ count }) => count > 0)
  const words = parts.map(({ count, word }) => `${number(count)} ${word}`).join(', ')
  return (
    <div className="outcomes" title={words}>
      <span className="sr-only">
        Of {plural(runs, 'run')}: {words}
      </span>
      {parts.map(({ key, count }) => (
        <span key={key} aria-hidden className={`outcome-${key}`} style={{ flexGrow: count }} />
      ))}
    </div>
  )
}
