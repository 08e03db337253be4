import { Anchor } from '@mantine/core'
import { IconArrowLeft } from '@tabler/icons-react'
import { type ReactNode, useEffect } from 'react'
import { Link } from 'wouter'
import './page-frame.css'

export interface PageProps {
  title: string
  /** Beside the title: a state, a count. */
  mark?: ReactNode
  /** One sentence or some facts below the title. */
  lead?: ReactNode
  /** Buttons, to the right of the title. */
  actions?: ReactNode
  /** Where the page belongs to. */
  back?: { href: string; label: string }
  /** For the browser's tab, where it differs from the title. */
  tabTitle?: string
  children: ReactNode
}

/** The frame of every page: its heading, which gets the focus when somebody comes here, and its content. */
export function Page({ title, mark, lead, actions, back, tabTitle, children }: PageProps) {
  useEffect(() => {
    document.title = `${tabTitle ?? title} · Hilum`
  }, [title, tabTitle])
  return (
    <div className="page">
      {back && (
        <Anchor component={Link} href={back.href} className="page-back" size="sm">
          <IconArrowLeft size={16} aria-hidden /> {back.label}
        </Anchor>
      )}
      <header className="page-head">
        <div className="page-title">
          <h1 tabIndex={-1}>
            <span>{title}</span>
            {mark}
          </h1>
          {lead && <div className="page-lead">{lead}</div>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  )
}
