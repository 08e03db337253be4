import { Link } from 'wouter'
import type { Finding, Timeline } from '../../api/schema.ts'
import { Quantity } from '../../parts/figures.tsx'
import { pipelineName } from '../../words.ts'
import { currentResults } from './names.ts'
import { useFeedback, Verification } from './result-feedback.tsx'

/** Sites that a pair of bars can be drawn for (SNOMED CT). */
const sides: Readonly<Record<string, 'Left' | 'Right'>> = { 'SCT:44029006': 'Left', 'SCT:3341006': 'Right' }

interface Measurement {
  key: string
  name: string
  unit: string
  whole: Finding[]
  Left: Finding | null
  Right: Finding | null
}

/** What the pipelines measured, as it holds for the newest revision. */
export function FindingsPanel({ timeline }: { timeline: Timeline }) {
  const { findings, state } = timeline
  const saidOf = useFeedback(timeline)
  // Values are verified with the report that holds them.
  const saidOfReports = (pipeline: string) =>
    currentResults(timeline)
      .filter((result) => result.pipeline === pipeline && result.modality === 'SR')
      .flatMap(saidOf)
  const now = findings.filter(({ current }) => current)
  const pipelines = [...new Set(now.map(({ pipeline }) => pipeline))]
  if (pipelines.length === 0)
    return (
      <section className="panel study-section" aria-label="Findings">
        <div className="section-head">
          <h2>Findings</h2>
        </div>
        <p className="study-quiet">
          {state === 'done' || state === 'failed'
            ? 'No pipeline gave a value for this study; its routes and pipelines say why.'
            : 'Values appear here when a pipeline has run.'}
        </p>
      </section>
    )
  return pipelines.map((pipeline) => (
    <section key={pipeline} className="panel study-section" aria-label={`Findings of ${pipelineName(pipeline)}`}>
      <div className="section-head">
        <h2>Findings</h2>
        <Verification given={saidOfReports(pipeline)} />
      </div>
      <p className="study-line muted">{pipelineName(pipeline)}</p>
      {measurementsOf(now.filter((finding) => finding.pipeline === pipeline)).map((one) => (
        <MeasurementOf key={one.key} measurement={one} />
      ))}
      <p className="study-line">
        <Link href={`/insights/patient/${timeline.studyInstanceUID}`}>Change over the patient’s studies</Link>
      </p>
    </section>
  ))
}

function sideOf({ site, name }: Finding): 'Left' | 'Right' | null {
  const known = site === null ? undefined : sides[site]
  if (known) return known
  if (/\bleft\b/i.test(name)) return 'Left'
  return /\bright\b/i.test(name) ? 'Right' : null
}

/** Each concept once: its value for the whole, and for each side where there are two. */
function measurementsOf(findings: readonly Finding[]): Measurement[] {
  const found = new Map<string, Measurement>()
  for (const finding of findings) {
    const key = `${finding.code} ${finding.unit}`
    const one = found.get(key) ?? { key, name: finding.name, unit: finding.unit, whole: [], Left: null, Right: null }
    found.set(key, one)
    const side = sideOf(finding)
    if (side && one[side] === null) one[side] = finding
    else {
      one.whole.push(finding)
      one.name = finding.name
    }
  }
  return [...found.values()]
}

function MeasurementOf({ measurement }: { measurement: Measurement }) {
  const { name, unit, whole } = measurement
  const [first, ...others] = whole
  const sided = (['Right', 'Left'] as const).flatMap((side) => {
    const finding = measurement[side]
    return finding ? [{ side, finding }] : []
  })
  const largest = Math.max(0, ...sided.map(({ finding }) => finding.value))
  // A bar says how much: of a density in HU, which has no meaningful zero, it would say nothing.
  const isDrawn = !/hnsf/i.test(unit) && largest > 0 && sided.every(({ finding }) => finding.value >= 0)
  return (
    <dl className="finding">
      <div className="finding-line finding-whole">
        <dt>{name}</dt>
        <dd>{first && <Quantity value={first.value} unit={unit} />}</dd>
      </div>
      {others.map((finding) => (
        <div key={`${finding.name} ${finding.site} ${finding.value}`} className="finding-line">
          <dt>{finding.name}</dt>
          <dd>
            <Quantity value={finding.value} unit={unit} />
          </dd>
        </div>
      ))}
      {sided.map(({ side, finding }) => (
        <div key={side} className="finding-line">
          <dt>{side}</dt>
          <dd>
            {isDrawn && (
              <span className="finding-bar" aria-hidden>
                <span style={{ width: `${Math.round((finding.value / largest) * 100)}%` }} />
              </span>
            )}
            <Quantity value={finding.value} unit={unit} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
