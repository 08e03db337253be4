import { Progress } from '@mantine/core'
import { IconFolderOff, IconSearch } from '@tabler/icons-react'
import { addressOf } from '../../api/call.ts'
import type { JobRow, StudyRow } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { type Column, DataTable } from '../../parts/data-table.tsx'
import { Quantity, TimeAgo } from '../../parts/figures.tsx'
import { Page } from '../../parts/page.tsx'
import { Picture } from '../../parts/picture.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { dicomDate, personName, plural } from '../../words.ts'
import { FilterBar } from './filter-bar.tsx'
import { pageSize, queryOf, useFilters } from './use-filters.ts'
import './studies.css'

/** Every study: to be found by anything that is known of it. */
export function StudiesPage() {
  const bar = useFilters()
  const { filters, change } = bar
  const query = queryOf(filters)
  const studies = useApi('GET /studies', { query }, { keepPrevious: true })
  const isFiltered = Object.keys(filters).some((name) => name !== 'sort' && name !== 'page')
  const progress = useProgress(studies.data?.studies.some(({ state }) => state === 'processing') ?? false)
  const total = studies.data
  return (
    <Page
      title="Studies"
      lead={total ? `${total.totalIsExact ? '' : 'more than '}${plural(total.total, 'study', 'studies')}` : ' '}
    >
      <FilterBar {...bar} />
      <DataTable
        label="Studies"
        columns={columnsWith(progress)}
        rows={studies.data?.studies}
        keyOf={({ studyInstanceUID }) => studyInstanceUID}
        hrefOf={({ studyInstanceUID }) => `/studies/${studyInstanceUID}`}
        error={studies.error}
        onRetry={() => void studies.refetch()}
        stale={studies.isPlaceholderData}
        expected={{ rows: 10, height: 46 }}
        empty={
          isFiltered
            ? { icon: IconSearch, title: 'No study matches', text: 'Try part of a name, or fewer filters.' }
            : {
                icon: IconFolderOff,
                title: 'No study has arrived yet',
                text: 'Send one by C-STORE or STOW-RS: it appears here while it arrives.',
              }
        }
        paging={
          total && {
            total: total.total,
            totalIsExact: total.totalIsExact,
            limit: pageSize,
            offset: query.offset ?? 0,
            onOffset: (offset) => change({ page: offset === 0 ? null : String(offset / pageSize) }),
          }
        }
      />
    </Page>
  )
}

/** How far the running job of each study is. */
function useProgress(isAsked: boolean): ReadonlyMap<string, JobRow> {
  const { data } = useApi('GET /jobs', { query: { state: 'running', limit: 100 } }, { enabled: isAsked, every: 3000 })
  return new Map(isAsked ? data?.jobs.map((job) => [job.studyInstanceUID, job]) : [])
}

function columnsWith(progress: ReadonlyMap<string, JobRow>): Column<StudyRow>[] {
  return [
    {
      key: 'patient',
      label: 'Patient',
      bare: true,
      width: '26%',
      render: (study) => (
        <span className="studies-patient">
          <Picture
            src={addressOf('GET /studies/{studyInstanceUID}/thumbnail', {
              path: { studyInstanceUID: study.studyInstanceUID },
              query: { size: 96 },
            })}
            alt=""
            width={48}
            height={48}
          />
          <span>
            <b>{personName(study.patientName)}</b>
            <small>{study.patientID ?? 'No patient ID'}</small>
          </span>
        </span>
      ),
    },
    {
      key: 'state',
      label: 'State',
      width: '120px',
      render: (study) => <State study={study} job={progress.get(study.studyInstanceUID)} />,
    },
    {
      key: 'study',
      label: 'Study',
      width: '26%',
      render: (study) => (
        <span>
          {study.studyDescription || <span className="muted">No description</span>}
          <small>{factsOf(study)}</small>
        </span>
      ),
    },
    { key: 'found', label: 'AI found', render: (study) => <Found study={study} /> },
    {
      key: 'changed',
      label: 'Changed',
      width: '116px',
      render: ({ updatedAt }) => (
        <span className="muted">
          <TimeAgo at={updatedAt} />
        </span>
      ),
    },
  ]
}

function State({ study, job }: { study: StudyRow; job: JobRow | undefined }) {
  const progress = job?.progress
  return (
    <span>
      <StateBadge state={study.state} />
      {progress && (
        <span className="studies-progress">
          <Progress value={progress.fraction * 100} size={4} aria-label={progress.stage} />
          <small>{progress.stage}</small>
        </span>
      )}
    </span>
  )
}

function factsOf({ studyDate, modalities, accessionNumber, instances, revision }: StudyRow): string {
  const count = `${plural(instances, 'instance')}${revision > 1 ? `, revision ${revision}` : ''}`
  const accession = accessionNumber && `accession ${accessionNumber}`
  return [dicomDate(studyDate) || 'no date', modalities.join(', '), count, accession].filter(Boolean).join(' · ')
}

/** The first two findings that speak of the whole; else why there are none. */
function Found({ study: { findings, state, remark } }: { study: StudyRow }) {
  const shown = [
    ...findings.filter(({ site }) => site === null),
    ...findings.filter(({ site }) => site !== null),
  ].slice(0, 2)
  if (shown.length === 0)
    return (
      <span className="muted studies-remark" title={remark ?? undefined}>
        {state === 'done' || state === 'failed' ? (remark ?? 'No findings') : '–'}
      </span>
    )
  return (
    <span>
      {shown.map((one) => (
        <span key={`${one.name} ${one.site}`} className="studies-found">
          {one.name}{' '}
          <b>
            <Quantity value={one.value} unit={one.unit} />
          </b>
        </span>
      ))}
    </span>
  )
}
