import { Skeleton } from '@mantine/core'
import type { AnswerOf } from '../../api/call.ts'
import { number, plural } from '../../words.ts'

type Activity = AnswerOf<'GET /routes/activity'>['routes'][number]

/** How many studies a route matched in the last days, a bar a day. */
export function MatchedDays({ of, isAsked }: { of: Activity | undefined; isAsked: boolean }) {
  if (isAsked) return <Skeleton className="matched" height={36} width={150} />
  if (!of) return <span className="matched muted">Not asked yet</span>
  const most = Math.max(1, ...of.days.map(({ matched }) => matched))
  const words = `matched ${number(of.matched)} of ${plural(of.asked, 'study', 'studies')}`
  return (
    <div className="matched" title={`In the last ${plural(of.days.length, 'day')}: ${words}`}>
      <div className="matched-bars" aria-hidden>
        {of.days.map(({ date, matched }) => (
          <span
            key={date}
            className={matched === 0 ? 'matched-none' : undefined}
            style={{ height: `${Math.max(8, (100 * matched) / most)}%` }}
          />
        ))}
      </div>
      <div className="matched-words">
        {number(of.matched)} of {plural(of.asked, 'study', 'studies')}
        <span className="sr-only"> in the last {plural(of.days.length, 'day')}</span>
      </div>
    </div>
  )
}
