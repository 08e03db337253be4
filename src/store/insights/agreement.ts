import type { Knex } from 'knex'
import type { FeedbackVerdict, StatedTruth } from '../feedback.ts'
import { type GroupName, groupOf } from './dimensions.ts'
import { wilsonInterval } from './drift-statistics.ts'
import type { InsightFilter } from './filter.ts'
import { type Statement, statementsOf, type Threshold, thresholdsOf } from './statements.ts'

export type AgreementDimension = 'pipeline' | 'version' | 'scanner' | 'route' | 'day' | 'week' | 'month'

/** Feedback that stands: the last that somebody said of a result, and comments. */
export interface GivenOpinion {
  id: number
  at: string
  verdict: FeedbackVerdict
  /** Of the run; that of the result where the run is not known. */
  run: string
  pipeline: string
  version: string | null
  route: string | null
  scanner: string | null
  truth: StatedTruth[]
  statements: Statement[]
}

interface Row {
  id: number
  at: string
  verdict: FeedbackVerdict
  jobId: string | null
  result: string
  pipeline: string
  version: string | null
  route: string | null
  scanner: string | null
  truth: string | null
  findings: string
}

/** Rows that are looked at: the newest. */
const most = 100_000

/** What was said of results, by what the filter lets through; its times are those of the feedback. */
export async function readOpinions(database: Knex, filter: InsightFilter): Promise<GivenOpinion[]> {
  const rows = database('feedback').leftJoin('insight_runs', 'insight_runs.job_id', 'feedback.job_id')
  if (filter.pipeline !== undefined) {
    const escaped = filter.pipeline.replace(/[\\%_]/g, '\\$&')
    rows.whereRaw("feedback.pipeline like ? escape '\\'", [`${escaped}@%`])
  }
  const equal = {
    'feedback.version': filter.version,
    'feedback.route': filter.route,
    'insight_runs.modality': filter.modality,
    'insight_runs.scanner': filter.scanner,
    'insight_runs.body_part': filter.bodyPart,
    'insight_runs.sex': filter.sex,
  }
  for (const [column, value] of Object.entries(equal)) if (value !== undefined) rows.where(column, value)
  if (filter.from !== undefined) rows.where('feedback.at', '>=', filter.from)
  if (filter.to !== undefined) rows.where('feedback.at', '<', filter.to)
  if (filter.ageFrom !== undefined) rows.where('insight_runs.age', '>=', filter.ageFrom)
  if (filter.ageTo !== undefined) rows.where('insight_runs.age', '<', filter.ageTo)
  if (!filter.shadow) rows.where('feedback.shadow', 0)
  const found: Row[] = await rows
    .whereRaw(
      `not exists (select 1 from feedback as later where later.sop_instance_uid = feedback.sop_instance_uid
        and later.given_by = feedback.given_by and later.id > feedback.id
        and feedback.verdict <> 'comment' and later.verdict <> 'comment')`,
    )
    .orderBy('feedback.id', 'desc')
    .limit(most)
    .select({
      id: 'feedback.id',
      at: 'feedback.at',
      verdict: 'feedback.verdict',
      jobId: 'feedback.job_id',
      result: 'feedback.sop_instance_uid',
      pipeline: 'feedback.pipeline',
      version: 'feedback.version',
      route: 'feedback.route',
      scanner: 'insight_runs.scanner',
      truth: 'feedback.truth',
      findings: 'feedback.findings',
    })
  const thresholds = await knownThresholds(database, new Set(found.map(({ pipeline }) => pipeline)))
  return found.map(({ jobId, result, pipeline, truth, findings, ...row }) => ({
    ...row,
    pipeline: pipeline.split('@')[0] ?? '',
    run: jobId ?? result,
    truth: truth === null ? [] : (JSON.parse(truth) as StatedTruth[]),
    statements: statementsOf(
      JSON.parse(findings) as Parameters<typeof statementsOf>[0],
      thresholds.get(pipeline) ?? [],
    ),
  }))
}

async function knownThresholds(database: Knex, pinned: ReadonlySet<string>): Promise<Map<string, Threshold[]>> {
  const known = new Map<string, Threshold[]>()
  for (const pipeline of pinned) {
    const digest = pipeline.split('@')[1] ?? ''
    const row = await database('pipelines').where({ digest }).first<{ manifest: string } | undefined>('manifest')
    if (row) known.set(pipeline, thresholdsOf(row.manifest))
  }
  return known
}

/** A proportion with Wilson's interval, 95 %. */
export interface Rate {
  hits: number
  of: number
  rate: number
  low: number
  high: number
}

