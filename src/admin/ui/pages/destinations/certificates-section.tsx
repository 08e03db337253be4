import { IconCertificate } from '@tabler/icons-react'
import type { Certificate, WatchedCertificate } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Copyable } from '../../parts/copyable.tsx'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { exactly, plural } from '../../words.ts'

/** The certificates that the node shows and has been shown, with how long they last. */
export function CertificatesSection() {
  const query = useApi('GET /certificates')
  return (
    <section aria-labelledby="certificates">
      <div className="section-head">
        <h2 id="certificates">Certificates</h2>
      </div>
      <DataTable
        label="Certificates"
        columns={columns}
        rows={query.data?.certificates}
        keyOf={({ where, kind }) => `${kind} ${where}`}
        error={query.error}
        onRetry={() => void query.refetch()}
        expected={{ rows: 2, height: 40 }}
        empty={{
          icon: IconCertificate,
          title: 'No certificate is in use',
          text: 'Those of TLS listeners are listed here, and those of destinations once they are tested.',
        }}
      />
    </section>
  )
}

const kinds = { listener: 'the node shows it', client: 'the node logs in with it', peer: 'shown by the other side' }

const columns: Column<WatchedCertificate>[] = [
  {
    key: 'where',
    label: 'Where',
    bare: true,
    render: ({ where, kind, seenAt }) => (
      <span>
        <b>{where}</b>
        <small>
          {kinds[kind]}
          {seenAt && (
            <>
              , <TimeAgo at={seenAt} prefix="seen" />
            </>
          )}
        </small>
      </span>
    ),
  },
  {
    key: 'subject',
    label: 'For',
    render: ({ certificate, file }) =>
      certificate ? (
        <span>
          {certificate.names.length > 0 ? certificate.names.join(', ') : certificate.subject}
          <small>
            by {certificate.issuer}
            <Copyable value={certificate.fingerprint} label="SHA-256 fingerprint" name="" />
          </small>
        </span>
      ) : (
        <span className="muted">{file ?? 'not known'}</span>
      ),
  },
  {
    key: 'until',
    label: 'Expires',
    width: '30%',
    render: ({ certificate, problem }) => (
      <span>
        {certificate ? <Left certificate={certificate} /> : <StateBadge state="failure" label="Cannot be read" />}
        {problem && <small>{problem}</small>}
      </span>
    ),
  },
]

function Left({ certificate: { daysLeft, validTo } }: { certificate: Certificate }) {
  const words =
    daysLeft < 0 ? `Expired ${plural(Math.floor(-daysLeft), 'day')} ago` : plural(Math.floor(daysLeft), 'day')
  return (
    <span title={exactly(validTo)}>
      <StateBadge state={daysLeft < 0 ? 'failure' : daysLeft < 30 ? 'warning' : 'good'} label={words} />
    </span>
  )
}
