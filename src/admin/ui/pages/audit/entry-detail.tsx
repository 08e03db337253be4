import { Fragment, type ReactNode } from 'react'
import { Link } from 'wouter'
import { addressOf } from '../../api/call.ts'
import type { AuditEntry } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { Copyable } from '../../parts/copyable.tsx'
import { sopClassName } from '../../parts/dicom-names.ts'
import { exactly, number } from '../../words.ts'

/** Everything that an entry says. */
export function EntryDetail({ entry }: { entry: AuditEntry }) {
  const { sequence, at, actor, action, subject, studyInstanceUID, detail, hash } = entry
  const may = useMay()
  const facts: [string, ReactNode][] = [
    ['When', exactly(at)],
    ['Who', actor],
    ['Act', action],
    ['Of what', subject],
    [
      'Study',
      studyInstanceUID && (
        <>
          {may('studies.read') && <Link href={`/studies/${studyInstanceUID}`}>Open the study</Link>}{' '}
          <Copyable value={studyInstanceUID} label="Study Instance UID" name="" />
        </>
      ),
    ],
    ['Patient ID', detail.patientID],
    ['Data went to', [detail.peer, detail.peerAddress].filter(Boolean).join(', ')],
    [
      'Instances',
      detail.instances &&
        Object.entries(detail.instances)
          .map(([uid, count]) => `${number(count)} ${sopClassName(uid) ?? 'of another kind'}`)
          .join(', '),
    ],
    ['Query', detail.query],
    ['Requests', detail.requests],
    ['Until', detail.until && exactly(detail.until)],
    ['Why not', detail.reason],
    [
      'Place in the chain',
      <Fragment key="place">
        no. {number(sequence)}
        <Copyable value={hash} label="hash" name="" />
      </Fragment>,
    ],
    [
      'DICOM audit message',
      <a
        key="message"
        href={addressOf('GET /audit/{sequence}/message', { path: { sequence } })}
        download={`audit-${sequence}.xml`}
      >
        Download (PS3.15 A.5)
      </a>,
    ],
  ]
  return (
    <dl className="audit-facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== null && value !== '')
        .map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
    </dl>
  )
}
