import type { Timeline } from '../store/timeline.ts'

/** A timeline as text for people: one heading a step of the flow, one line an event. */
export function timelineText(timeline: Timeline): string {
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 || what.endsWith('s') ? '' : 's'}`
  const lines = [
    `study ${timeline.studyInstanceUID}`,
    `  ${timeline.state}, revision ${timeline.revision}, ${count(timeline.instances, 'instance')}`,
  ]
  section(lines, 'arrivals', timeline.arrivals, (a) => [
    `${a.at}  ${a.instances} of series ${a.seriesInstanceUID} from ${a.from}${also(a.identical, 'identical')}${also(a.replaced, 'replaced')}`,
  ])
  section(lines, 'complete', timeline.completion ? [timeline.completion] : [], (c) => [`${c.at}  ${c.reason}`])
  section(lines, 'routes', timeline.decisions, (d) => [
    `${d.matched ? 'matched' : 'no match'}  ${d.route} (revision ${d.revision}): ${d.reason}`,
    `          ${d.expression}`,
    ...Object.entries(d.because).map(([path, value]) => `            ${path} = ${JSON.stringify(value)}`),
  ])
  section(lines, 'jobs', timeline.jobs, (job) => [
    `${job.state}  ${job.kind} ${job.pipeline ?? job.destination ?? ''}${job.error === null ? '' : `: ${job.error}`}`,
    ...job.attempts.map(
      (a) =>
        `          ${a.at}  ${a.ms ?? '?'} ms${a.provider === null ? '' : ` on ${a.provider}`}${a.error === null ? '' : `: ${a.error}`}`,
    ),
  ])
  section(lines, 'results', timeline.results, (r) => [
    `${r.modality}  ${r.sopInstanceUID}${r.supersedes === null ? '' : ` (supersedes ${r.supersedes})`}`,
    ...r.deliveries.map(
      (d) =>
        `          ${d.destination}: ${d.state}${d.proof === null ? '' : ` (${d.proof})`}${d.error === null ? '' : `: ${d.error}`}`,
    ),
  ])
  section(lines, 'findings', timeline.findings, (f) => [`${f.name}: ${f.value} ${f.unit}`])
  section(lines, 'events', timeline.events, (e) => [`${e.at}  ${e.sentence}`])
  return lines.join('\n')
}

function section<T>(lines: string[], heading: string, entries: readonly T[], text: (entry: T) => string[]): void {
  if (entries.length === 0) return
  lines.push(heading)
  for (const entry of entries) lines.push(...text(entry).map((line) => `  ${line}`))
}

function also(n: number, what: string): string {
  return n > 0 ? `, ${n} ${what}` : ''
}
