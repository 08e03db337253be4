import { type CampaignReport, mebibytes } from './campaign.ts'
import type { Measures } from './process-watch.ts'

/** The report as text. */
export function printReport(report: CampaignReport): string {
  const { before, after, reasons, faults } = report
  const counts = (of: Record<string, number>): string[] =>
    Object.entries(of)
      .sort((a, b) => b[1] - a[1])
      .map(([name, number]) => `  ${String(number).padStart(8)}  ${name}`)
  const held = ({ rss, heap, external, descriptors, threads }: Measures): string =>
    `${mebibytes(rss)} MiB resident, ${mebibytes(heap)} heap, ${mebibytes(external)} external; ${descriptors} descriptors, ${threads} threads`
  return [
    `${report.cases} cases, seed ${report.seed}, ${report.seconds.toFixed(1)} s`,
    'cases by kind:',
    ...counts(report.byKind),
    'answers:',
    ...counts(report.answers),
    'why the node aborted or rejected:',
    ...counts(reasons).slice(0, 20),
    `instances: ${report.acknowledged} acknowledged, ${report.received} kept, ${report.quarantined} in quarantine`,
    `after the warm-up: ${held(before)}`,
    `at the end:        ${held(after)}`,
    `resident memory: ${(((after.rss - before.rss) / before.rss) * 100).toFixed(1)} % more, at most ${mebibytes(report.peakRss)} MiB in between`,
    `${report.cpuSeconds.toFixed(1)} s of CPU; longest event-loop stall: ${report.longestStallMs.toFixed(0)} ms; ends of the process: ${report.crashes}; files left: ${report.filesLeft.length}`,
    faults.length === 0 ? 'nothing was wrong' : `WRONG (${faults.length}):`,
    ...faults.map((fault) => `  ${fault}`),
  ].join('\n')
}
