import { Button, Skeleton } from '@mantine/core'
import { IconEye, IconTrash } from '@tabler/icons-react'
import { addressOf } from '../../api/call.ts'
import { isMissing } from '../../api/problem.ts'
import type { Timeline } from '../../api/schema.ts'
import { useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { Copyable } from '../../parts/copyable.tsx'
import { TimeAgo, useNow } from '../../parts/figures.tsx'
import { Page } from '../../parts/page.tsx'
import { Picture } from '../../parts/picture.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { dicomDate, personName, plural } from '../../words.ts'
import { ActsMenu } from './acts-menu.tsx'
import { TimeChart } from './chart.tsx'
import { FindingsPanel } from './findings-panel.tsx'
import { Flow } from './flow.tsx'
import { JobsSection } from './jobs-section.tsx'
import { currentResults, viewerLink } from './names.ts'
import { CompleteSection, ReceivedSection } from './received-section.tsx'
import { DeliveriesSection, ResultsSection } from './results-section.tsx'
import { RoutesSection } from './routes-section.tsx'
import { Section } from './section.tsx'
import './study.css'

const back = { href: '/studies', label: 'Studies' }

/** What happened to a study, and why. */
export function StudyPage({ studyInstanceUID = '' }: { studyInstanceUID?: string }) {
  const query = useApi('GET /studies/{studyInstanceUID}', { path: { studyInstanceUID } })
  const timeline = query.data
  if (timeline) return <Study timeline={timeline} />
  const isDeleted = query.error?.status === 410
  return (
    <Page title="Study" back={back}>
      {isDeleted || isMissing(query.error) ? (
        <div className="panel">
          <Empty icon={IconTrash} title={isDeleted ? 'This study was deleted' : 'No such study is here'}>
            {query.error?.message}
          </Empty>
        </div>
      ) : (
        <Answer query={query} skeleton={<StudySkeleton />}>
          {() => null}
        </Answer>
      )}
    </Page>
  )
}

function Study({ timeline }: { timeline: Timeline }) {
  const now = useNow()
  const name = personName(timeline.patient.patientName)
  const results = currentResults(timeline)
  const overlay = results.find(({ modality }) => modality === 'SEG') ?? results[0]
  return (
    <Page
      title={name}
      mark={<StateBadge state={timeline.state} />}
      lead={<Facts timeline={timeline} />}
      back={back}
      actions={
        <>
          <ActsMenu timeline={timeline} />
          <Button
            component="a"
            href={viewerLink(timeline.studyInstanceUID, overlay?.seriesInstanceUID)}
            leftSection={<IconEye size={16} aria-hidden />}
          >
            View in OHIF
          </Button>
        </>
      }
    >
      <section className="panel study-picture" aria-label="Timeline">
        <Flow timeline={timeline} />
        <TimeChart timeline={timeline} now={now} />
      </section>
      <div className="study-columns">
        <div className="study-main">
          <RoutesSection timeline={timeline} />
          <JobsSection timeline={timeline} />
          <ResultsSection timeline={timeline} />
          <DeliveriesSection timeline={timeline} />
          <Remarks timeline={timeline} />
        </div>
        <aside className="study-aside" aria-label="Findings and arrivals">
          <FindingsPanel timeline={timeline} />
          <ReceivedSection timeline={timeline} />
          <CompleteSection timeline={timeline} />
        </aside>
      </div>
    </Page>
  )
}

const sexes: Readonly<Record<string, string>> = { M: 'male', F: 'female', O: 'other' }

function Facts({ timeline }: { timeline: Timeline }) {
  const { patient, studyInstanceUID, studyDescription, studyDate, accessionNumber, instances, arrivals } = timeline
  const modalities = [...new Set(arrivals.map(({ modality }) => modality).filter((one) => one !== null))]
  const born = dicomDate(patient.patientBirthDate)
  const person = [
    patient.patientID && `ID ${patient.patientID}`,
    born && `born ${born}`,
    sexes[patient.patientSex ?? ''],
    patient.patientNameIdeographic,
    patient.patientNamePhonetic,
  ]
  const study = [
    studyDescription || 'No description',
    dicomDate(studyDate),
    modalities.join(', '),
    plural(instances, 'instance'),
    accessionNumber && `accession ${accessionNumber}`,
  ]
  return (
    <div className="study-facts">
      <Picture
        src={addressOf('GET /studies/{studyInstanceUID}/thumbnail', {
          path: { studyInstanceUID },
          query: { size: 160 },
        })}
        alt=""
        width={72}
        height={72}
      />
      <div>
        <div>{study.filter(Boolean).join(' · ')}</div>
        <div>{person.filter(Boolean).join(' · ')}</div>
        <div className="study-ids">
          <Copyable value={studyInstanceUID} label="Study Instance UID" name="Study Instance UID" />
        </div>
      </div>
    </div>
  )
}

function Remarks({ timeline: { events } }: { timeline: Timeline }) {
  if (events.length === 0) return null
  return (
    <Section id="remarks" title="Remarks" note={plural(events.length, 'remark')}>
      <ul className="study-list">
        {events.map(({ at, kind, sentence }) => (
          <li key={`${at} ${kind} ${sentence}`} className="study-line">
            {sentence}{' '}
            <span className="muted">
              <TimeAgo at={at} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function StudySkeleton() {
  return (
    <>
      <Skeleton height={330} radius="lg" mb={16} />
      <div className="study-columns">
        <Skeleton height={420} radius="lg" />
        <Skeleton height={420} radius="lg" />
      </div>
    </>
  )
}
