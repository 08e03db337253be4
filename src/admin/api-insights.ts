import type { Knex } from 'knex'
import { z } from 'zod'
import { agreementOf, readOpinions } from '../store/insights/agreement.ts'
import type { Dimension } from '../store/insights/dimensions.ts'
import { driftLimits } from '../store/insights/drift.ts'
import { driftHistory, latestEvaluations } from '../store/insights/drift-evaluations.ts'
import { type FindingKey, findingRefOf, type InsightFilter } from '../store/insights/filter.ts'
import { groupValues, groupVolumes } from '../store/insights/groups.ts'
import { insightOptions } from '../store/insights/options.ts'
import { patientChange } from '../store/insights/patient-change.ts'
import { readRows } from '../store/insights/rows.ts'
import { scatterOf } from '../store/insights/scatter.ts'
import { csvOf, type InsightTable, insightTable } from '../store/insights/tables.ts'
import {
  agreementAnswer,
  agreementDimensions,
  axes,
  dimensions,
  driftAnswer,
  driftHistoryAnswer,
  findingId,
  groupsAnswer,
  insightFilter,
  insightOptions as insightOptionsAnswer,
  insightTables,
  patientAnswer,
  scatterAnswer,
  studyParams,
  volumesAnswer,
} from './api-schemas-insights.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

export interface InsightsDeps {
  knex: Knex
  insights: {
    /** Evaluates the drift of everything that ran lately, and keeps it. */
    evaluateDrift(): Promise<unknown>
  }
}

const by = z.enum(dimensions)
const shadowOf = <Query extends { shadow: 'true' | 'false' }>(query: Query) => ({
  ...query,
  shadow: query.shadow === 'true',
})

/** What the AI found, over many studies. */
export function insightEndpoints({ knex, insights }: InsightsDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/insights/options',
      summary: 'What insights can be asked for: pipelines, findings, scanners',
      answer: insightOptionsAnswer,
      handle: () => insightOptions(knex),
    }),
    endpoint({
      method: 'get',
      path: '/insights/groups',
      summary: 'The values of a finding, grouped: counts, quantiles and a histogram; by day, week or month a trend',
      query: z.strictObject({ ...insightFilter, by, finding: findingId.optional() }),
      answer: groupsAnswer,
      handle: ({ query: { by: dimension, finding, ...filter } }) =>
        groups(knex, shadowOf(filter), { by: dimension, finding: finding ?? null }),
    }),
    endpoint({
      method: 'get',
      path: '/insights/volumes',
      summary: 'How many inferences ended how, grouped',
      query: z.strictObject({ ...insightFilter, by }),
      answer: volumesAnswer,
      handle: async ({ query: { by: dimension, ...filter } }) => {
        const { rows, truncated } = await readRows(knex, shadowOf(filter), null)
        return { by: dimension, truncated, ...groupVolumes(rows, dimension) }
      },
    }),
    endpoint({
      method: 'get',
      path: '/insights/scatter',
      summary: 'The values of a finding against another number of their study',
      query: z.strictObject({
        ...insightFilter,
        finding: findingId,
        x: z.enum(axes).default('age'),
        limit: z.coerce.number().int().min(1).max(10_000).default(2000).describe('points'),
      }),
      answer: scatterAnswer,
      handle: ({ query: { finding, x, limit, ...filter } }) => scatterOf(knex, shadowOf(filter), { finding, x, limit }),
    }),
    endpoint({
      method: 'get',
      path: '/insights/patient/{studyInstanceUID}',
      summary: 'What was measured of the patient of a study, over all of their studies, and how it changed',
      params: studyParams,
      query: z.strictObject({ shadow: insightFilter.shadow }),
      answer: patientAnswer,
      sight: 'study-view',
      handle: ({ params, query }) => patientChange(knex, params.studyInstanceUID, shadowOf(query)),
    }),
    endpoint({
      method: 'get',
      path: '/insights/agreement',
      summary: 'What readers said of results, and how right the results were by that; times are those of the feedback',
      query: z.strictObject({ ...insightFilter, by: z.enum(agreementDimensions).default('pipeline') }),
      answer: agreementAnswer,
      handle: async ({ query: { by: dimension, ...filter } }) => ({
        by: dimension,
        ...agreementOf(await readOpinions(knex, shadowOf(filter)), dimension),
      }),
    }),
    endpoint({
      method: 'get',
      path: '/insights/drift',
      summary: 'Whether what pipelines get and give has drifted: the newest evaluations',
      query: z.strictObject({ pipeline: insightFilter.pipeline }),
      answer: driftAnswer,
      handle: ({ query }) => drift(knex, query.pipeline),
    }),
    endpoint({
      method: 'get',
      path: '/insights/drift/history',
      summary: 'How one thing has drifted, oldest first',
      query: z.strictObject({
        pipeline: z.string().max(200),
        version: z.string().max(64).optional().describe('left out: where it is not known'),
        subject: z.string().max(1300).describe('as a measure of the evaluation names it'),
      }),
      answer: driftHistoryAnswer,
      handle: async ({ query: { version = null, ...query } }) => ({
        points: await driftHistory(knex, { ...query, version }),
      }),
    }),
    endpoint({
      method: 'post',
      path: '/insights/drift',
      summary: 'Evaluate the drift of everything that ran lately, now',
      answer: driftAnswer,
      action: 'insights-drift',
      handle: async () => {
        await insights.evaluateDrift()
        return await drift(knex)
      },
    }),
    endpoint({
      method: 'get',
      path: '/insights/export',
      summary: 'A table as CSV; counts below five are withheld, and what would give them away',
      query: z.strictObject({
        ...insightFilter,
        table: z.enum(insightTables),
        by: by.optional().describe('left out: pipeline'),
        finding: findingId.optional().describe('needed for the histogram'),
      }),
      answerType: 'text/csv',
      action: 'insights-export',
      handle: async ({ query: { table, by: dimension = 'pipeline', finding, ...filter }, about, res }) => {
        about(table)
        const isOfFeedback = table === 'agreement' || table === 'performance'
        if (isOfFeedback && !(agreementDimensions as readonly Dimension[]).includes(dimension))
          throw new ApiError(400, 'bad-parameter', `What readers said cannot be grouped by ${dimension}.`)
        if (table === 'histogram' && !finding)
          throw new ApiError(400, 'bad-parameter', 'A histogram is of a finding: name one.')
        const asked: InsightTable = { table, by: dimension, finding: finding ?? null }
        const text = csvOf(await insightTable(knex, shadowOf(filter), asked))
        res.setHeader('Content-Type', 'text/csv; charset=utf-8')
        res.setHeader('Content-Disposition', `attachment; filename="insights-${table}.csv"`)
        res.setHeader('Cache-Control', 'no-store')
        res.end(text)
        return undefined
      },
    }),
  ]
}

async function groups(
  knex: Knex,
  filter: InsightFilter,
  { by: dimension, finding }: { by: Dimension; finding: FindingKey | null },
) {
  const { rows, truncated } = await readRows(knex, filter, finding)
  return { by: dimension, finding: finding && findingRefOf(finding), truncated, ...groupValues(rows, dimension) }
}

async function drift(knex: Knex, pipeline?: string) {
  return { limits: driftLimits, evaluations: await latestEvaluations(knex, pipeline) }
}
