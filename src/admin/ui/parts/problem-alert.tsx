import { Button } from '@mantine/core'
import { IconAlertTriangle, IconInbox, IconRefresh, type TablerIcon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Problem, sentenceOf } from '../api/problem.ts'
import './problem-alert.css'

/** What went wrong, in the node's own words, with what may be tried. */
export function ProblemAlert({ error, onRetry, title }: { error: unknown; onRetry?: () => void; title?: string }) {
  const noAnswer = error instanceof Problem && error.status === 0
  return (
    <div className="problem tone-bad" role="alert">
      <IconAlertTriangle size={20} aria-hidden className="problem-sign" />
      <div className="problem-words">
        <strong>{title ?? (noAnswer ? 'No answer' : 'That did not work')}</strong>
        <div>{sentenceOf(error)}</div>
      </div>
      {onRetry && (
        <Button size="xs" variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** Nothing is there: what would be here, and what brings it. */
export function Empty({
  icon: Icon = IconInbox,
  title,
  children,
  action,
}: {
  icon?: TablerIcon
  title: string
  children?: ReactNode
  action?: ReactNode
}) {
  return (
    <div className="empty">
      <Icon size={30} stroke={1.4} aria-hidden className="empty-sign" />
      <strong>{title}</strong>
      {children && <div className="muted">{children}</div>}
      {action}
    </div>
  )
}