/** @returns null of nothing */
export function rateOf(hits: number, of: number): Rate | null {
  const interval = wilsonInterval(hits, of)
  return interval && { hits, of, rate: hits / of, ...interval }
}

/** What readers said of results, and how right the statements of runs were, by groups. */
export function agreementOf(opinions: readonly GivenOpinion[], by: AgreementDimension) {
  const groups = new Map<string, { name: GroupName; opinions: GivenOpinion[] }>()
  for (const opinion of opinions) {
    const name = groupOf({ ...nothing, ...opinion }, by)
    const group = groups.get(name.key) ?? { name, opinions: [] }
    group.opinions.push(opinion)
    groups.set(name.key, group)
  }
  const sorted = [...groups.values()].sort((a, b) => (a.name.key < b.name.key ? -1 : 1))
  return {
    total: saidOf(opinions),
    groups: sorted.map((group) => ({ ...group.name, ...saidOf(group.opinions) })),
    performance: sorted.flatMap((group) => performanceOf(group.opinions).map((one) => ({ ...group.name, ...one }))),
  }
}

const nothing = { age: null, sex: null, modality: null, bodyPart: null, hour: null, weekday: null }

function saidOf(opinions: readonly GivenOpinion[]) {
  const count = (verdict: FeedbackVerdict) => opinions.filter((one) => one.verdict === verdict).length
  const comments = count('comment')
  const said = {
    accepted: count('accepted'),
    rejected: count('rejected'),
    corrected: count('corrected'),
    missed: count('missed'),
    comments,
  }
  return { ...said, agreement: rateOf(said.accepted, opinions.length - comments) }
}

/**
 * What is true of a statement by what one reader said; null: it cannot be told. Said of the single finding counts before all. Else:
 * accepted: the statement is right. Rejected: it is wrong, where it is the run's only one. Missed and corrected: it is wrong where it is
 * negative and the run's only negative one; what is said of results that find something is no word on whether it is there.
 */
export function truthOf(
  opinion: Pick<GivenOpinion, 'verdict' | 'truth' | 'statements'>,
  statement: Statement,
): boolean | null {
  const { verdict, truth, statements } = opinion
  const said = truth.find(
    ({ name, site }) => name === statement.name && (site === undefined || site === statement.site),
  )
  if (said) return said.present
  if (verdict === 'accepted') return statement.isPositive
  if (verdict === 'rejected') return statements.length === 1 ? !statement.isPositive : null
  if (verdict === 'comment' || statement.isPositive) return null
  return statements.filter(({ isPositive }) => !isPositive).length === 1 ? true : null
}

interface Cells {
  finding: string
  site: string | null
  truePositive: number
  falsePositive: number
  trueNegative: number
  falseNegative: number
  unknown: number
}

/** Each statement of a run counts once: by the newest feedback that tells the truth of it. */
function performanceOf(opinions: readonly GivenOpinion[]) {
  const statements = new Map<string, { statement: Statement; present: boolean | null }>()
  for (const opinion of [...opinions].sort((a, b) => b.id - a.id))
    for (const statement of opinion.statements) {
      const key = JSON.stringify([opinion.run, statement.name, statement.site])
      const known = statements.get(key)
      if (known && known.present !== null) continue
      statements.set(key, { statement, present: truthOf(opinion, statement) })
    }
  const findings = new Map<string, Cells>()
  for (const { statement, present } of statements.values()) {
    const key = JSON.stringify([statement.name, statement.site])
    const cells = findings.get(key) ?? emptyCells(statement)
    cells[cellOf(statement.isPositive, present)]++
    findings.set(key, cells)
  }
  return [...findings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cells]) => ({ ...cells, ...ratesOf(cells) }))
}

function emptyCells({ name, site }: Statement): Cells {
  return { finding: name, site, truePositive: 0, falsePositive: 0, trueNegative: 0, falseNegative: 0, unknown: 0 }
}

function cellOf(isPositive: boolean, present: boolean | null) {
  if (present === null) return 'unknown'
  if (isPositive) return present ? 'truePositive' : 'falsePositive'
  return present ? 'falseNegative' : 'trueNegative'
}

function ratesOf({ truePositive: tp, falsePositive: fp, trueNegative: tn, falseNegative: fn }: Cells) {
  const f1 = 2 * tp + fp + fn
  return {
    precision: rateOf(tp, tp + fp),
    recall: rateOf(tp, tp + fn),
    specificity: rateOf(tn, tn + fp),
    f1: f1 === 0 ? null : (2 * tp) / f1,
  }
}
