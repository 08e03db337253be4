import type { Knex } from 'knex'
import type { JobKind } from './job.ts'

/** Failures whose sentences differ only in what is of one case. */
export interface FailureGroup {
  /** The sentence, with `…` for what differs. */
  reason: string
  kind: JobKind
  refused: boolean
  cancelled: boolean
  jobs: number
  studies: number
  /** The newest sentence. */
  example: string
  exampleJob: string
  /** When they ended: the first and the last. ISO 8601 UTC. */
  firstAt: string | null
  lastAt: string | null
  /** Names, without digests. */
  pipelines: string[]
  destinations: string[]
}

interface FailedRow {
  id: string
  kind: JobKind
  study_id: number
  refused: number
  cancelled: number
  error: string | null
  pipeline: string | null
  destination: string | null
  finished_at: string | null
}

/**
 * What a sentence says of many cases: numbers, UIDs, digests, addresses, paths and quoted texts become `…`. Sentences are made by the
 * node, or come from other systems: what the latter put in is cut after 300 characters.
 */
export function reasonOf(sentence: string): string {
  return sentence
    .slice(0, 600)
    .replace(/sha256:[0-9a-f]+…?/g, '…')
    .replace(/"[^"]*"|“[^”]*”/g, '…')
    .replace(/https?:\/\/[^\s,;)]*[^\s,;).:]/g, '…')
    .replace(/(?:\/[\w.@+-]+){2,}/g, '…')
    .replace(/\b[0-9a-f]{8,}\b/gi, '…')
    .replace(/(?<![\w.])-?\d+(?:[.,:]\d+)*(?:e[+-]?\d+)?(?![\w])/gi, '…')
    .replace(/…(?:[\s×x,/-]*…)+/g, '…')
    .slice(0, 300)
}

/**
 * Groups failures by kind and reason, the most frequent first.
 * @param most how many are looked at, the newest
 */
export async function failureGroups(
  database: Knex,
  {
    kind,
    most,
    jobs = (rows) => rows,
  }: { kind?: JobKind | undefined; most: number; jobs?: (rows: Knex.QueryBuilder) => void },
): Promise<{ groups: FailureGroup[]; looked: number; complete: boolean }> {
  const failed = database('jobs').where({ state: 'failed' })
  if (kind) failed.where({ kind })
  jobs(failed)
  const rows: FailedRow[] = await failed
    .orderBy([
      { column: 'created_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(most + 1)
    .select('id', 'kind', 'study_id', 'refused', 'cancelled', 'error', 'pipeline', 'destination', 'finished_at')
  const looked = rows.slice(0, most)
  return { groups: grouped(looked), looked: looked.length, complete: rows.length <= most }
}

function grouped(rows: readonly FailedRow[]): FailureGroup[] {
  const groups = new Map<
    string,
    FailureGroup & { of: { studies: Set<number>; pipelines: Set<string>; destinations: Set<string> } }
  >()
  for (const row of rows) {
    const reason = reasonOf(row.error ?? '')
    const key = `${row.kind} ${row.refused} ${row.cancelled} ${reason}`
    const group = groups.get(key) ?? {
      reason,
      kind: row.kind,
      refused: row.refused === 1,
      cancelled: row.cancelled === 1,
      jobs: 0,
      studies: 0,
      example: row.error ?? '',
      exampleJob: row.id,
      firstAt: row.finished_at,
      lastAt: row.finished_at,
      pipelines: [],
      destinations: [],
      of: { studies: new Set(), pipelines: new Set(), destinations: new Set() },
    }
    group.jobs++
    group.of.studies.add(row.study_id)
    if (row.pipeline !== null) group.of.pipelines.add(row.pipeline.split('@')[0] ?? '')
    if (row.destination !== null) group.of.destinations.add(row.destination)
    if (row.finished_at !== null) {
      if (group.firstAt === null || row.finished_at < group.firstAt) group.firstAt = row.finished_at
      if (group.lastAt === null || row.finished_at > group.lastAt) group.lastAt = row.finished_at
    }
    groups.set(key, group)
  }
  return [...groups.values()]
    .map(({ of, ...group }) => ({
      ...group,
      studies: of.studies.size,
      pipelines: [...of.pipelines].sort(),
      destinations: [...of.destinations].sort(),
    }))
    .sort((a, b) => b.jobs - a.jobs || ((b.lastAt ?? '') > (a.lastAt ?? '') ? 1 : -1))
}
