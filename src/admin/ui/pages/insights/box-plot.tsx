import { Fragment } from 'react'
import type { InsightGroups } from '../../api/schema.ts'
import { plural } from '../../words.ts'
import { valueOf } from './insight-words.ts'

const width = 600

/** Groups below each other on one scale: percentiles, the middle half and the median of each. */
export function BoxPlot({ groups, unit }: { groups: InsightGroups['groups']; unit: string }) {
  const shown = groups.filter(({ values }) => values !== null)
  const low = Math.min(...shown.map(({ values }) => values?.p5 ?? 0))
  const high = Math.max(...shown.map(({ values }) => values?.p95 ?? 0))
  const span = high > low ? high - low : 1
  const x = (value: number) => 6 + ((value - low) / span) * (width - 12)
  if (shown.length === 0) return <p className="muted">No group has a value.</p>
  return (
    <div className="insights-boxes">
      {shown.map(({ key, label, values }) => {
        if (values === null) return null
        return (
          <Fragment key={key}>
            <span>{label}</span>
            <svg viewBox={`0 0 ${width} 24`} preserveAspectRatio="none" aria-hidden>
              <line className="insights-box-line" x1={x(values.p5)} x2={x(values.p95)} y1={12} y2={12} />
              <rect
                className="insights-box"
                x={x(values.q1)}
                width={Math.max(2, x(values.q3) - x(values.q1))}
                y={5}
                height={14}
                rx={2}
              />
              <line className="insights-box-middle" x1={x(values.median)} x2={x(values.median)} y1={3} y2={21} />
            </svg>
            <span className="value">
              {valueOf(values.median, unit)}
              <span className="sub">{plural(values.n, 'value')}</span>
            </span>
          </Fragment>
        )
      })}
    </div>
  )
}
