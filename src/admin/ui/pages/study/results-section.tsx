import { Button } from '@mantine/core'
import { IconEye, IconReportMedical } from '@tabler/icons-react'
import { addressOf } from '../../api/call.ts'
import type { Delivery, Result, Timeline } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { Copyable } from '../../parts/copyable.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Picture } from '../../parts/picture.tsx'
import { Sentence } from '../../parts/sentence.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { destinationName, pipelineName, plural } from '../../words.ts'
import { Job } from './jobs-section.tsx'
import { currentResults, resultName, viewerLink } from './names.ts'
import { FeedbackActs, Said, useFeedback, Verification } from './result-feedback.tsx'
import { Folded, Section } from './section.tsx'

/** What the pipelines made, over the image that it speaks of. */
export function ResultsSection({ timeline }: { timeline: Timeline }) {
  const current = currentResults(timeline)
  const old = timeline.results.filter((one) => !one.shadow && !current.includes(one))
  const shadows = timeline.results.filter(({ shadow }) => shadow)
  return (
    <Section id="results" title="Results" note={current.length > 0 && plural(current.length, 'object')}>
      {current.length === 0 && <p className="study-quiet">No result is there.</p>}
      <Cards timeline={timeline} results={current} />
      {old.length > 0 && (
        <Folded title={`Superseded by a later revision (${old.length})`}>
          <Cards timeline={timeline} results={old} />
        </Folded>
      )}
      {shadows.length > 0 && (
        <Folded title={`In the shadow, not delivered (${shadows.length})`}>
          <Cards timeline={timeline} results={shadows} />
        </Folded>
      )}
    </Section>
  )
}

function Cards({ timeline, results }: { timeline: Timeline; results: Result[] }) {
  const may = useMay()
  const saidOf = useFeedback(timeline)
  return (
    <ul className="study-results">
      {results.map((result) => (
        <li key={result.sopInstanceUID} className="study-result">
          <Picture
            src={addressOf('GET /results/{sopInstanceUID}/thumbnail', {
              path: { sopInstanceUID: result.sopInstanceUID },
              query: { size: 256 },
            })}
            alt={`${resultName(result)} over its image`}
            width={128}
            height={128}
            fallback={IconReportMedical}
          />
          <div className="study-grow">
            <b>{resultName(result)}</b>
            <span className="sub">
              {result.modality} by {pipelineName(result.pipeline)}
              {result.revision !== timeline.revision && `, revision ${result.revision}`}
            </span>
            <Verification given={saidOf(result)} />
            <div className="study-result-acts">
              <Button
                component="a"
                size="xs"
                variant="default"
                href={viewerLink(timeline.studyInstanceUID, result.seriesInstanceUID)}
                leftSection={<IconEye size={14} aria-hidden />}
              >
                View in OHIF
              </Button>
              {may('POST /results/{sopInstanceUID}/feedback') && (
                <FeedbackActs timeline={timeline} result={result} given={saidOf(result)} />
              )}
              <Copyable value={result.sopInstanceUID} label="SOP Instance UID" name="" />
            </div>
            <Said given={saidOf(result)} />
          </div>
        </li>
      ))}
    </ul>
  )
}

/** Where the results went, with the proof that they are there. */
export function DeliveriesSection({ timeline }: { timeline: Timeline }) {
  const current = currentResults(timeline)
  const destinations = [
    ...new Set(current.flatMap(({ deliveries }) => deliveries.map(({ destination }) => destination))),
  ]
  const troubled = timeline.jobs.filter(
    ({ kind, state, error }) => kind === 'deliver' && (state === 'failed' || (error !== null && state !== 'done')),
  )
  return (
    <Section
      id="deliveries"
      title="Deliveries"
      note={destinations.length > 0 && plural(destinations.length, 'destination')}
    >
      {destinations.length === 0 && troubled.length === 0 && <p className="study-quiet">Nothing was delivered.</p>}
      {destinations.map((destination) => (
        <div key={destination} className="study-destination">
          <h3>{destinationName(destination)}</h3>
          <ul className="study-list">
            {current.flatMap((result) =>
              result.deliveries
                .filter((delivery) => delivery.destination === destination)
                .map((delivery) => <DeliveryOf key={result.sopInstanceUID} result={result} delivery={delivery} />),
            )}
          </ul>
        </div>
      ))}
      {troubled.length > 0 && (
        <ul className="study-list">
          {troubled.map((job) => (
            <Job key={job.id} job={job} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function DeliveryOf({ result, delivery: { state, proof, error, at } }: { result: Result; delivery: Delivery }) {
  const told = state === 'verified' ? proof : (error ?? proof)
  return (
    <li className="study-delivery">
      <div className="study-head">
        <span>
          {resultName(result)} <span className="muted">{result.modality}</span>
        </span>
        <StateBadge state={state} />
        <span className="muted">
          <TimeAgo at={at} />
        </span>
      </div>
      {told && (
        <p className={state === 'failed' ? 'study-line study-toned tone-bad' : 'study-line muted'}>
          <Sentence text={told} />
        </p>
      )}
    </li>
  )
}
