import type { Timeline } from '../store/timeline.ts'

/** A timeline as text for people: one heading a step of the flow, one line an event. Times are UTC. */
export function timelineText(timeline: Timeline): string {
  const { state, revision, instances, decisions } = timeline
  // With one revision, its number says nothing.
  const isPlain = decisions.every((decision) => decision.revision === revision) && timeline.revisions.length <= 1
  const marked: Marking = (of) => (isPlain ? '' : `revision ${of}  `)
  const lines = [
    `study ${timeline.studyInstanceUID}`,
    `  ${state}, ${revision === 0 ? 'no revision yet' : `revision ${revision}`}, ${count(instances, 'instance')}`,
  ]
  section(lines, 'arrivals', timeline.arrivals, (arrival) => [arrivalLine(arrival)])
  section(lines, 'complete', timeline.revisions, (one) => [
    `${time(one.at)}  ${isPlain ? '' : `revision ${one.revision}, ${count(one.instances, 'instance')}: `}${one.reason}`,
  ])
  section(lines, 'routes', decisions, (decision) => decisionLines(decision, marked))
  section(lines, 'jobs', timeline.jobs, (job) => jobLines(job, marked))
  section(lines, 'results', timeline.results, (result) => resultLines(result, timeline, marked))
  const [now, before] = [timeline.findings.filter(isCurrent), timeline.findings.filter((one) => !isCurrent(one))]
  section(lines, 'findings (AI, unverified)', now, (finding) => [findingLine(finding)])
  section(lines, 'findings of earlier revisions, replaced', before, (finding) => [
    `revision ${finding.revision}  ${findingLine(finding)}`,
  ])
  section(lines, 'measured by shadow routes, no findings', timeline.shadowFindings, (finding) => [
    `${marked(finding.revision)}${shortPipeline(finding.pipeline)}  ${findingLine(finding)}`,
  ])
  section(lines, 'events', timeline.events, (event) => [`${time(event.at)}  ${event.sentence}`])
  return lines.join('\n')
}

type Marking = (revision: number) => string
const indent = ' '.repeat(10)
const isCurrent = ({ current }: Timeline['findings'][number]): boolean => current

function arrivalLine({ at, instances, modality, seriesInstanceUID, from, identical, replaced }: Arrival): string {
  const what = `${modality === null ? '' : `${modality} `}series ${seriesInstanceUID}`
  return `${time(at)}  ${instances} of ${what} from ${from}${also(identical, 'identical')}${also(replaced, 'replaced')}`
}
type Arrival = Timeline['arrivals'][number]

function decisionLines(decision: Timeline['decisions'][number], marked: Marking): string[] {
  const { matched, route, reason, expression, because, revision } = decision
  return [
    `${marked(revision)}${matched ? 'matched' : 'no match'}  ${route}: ${reason}`,
    ...(expression === '' ? [] : [`${indent}${expression}`]),
    ...Object.entries(because).map(([path, value]) => `${indent}  ${path} = ${JSON.stringify(value)}`),
  ]
}

function jobLines(job: Timeline['jobs'][number], marked: Marking): string[] {
  const what = job.kind === 'infer' ? `inference ${shortPipeline(job.pipeline)}` : `delivery to ${job.destination}`
  const next = job.state === 'queued' && job.attempts.length > 0 ? `, tried again at ${time(job.runAfter)}` : ''
  return [
    `${marked(job.revision)}${job.refused ? 'refused' : job.state}  ${job.shadow ? 'shadow: ' : ''}${what}${next}${job.error === null ? '' : `: ${job.error}`}`,
    ...job.attempts.map(
      ({ at, ms, provider, error }) =>
        `${indent}${time(at)}  ${duration(ms)}${provider === null ? '' : ` on ${provider}`}${error === null ? '' : `: ${error}`}`,
    ),
  ]
}

function resultLines(result: Timeline['results'][number], timeline: Timeline, marked: Marking): string[] {
  const { modality, role, sopInstanceUID, supersedes, revision, deliveries } = result
  const successor = timeline.results.find((other) => other.supersedes === sopInstanceUID)
  const remarks = [
    ...(result.shadow ? ['shadow: not delivered'] : []),
    ...(supersedes === null ? [] : [`supersedes ${supersedes}`]),
    ...(successor ? [`superseded by ${successor.sopInstanceUID}`] : []),
    ...(!successor && standsIn(timeline, revision) ? [`stands in revision ${timeline.revision}`] : []),
  ]
  return [
    `${marked(revision)}${modality}  ${role}  ${sopInstanceUID}${remarks.length === 0 ? '' : ` (${remarks.join('; ')})`}`,
    ...deliveries.map(
      ({ destination, state, proof, error }) =>
        `${indent}${destination}: ${state}${proof === null ? '' : ` (${proof})`}${error === null ? '' : `: ${error}`}`,
    ),
  ]
}

/** Whether a route of the newest revision lets the results of an earlier one stand. */
function standsIn({ decisions, revision }: Timeline, earlier: number): boolean {
  return decisions.some((decision) => decision.revision === revision && decision.standsFrom === earlier)
}

function findingLine({ name, value, unit }: Timeline['shadowFindings'][number]): string {
  return `${name}: ${[quantity(value, unit), unitName(unit)].filter(Boolean).join(' ')}`
}

/** As many digits as a measurement is worth; a small one keeps two that say something. */
function quantity(value: number, unit: string): string {
  const size = Math.abs(value)
  if (Number.isInteger(value) || size >= 1e6) return String(Math.round(value))
  if (size < 0.1) return String(Number(value.toPrecision(2)))
  return value.toFixed(unit === 'L' || size < 10 ? 2 : size < 100 ? 1 : 0)
}

/** UCUM as people write it. */
function unitName(ucum: string): string {
  if (ucum === '1' || ucum === '{counts}' || ucum === '{ratio}') return ''
  if (/^\[hnsf.U\]$/.test(ucum)) return 'HU'
  return ucum.replace(/\b([a-z]*m)2\b/g, '$1²').replace(/\b([a-z]*m)3\b/g, '$1³')
}

/** `name@sha256:…` with as much of the digest as tells versions apart. */
function shortPipeline(pipeline: string | null): string {
  return (pipeline ?? '?').replace(/(@sha256:.{12}).+$/, '$1')
}

/** ISO 8601 with seconds. */
function time(at: string): string {
  return at.replace(/\.\d+Z$/, 'Z')
}

function duration(ms: number | null): string {
  if (ms === null) return 'did not end'
  if (ms < 1000) return `${ms} ms`
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}

function also(n: number, what: string): string {
  return n > 0 ? `, ${n} ${what}` : ''
}

function section<T>(lines: string[], heading: string, entries: readonly T[], text: (entry: T) => string[]): void {
  if (entries.length === 0) return
  lines.push(heading)
  for (const entry of entries) lines.push(...text(entry).map((line) => `  ${line}`))
}
