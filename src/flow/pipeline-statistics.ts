import type { Knex } from 'knex'
import type { PipelinesDeps } from '../admin/api-pipelines.ts'
import { failureGroups } from '../jobs/failure-groups.ts'
import { wherePipeline } from '../jobs/pauses.ts'
import { quantile } from '../store/day-figures.ts'

type Statistics = Awaited<ReturnType<PipelinesDeps['pipelines']['statistics']>>

interface Counted {
  pipeline: string
  state: string
  refused: number
  cancelled: number
  shadow: number
  n: number
}

/** Runs whose duration is looked at, and failures whose reasons are: the newest. */
const most = { durations: 2000, failures: 2000 }

/** What the versions of a pipeline did since a time (ISO 8601 UTC), those of shadow routes apart. */
export async function pipelineStatistics(database: Knex, name: string, since: string): Promise<Statistics> {
  const ended = () =>
    database('jobs')
      .where({ kind: 'infer' })
      .whereIn('state', ['done', 'failed'])
      .andWhere('finished_at', '>=', since)
      .andWhere((jobs) => wherePipeline(jobs, name))
  const counted: Counted[] = await ended()
    .groupBy('pipeline', 'state', 'refused', 'cancelled', 'shadow')
    .select('pipeline', 'state', 'refused', 'cancelled', 'shadow', database.raw('count(*) as n'))
  const keys = new Map(counted.map(({ pipeline, shadow }) => [`${pipeline} ${shadow}`, { pipeline, shadow }]))
  const digests = [...keys.values()].map(({ pipeline }) => pipeline.split('@')[1] ?? '')
  const versions: { digest: string; version: string }[] = await database('pipelines')
    .whereIn('digest', digests)
    .select('digest', 'version')
  const feedback = await feedbackOf(database, name, since)
  return await Promise.all(
    [...keys.values()].map(async ({ pipeline, shadow }) => {
      const own = counted.filter((row) => row.pipeline === pipeline && row.shadow === shadow)
      const sum = (is: (row: Counted) => boolean) => own.filter(is).reduce((all, { n }) => all + n, 0)
      const digest = pipeline.split('@')[1] ?? ''
      const said = feedback.get(`${pipeline} ${shadow}`) ?? { accepted: 0, rejected: 0, corrected: 0 }
      const all = said.accepted + said.rejected + said.corrected
      const { groups } = await failureGroups(database, {
        kind: 'infer',
        most: most.failures,
        jobs: (rows) => void rows.where({ pipeline, shadow }).andWhere('finished_at', '>=', since),
      })
      return {
        digest,
        version: versions.find((known) => known.digest === digest)?.version ?? null,
        shadow: shadow === 1,
        runs: sum(() => true),
        done: sum(({ state }) => state === 'done'),
        failed: sum(({ state, refused, cancelled }) => state === 'failed' && refused === 0 && cancelled === 0),
        refused: sum(({ refused }) => refused === 1),
        cancelled: sum(({ cancelled }) => cancelled === 1),
        duration: await durationOf(ended().andWhere({ pipeline, shadow, state: 'done' }), database),
        failures: groups,
        feedback: said,
        agreement: all === 0 ? null : said.accepted / all,
      }
    }),
  )
}

/** Seconds of the last attempts. */
async function durationOf(jobs: Knex.QueryBuilder, database: Knex): Promise<Statistics[number]['duration']> {
  const newest = jobs.orderBy('finished_at', 'desc').limit(most.durations).select('id')
  const ms: number[] = await database('job_attempts')
    .whereIn('job_id', newest)
    .whereNull('error')
    .whereNotNull('ms')
    .pluck('ms')
  const seconds = ms.map((one) => one / 1000).sort((a, b) => a - b)
  const [median, p95] = [quantile(seconds, 0.5), quantile(seconds, 0.95)]
  return median === null || p95 === null ? null : { median, p95, most: seconds.at(-1) ?? p95 }
}

type Said = Statistics[number]['feedback']

/** What was said of results last by each who said something, by pipeline and whether it was a shadow. */
async function feedbackOf(database: Knex, name: string, since: string): Promise<Map<string, Said>> {
  const rows: { pipeline: string; shadow: number; verdict: keyof Said; n: number }[] = await database('feedback')
    .where('at', '>=', since)
    .andWhereRaw(`(pipeline = ? or pipeline like ? escape '\\')`, [name, `${name.replace(/[\\%_]/g, '\\$&')}@%`])
    .whereRaw(
      `not exists (select 1 from feedback as later where later.sop_instance_uid = feedback.sop_instance_uid
        and later.given_by = feedback.given_by and later.id > feedback.id
        and later.verdict <> 'comment')`,
    )
    .groupBy('pipeline', 'shadow', 'verdict')
    .select('pipeline', 'shadow', 'verdict', database.raw('count(*) as n'))
  const said = new Map<string, Said>()
  for (const { pipeline, shadow, verdict, n } of rows) {
    const key = `${pipeline} ${shadow}`
    const there = said.get(key) ?? { accepted: 0, rejected: 0, corrected: 0 }
    if (verdict in there) there[verdict] = n
    said.set(key, there)
  }
  return said
}
