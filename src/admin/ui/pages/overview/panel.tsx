import type { ReactNode } from 'react'

/** A part of the overview with its heading. */
export function Panel({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  return (
    <section className="panel overview-panel" aria-label={title}>
      <div className="section-head">
        <h2>{title}</h2>
        {note !== undefined && <span className="muted">{note}</span>}
      </div>
      {children}
    </section>
  )
}

/** Why a part of the overview has nothing to show. */
export function Quiet({ children }: { children: ReactNode }) {
  return <p className="overview-quiet">{children}</p>
}
