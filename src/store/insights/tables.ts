import type { Knex } from 'knex'
import { type AgreementDimension, agreementOf, readOpinions } from './agreement.ts'
import type { Dimension } from './dimensions.ts'
import type { DriftMeasure } from './drift.ts'
import { type KeptEvaluation, latestEvaluations } from './drift-evaluations.ts'
import type { FindingKey, InsightFilter } from './filter.ts'
import { groupValues, groupVolumes } from './groups.ts'
import { readRows } from './rows.ts'
import { withoutSmallCells } from './small-cells.ts'
import { smallestCount, withoutSmallCounts } from './small-counts.ts'
import type { Summary } from './summary.ts'

type Cell = string | number | null
/** A table as it leaves the page: small counts are withheld (null). */
export interface Table {
  columns: string[]
  rows: Cell[][]
}

/** Which table is wanted. What readers said can be grouped by some of the dimensions only. */
export interface InsightTable {
  table: 'groups' | 'histogram' | 'volumes' | 'agreement' | 'performance' | 'drift'
  by: Dimension
  finding: FindingKey | null
}

/** A table as it leaves the page. */
export async function insightTable(
  database: Knex,
  filter: InsightFilter,
  { table, by, finding }: InsightTable,
): Promise<Table> {
  if (table === 'drift') return driftTable(await latestEvaluations(database, filter.pipeline))
  if (table === 'agreement' || table === 'performance') {
    const answer = { by, ...agreementOf(await readOpinions(database, filter), by as AgreementDimension) }
    return table === 'agreement' ? agreementTable(answer) : performanceTable(answer)
  }
  const { rows } = await readRows(database, filter, table === 'volumes' ? null : finding)
  if (table === 'volumes') return volumesTable({ by, ...groupVolumes(rows, by) })
  const grouped = groupValues(rows, by)
  return table === 'groups' ? groupsTable({ by, ...grouped }) : histogramTable(grouped)
}

/** Quantiles near the ends are single patients' values where there are few. */
const fewestForTails = 20
const statistics = ['values', 'mean', 'deviation', 'p5', 'q1', 'median', 'q3', 'p95'] as const

/** Groups with what describes their values; the last row is all of them. Small are groups of few studies. */
export function groupsTable({
  by,
  total,
  groups,
}: { by: string } & Omit<ReturnType<typeof groupValues>, 'edges'>): Table {
  const shown = withoutSmallCounts(groups.map(({ studies }) => studies))
  const row = (label: string, { studies, runs, values }: typeof total, isShown: boolean): Cell[] =>
    isShown
      ? [label, studies, runs, ...statisticsOf(values)]
      : [label, ...Array.from({ length: 2 + statistics.length }, () => null)]
  return {
    columns: [by, 'studies', 'inferences', ...statistics],
    rows: [
      ...groups.map((group, at) => row(group.label, group, shown[at] !== null)),
      row('all', total, !isSmall(total.studies)),
    ],
  }
}

function statisticsOf(values: Summary | null): Cell[] {
  if (values === null) return [0, ...Array.from({ length: statistics.length - 1 }, () => null)]
  if (isSmall(values.n)) return Array.from({ length: statistics.length }, () => null)
  const { n, mean, deviation, p5, q1, median, q3, p95 } = values
  const hasTails = n >= fewestForTails
  return [n, mean, deviation, hasTails ? p5 : null, q1, median, q3, hasTails ? p95 : null]
}

/** Values by bin, a column a group: small cells, and what would give them away, are withheld. */
export function histogramTable({ edges, groups }: ReturnType<typeof groupValues>): Table {
  const bins = edges === null ? [] : edges.slice(0, -1)
  const cells = bins.map((_, bin) => groups.map(({ histogram }) => histogram?.[bin] ?? 0))
  const shown = withoutSmallCells(cells)
  return {
    columns: ['from', 'to', ...groups.map(({ label }) => label), 'all'],
    rows: [
      ...bins.map((from, bin) => [
        from,
        edges?.[bin + 1] ?? null,
        ...(shown.cells[bin] ?? []),
        shown.rowTotals[bin] ?? null,
      ]),
      ['all', null, ...shown.columnTotals, shown.total],
    ],
  }
}

