import type { Knex } from 'knex'
import { Audit, type AuditEntry } from '../admin/audit.ts'
import { auditLines } from '../admin/audit-lines.ts'
import type { Config } from '../config.ts'
import { HilumError } from '../errors.ts'
import { auditFolder, auditSource } from '../flow/access.ts'
import { anchorsIn } from '../flow/audit-anchors.ts'
import { verifyChain } from '../store/audit-chain.ts'
import { auditAfter } from '../store/audit-list.ts'
import { migrate } from '../store/database.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum audit list [--from TIME] [--to TIME] [--user NAME] [--action ACTION] [--study UID] [--limit N] [--json]
hilum audit verify [--files FOLDER] [--json]
hilum audit export [--from TIME] [--to TIME]

  list    who did what, the newest first
  verify  whether an entry was changed, removed or put in; and whether the database still says what was written to the files
  export  the entries as JSON lines on standard output, each with its hashes and its DICOM audit message (PS3.15 A.5)

  --from, --to     times, ISO 8601
  --user NAME      a user's name, or who acted as the audit writes it, as in token:pacs
  --action ACTION  as in login
  --study UID      Study Instance UID
  --limit N        entries (default: 50)
  --files FOLDER   where the files are (default: as the settings say)
  --json           as JSON
  --config FILE    the configuration file (default: config/hilum.yaml)

Exit code 1 where something is wrong with the audit.`

const options = {
  from: { type: 'string' },
  to: { type: 'string' },
  user: { type: 'string' },
  action: { type: 'string' },
  study: { type: 'string' },
  limit: { type: 'string' },
  files: { type: 'string' },
  json: { type: 'boolean' },
} as const
const actor = 'command line'

type Values = NonNullable<ReturnType<typeof readArguments<typeof options>>>['values']
type Act = (database: Knex, values: Values, config: Config) => Promise<number>

/** `hilum audit`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, options)
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [what = '', ...more] = positionals
  const act = Object.hasOwn(acts, what) ? acts[what] : undefined
  if (!act || more.length > 0) throw new UsageError('audit: list, verify or export', usage)
  const config = configOf(values)
  return await withDatabase(config, async (database) => {
    if (!database) throw new HilumError('no-database', 'there is no database yet: the first start makes it')
    await migrate(database)
    return await act(database, values, config)
  })
}

const acts: Record<string, Act> = { list, verify, export: exportAll }

async function list(database: Knex, values: Values): Promise<number> {
  const { user, action, study } = values
  const limit = Number(values.limit ?? 50)
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError('audit list: --limit is a number', usage)
  const audit = new Audit(database)
  const { entries } = await audit.list({
    ...between(values),
    limit,
    action,
    studyInstanceUID: study,
    actor: user === undefined || user.includes(':') ? user : `user:${user}`,
  })
  if (values.json) print(JSON.stringify(entries, null, 2))
  else for (const entry of entries) print(textOf(entry))
  await audit.record({ actor, action: 'audit-read', outcome: 'success' })
  return 0
}

async function verify(database: Knex, values: Values, config: Config): Promise<number> {
  const folder = values.files ?? auditFolder(config)
  const { anchors, files, problems: inFiles } = await anchorsIn(folder)
  const { entries, head, problems: inDatabase } = await verifyChain(database, anchors)
  const problems = [...inFiles, ...inDatabase]
  const outcome = problems.length === 0 ? 'success' : 'failure'
  await new Audit(database).record({ actor, action: 'audit-verify', outcome })
  if (values.json) print(JSON.stringify({ entries, head, files, anchors: anchors.size, problems }, null, 2))
  else {
    for (const { sequence, problem } of problems) print(sequence === null ? problem : `entry ${sequence}: ${problem}`)
    print(
      `${entries} entries, ${anchors.size} of them also in ${files} files; the last is ${head.sequence}, ${head.hash}`,
    )
    print(problems.length === 0 ? 'nothing was changed, removed or put in' : 'the audit was tampered with')
  }
  return problems.length === 0 ? 0 : 1
}

async function exportAll(database: Knex, values: Values, config: Config): Promise<number> {
  const times = between(values)
  const page = (after: number) => auditAfter(database, after, 500, times)
  for await (const lines of auditLines(page, auditSource(config)))
    if (!process.stdout.write(lines)) await new Promise((resolve) => process.stdout.once('drain', resolve))
  await new Audit(database).record({ actor, action: 'audit-export', outcome: 'success' })
  return 0
}

function between({ from, to }: Values): { from?: string; to?: string } {
  const at = (text: string) => {
    const time = Date.parse(text)
    if (Number.isNaN(time)) throw new UsageError(`audit: ${text} is no time`, usage)
    return new Date(time).toISOString()
  }
  return { ...(from !== undefined && { from: at(from) }), ...(to !== undefined && { to: at(to) }) }
}

function textOf({ sequence, at, actor: who, action, subject, outcome, studyInstanceUID }: AuditEntry): string {
  const about = [subject, studyInstanceUID].filter((one) => one !== null).join(' ')
  return `${sequence}  ${at}  ${who}  ${action}${about === '' ? '' : `  ${about}`}${outcome === 'success' ? '' : '  FAILED'}`
}
