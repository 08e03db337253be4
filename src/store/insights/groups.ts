import { type Dimension, everyPeriod, type GroupName, groupOf, isPeriod } from './dimensions.ts'
import type { InsightRow } from './rows.ts'
import { binCounts, binEdges, type Summary, summaryOf } from './summary.ts'

export interface Counted {
  studies: number
  /** Those that are known by an identifier. */
  patients: number
  runs: number
}

export interface ValueGroup extends GroupName, Counted {
  values: Summary | null
  histogram: number[] | null
}

/** Values by what they are grouped by, and all of them; every histogram has the same bins. */
export function groupValues(rows: readonly InsightRow[], by: Dimension) {
  const edges = binEdges(valuesOf(rows))
  const describe = (of: readonly InsightRow[]) => {
    const values = valuesOf(of)
    return { ...countOf(of), values: summaryOf(values), histogram: edges && binCounts(values, edges) }
  }
  const groups = grouped(rows, by).map(([name, of]): ValueGroup => ({ ...name, ...describe(of) }))
  return { total: describe(rows), edges, groups }
}

export interface Volume extends Counted {
  done: number
  refused: number
  failed: number
}

/** What became of inferences, by what they are grouped by. */
export function groupVolumes(rows: readonly InsightRow[], by: Dimension) {
  const describe = (of: readonly InsightRow[]): Volume => {
    const ended = (outcome: string) => of.filter((row) => row.outcome === outcome).length
    return { ...countOf(of), done: ended('done'), refused: ended('refused'), failed: ended('failed') }
  }
  return { total: describe(rows), groups: grouped(rows, by).map(([name, of]) => ({ ...name, ...describe(of) })) }
}

function valuesOf(rows: readonly InsightRow[]): number[] {
  return rows.flatMap(({ value }) => (value === null ? [] : value))
}

function countOf(rows: readonly InsightRow[]): Counted {
  const [studies, patients, runs] = [new Set<string>(), new Set<string>(), new Set<number>()]
  for (const { studyInstanceUID, patientKey, id } of rows) {
    studies.add(studyInstanceUID)
    if (patientKey !== null) patients.add(patientKey)
    runs.add(id)
  }
  return { studies: studies.size, patients: patients.size, runs: runs.size }
}

/** By key, ascending; among periods the empty ones too, so that a picture has its gaps. */
function grouped(rows: readonly InsightRow[], by: Dimension): [GroupName, InsightRow[]][] {
  const groups = new Map<string, [GroupName, InsightRow[]]>()
  for (const row of rows) {
    const name = groupOf(row, by)
    const group = groups.get(name.key)
    if (group) group[1].push(row)
    else groups.set(name.key, [name, [row]])
  }
  const keys = [...groups.keys()].sort()
  if (!isPeriod(by)) return keys.flatMap((key) => [groups.get(key)].filter((group) => group !== undefined))
  return everyPeriod(keys, by).map((name) => groups.get(name.key) ?? [name, []])
}
