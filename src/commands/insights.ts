import { Audit } from '../admin/audit.ts'
import { HilumError } from '../errors.ts'
import { Insights, openPatientKey } from '../flow/insights.ts'
import { createLog } from '../log.ts'
import { migrate } from '../store/database.ts'
import { latestEvaluations } from '../store/insights/drift-evaluations.ts'
import { rebuildInsights } from '../store/insights/rebuild.ts'
import { csvOf, type InsightTable, insightTable } from '../store/insights/tables.ts'
import { SecretBox } from '../store/secret-box.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { withDatabase } from './with-database.ts'

const tables = ['groups', 'volumes', 'agreement', 'performance', 'drift'] as const
const dimensions = {
  inferences: [
    'age',
    'sex',
    'modality',
    'scanner',
    'bodyPart',
    'hour',
    'weekday',
    'day',
    'week',
    'month',
    'pipeline',
    'version',
    'route',
  ],
  feedback: ['pipeline', 'version', 'scanner', 'route', 'day', 'week', 'month'],
} as const

const usage = `hilum insights rebuild
hilum insights drift [--json]
hilum insights export [--table TABLE] [--by WHAT] [--finding ID] [--pipeline NAME] [--from TIME] [--to TIME]

  rebuild  count everything that the database holds anew; what is counted of deleted studies stays
  drift    evaluate the drift of every version that ran lately, and keep it
  export   a table as CSV on standard output; counts below five are withheld, and what would give them away

  --table TABLE    ${tables.join(', ')} (default: volumes)
  --by WHAT        ${dimensions.inferences.join(', ')} (default: pipeline)
  --finding ID     of groups: as GET /api/insights/options gives it
  --pipeline NAME  only this pipeline
  --from, --to     times, ISO 8601
  --json           as JSON
  --config FILE    the configuration file (default: config/hilum.yaml)

It works on the database, also while the node runs. Exit code 1 where drift is strong, or it cannot be done.`

const options = {
  table: { type: 'string' },
  by: { type: 'string' },
  finding: { type: 'string' },
  pipeline: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  json: { type: 'boolean' },
} as const
const actor = 'command line'

type Values = NonNullable<ReturnType<typeof readArguments<typeof options>>>['values']

/** `hilum insights`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, options)
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what, ...more] = positionals
  if ((what !== 'rebuild' && what !== 'drift' && what !== 'export') || more.length > 0)
    throw new UsageError('insights: rebuild, drift or export', usage)
  const asked = what === 'export' ? askedTable(values) : null
  const config = configOf(values)
  return await withDatabase(config, async (database) => {
    if (!database) throw new HilumError('no-database', 'there is no database yet: the first start makes it')
    await migrate(database)
    const audit = new Audit(database)
    if (asked) {
      const filter = { pipeline: values.pipeline, from: timeOf(values.from), to: timeOf(values.to) }
      process.stdout.write(csvOf(await insightTable(database, filter, asked)))
      await audit.record({ actor, action: 'insights-export', subject: asked.table, outcome: 'success' })
      return 0
    }
    const log = createLog(config.log.level)
    const patientKey = await openPatientKey(database, new SecretBox(config.dataDir), log)
    if (what === 'rebuild') {
      print(`${await rebuildInsights(database, { patientKey })} inferences are counted`)
      await audit.record({ actor, action: 'insights-rebuild', outcome: 'success' })
      return 0
    }
    const insights = new Insights({ database, settings: config.insights, patientKey, log, onDrift: () => {} })
    await insights.evaluateDrift()
    await audit.record({ actor, action: 'insights-drift', outcome: 'success' })
    const evaluations = await latestEvaluations(database)
    if (values.json) print(JSON.stringify(evaluations, null, 2))
    else for (const evaluation of evaluations) print(textOf(evaluation))
    return evaluations.some(({ verdict }) => verdict === 'strong') ? 1 : 0
  })
}

function textOf({
  pipeline,
  version,
  verdict,
  reference,
  window,
  measures,
}: Awaited<ReturnType<typeof latestEvaluations>>[number]): string {
  const drifted = measures
    .filter((measure) => measure.verdict === 'moderate' || measure.verdict === 'strong')
    .map(({ label, verdict: own, stability }) => `  ${own}: ${label} (stability index ${stability?.toFixed(3)})`)
  const head = `${pipeline} ${version ?? ''}: ${verdict}, ${window.runs} inferences against ${reference.runs}`
  return [head, ...drifted].join('\n')
}

/** @throws UsageError */
function askedTable({ table = 'volumes', by = 'pipeline', finding }: Values): InsightTable {
  const isOne = <T extends string>(text: string, of: readonly T[]): text is T =>
    (of as readonly string[]).includes(text)
  if (!isOne(table, tables)) throw new UsageError(`insights export: --table is one of ${tables.join(', ')}`, usage)
  const possible = table === 'agreement' || table === 'performance' ? dimensions.feedback : dimensions.inferences
  if (!isOne(by, possible)) throw new UsageError(`insights export: --by is one of ${possible.join(', ')}`, usage)
  return { table, by, finding: finding === undefined ? null : findingOf(finding) }
}

function findingOf(text: string): InsightTable['finding'] {
  try {
    const [name, code, site, unit] = JSON.parse(text) as string[]
    if (name !== undefined && code !== undefined && site !== undefined && unit !== undefined)
      return { name, code, site, unit }
  } catch {
    // Not even JSON: the sentence below holds for it too.
  }
  throw new UsageError('insights export: --finding is an id that GET /api/insights/options gives', usage)
}

function timeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new UsageError(`insights export: ${text} is no time`, usage)
  return new Date(time).toISOString()
}