/** What became of inferences, a row a group. */
export function volumesTable({ by, groups }: { by: string } & ReturnType<typeof groupVolumes>): Table {
  const shown = withoutSmallCells(groups.map(({ done, refused, failed }) => [done, refused, failed]))
  return {
    columns: [by, 'done', 'refused', 'failed', 'inferences'],
    rows: [
      ...groups.map(({ label }, at) => [label, ...(shown.cells[at] ?? []), shown.rowTotals[at] ?? null]),
      ['all', ...shown.columnTotals, shown.total],
    ],
  }
}

type AgreementAnswer = ReturnType<typeof agreementOf>

/** What was said of results, a row a group. */
export function agreementTable({ by, groups }: { by: string } & AgreementAnswer): Table {
  const verdicts = ['accepted', 'rejected', 'corrected', 'missed', 'comments'] as const
  const shown = withoutSmallCells(groups.map((group) => verdicts.map((verdict) => group[verdict])))
  return {
    columns: [by, ...verdicts, 'all', 'agreement', 'low', 'high'],
    rows: [
      ...groups.map(({ label, agreement }, at) => {
        const cells = shown.cells[at] ?? []
        const isWhole = agreement !== null && cells.every((cell) => cell !== null)
        const rate = isWhole ? [agreement.rate, agreement.low, agreement.high] : [null, null, null]
        return [label, ...cells, shown.rowTotals[at] ?? null, ...rate]
      }),
      ['all', ...shown.columnTotals, shown.total, null, null, null],
    ],
  }
}

/** Right and wrong statements, a row a group and finding. */
export function performanceTable({ by, performance }: { by: string } & AgreementAnswer): Table {
  const kinds = ['truePositive', 'falsePositive', 'trueNegative', 'falseNegative', 'unknown'] as const
  const shown = withoutSmallCells(performance.map((one) => kinds.map((kind) => one[kind])))
  return {
    columns: [by, 'finding', 'site', ...kinds, 'precision', 'recall', 'specificity', 'f1'],
    rows: performance.map((one, at) => {
      const cells = shown.cells[at] ?? []
      // A rate gives its counts away.
      const isWhole = cells.every((cell) => cell !== null)
      const rates = isWhole ? [one.precision?.rate, one.recall?.rate, one.specificity?.rate, one.f1] : []
      return [one.label, one.finding, one.site, ...cells, ...Array.from({ length: 4 }, (_, n) => rates[n] ?? null)]
    }),
  }
}

/** The newest evaluations of drift, a row a bin. Neither index nor test is given where their bins are withheld. */
export function driftTable(evaluations: readonly KeptEvaluation[]): Table {
  const rowsOf = ({ at, pipeline, version }: KeptEvaluation, measure: DriftMeasure): Cell[][] => {
    const before = withoutSmallCounts(measure.bins.map(({ reference }) => reference))
    const after = withoutSmallCounts(measure.bins.map(({ window }) => window))
    const { label, side, verdict, stability, statistic, probability } = measure
    const isWhole = ![...before, ...after].includes(null)
    const numbers = isWhole ? [stability, statistic, probability] : [null, null, null]
    return measure.bins.map((bin, n) => [
      at,
      pipeline,
      version,
      side,
      label,
      verdict,
      ...numbers,
      measure.kind === 'category' && (before[n] === null || after[n] === null) ? null : bin.label,
      before[n] ?? null,
      after[n] ?? null,
    ])
  }
  return {
    columns: [
      'at',
      'pipeline',
      'version',
      'side',
      'of',
      'verdict',
      'stability',
      'statistic',
      'probability',
      'bin',
      'reference',
      'window',
    ],
    rows: evaluations.flatMap((evaluation) => evaluation.measures.flatMap((measure) => rowsOf(evaluation, measure))),
  }
}

function isSmall(count: number): boolean {
  return count > 0 && count < smallestCount
}

/** CSV (RFC 4180, UTF-8) with a heading; what is withheld is empty. */
export function csvOf({ columns, rows }: Table): string {
  return [columns, ...rows].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('')
}

function csvCell(cell: Cell): string {
  if (cell === null) return ''
  // A spreadsheet would take such a text for a formula and calculate it.
  const text = typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
