import { Button } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import type { AuditEntry } from '../../api/schema.ts'
import type { Column } from '../../parts/data-table.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { actorName } from '../../words.ts'
import { actionName } from './audit-words.ts'

/** The columns of the audit; one entry at a time is open. */
export function auditColumns({
  open,
  onOpen,
}: {
  open: number | null
  onOpen(id: number | null): void
}): Column<AuditEntry>[] {
  return [
    { key: 'at', label: 'When', width: '170px', render: ({ at }) => <TimeAgo at={at} /> },
    {
      key: 'who',
      label: 'Who',
      width: '20%',
      render: ({ actor, detail }) => (
        <span>
          <b>{actorName(actor)}</b>
          {(detail.aeTitle ?? detail.address) && (
            <small>from {[detail.aeTitle, detail.address].filter(Boolean).join(', ')}</small>
          )}
        </span>
      ),
    },
    { key: 'what', label: 'What', width: '22%', render: ({ action }) => actionName(action) },
    { key: 'of', label: 'Of what', render: subjectOf },
    {
      key: 'outcome',
      label: 'Outcome',
      width: '130px',
      render: ({ outcome }) => <StateBadge state={outcome} plain />,
    },
    {
      key: 'more',
      label: 'Details',
      bare: true,
      width: '110px',
      render: ({ id, sequence }) => {
        const isOpen = open === id
        return (
          <Button
            size="compact-sm"
            variant="subtle"
            aria-expanded={isOpen}
            aria-label={`Details of entry ${sequence}`}
            rightSection={
              isOpen ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />
            }
            onClick={() => onOpen(isOpen ? null : id)}
          >
            Details
          </Button>
        )
      },
    },
  ]
}

/** UIDs are for the details: here is what people call it. */
function subjectOf({ subject, studyInstanceUID, detail }: AuditEntry) {
  const isUid = subject !== null && /^\d+(\.\d+){5,}$/.test(subject)
  const name = isUid ? null : subject
  return (
    <span>
      {name ?? (studyInstanceUID || isUid ? 'a study' : <span className="muted">–</span>)}
      {detail.requests !== undefined && detail.requests > 1 && <small>{detail.requests} requests</small>}
    </span>
  )
}
