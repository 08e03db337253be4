import type { ReactNode } from 'react'
import type { StageKey } from './stages.ts'

/** One stage in detail; the flow above leads here. */
export function Section({
  id,
  title,
  note,
  actions,
  children,
}: {
  id: StageKey | 'remarks'
  title: string
  note?: ReactNode
  actions?: ReactNode
  children: ReactNode
}) {
  return (
    <section id={id} className="panel study-section" aria-labelledby={`${id}-title`}>
      <div className="section-head">
        <h2 id={`${id}-title`} tabIndex={-1}>
          {title}
        </h2>
        {note && <span className="muted">{note}</span>}
        {actions}
      </div>
      {children}
    </section>
  )
}

/** What is of an earlier revision, or only for comparison: there, but out of the way. */
export function Folded({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details className="study-folded">
      <summary>{title}</summary>
      {children}
    </details>
  )
}
