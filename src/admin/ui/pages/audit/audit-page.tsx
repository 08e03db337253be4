import { Button, Menu } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useState } from 'react'
import { addressOf } from '../../api/call.ts'
import type { AuditEntry } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { DataTable } from '../../parts/data-table.tsx'
import { Page } from '../../parts/page.tsx'
import { number } from '../../words.ts'
import { auditColumns } from './audit-columns.tsx'
import { AuditFilters, useAuditFilters } from './audit-filters.tsx'
import { ChainState } from './chain-state.tsx'
import { EntryDetail } from './entry-detail.tsx'
import './audit.css'

const limit = 50

/** Who did what: searched, page by page, with the proof that nothing was changed in it. */
export function AuditPage() {
  const filters = useAuditFilters()
  // The last ids of the pages before this one.
  const [before, setBefore] = useState<{ of: string; ids: number[] }>({ of: filters.key, ids: [] })
  const ids = before.of === filters.key ? before.ids : []
  const [open, setOpen] = useState<number | null>(null)
  const query = useApi('GET /audit', { query: { ...filters.query, limit, before: ids.at(-1) } }, { keepPrevious: true })
  const entries = query.data?.entries
  const last = entries?.at(-1)
  const go = (next: number[]) => {
    setBefore({ of: filters.key, ids: next })
    window.scrollTo(0, 0)
  }
  const detail = (entry: AuditEntry) => (open === entry.id ? <EntryDetail entry={entry} /> : null)
  return (
    <Page
      title="Audit"
      lead="Who saw, changed, exported or ran what. Every entry carries the hash of the one before it."
      actions={<Export {...filters.period} />}
    >
      <div className="audit">
        <ChainState />
        <AuditFilters {...filters} />
        <DataTable
          label="Entries of the audit, the newest first"
          columns={auditColumns({ open, onOpen: setOpen })}
          rows={entries}
          keyOf={({ id }) => id}
          error={query.error}
          onRetry={() => void query.refetch()}
          stale={query.isPlaceholderData}
          expected={{ rows: 10, height: 38 }}
          empty={{
            title: filters.isFiltered ? 'No entry matches' : 'Nothing was recorded yet',
            text: filters.isFiltered ? 'Take a filter away.' : undefined,
          }}
          detail={detail}
        />
        {query.data && entries && entries.length > 0 && (
          <div className="audit-older">
            <span className="muted" role="status">
              {query.data.totalIsExact ? '' : 'More than '}
              {number(query.data.total)} in all
            </span>
            {(ids.length > 0 || entries.length >= limit) && (
              <span className="page-actions">
                <Button size="xs" variant="default" disabled={ids.length === 0} onClick={() => go(ids.slice(0, -1))}>
                  Newer
                </Button>
                <Button
                  size="xs"
                  variant="default"
                  disabled={entries.length < limit}
                  onClick={() => last && go([...ids, last.id])}
                >
                  Older
                </Button>
              </span>
            )}
          </div>
        )}
      </div>
    </Page>
  )
}

function Export(period: { from?: string; to?: string }) {
  const link = (query: { from?: string; to?: string }) => addressOf('GET /audit/export', { query })
  const isLimited = period.from !== undefined || period.to !== undefined
  if (!isLimited)
    return (
      <Button
        component="a"
        href={link({})}
        download="audit.jsonl"
        variant="default"
        leftSection={<IconDownload size={16} aria-hidden />}
      >
        Export
      </Button>
    )
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={link(period)} download="audit.jsonl">
          The days chosen
        </Menu.Item>
        <Menu.Item component="a" href={link({})} download="audit.jsonl">
          Everything
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
