import type { Config } from '../config.ts'
import { createDestinations } from '../deliver/destinations.ts'
import { HilumError } from '../errors.ts'
import { destinationOptions } from '../flow/destination-options.ts'
import { Retention, type RetentionRun } from '../flow/retention.ts'
import { createLog } from '../log.ts'
import { migrate } from '../store/database.ts'
import { DiskObjects } from '../store/disk-objects.ts'
import { StoreError } from '../store/error.ts'
import { lockDataFolder } from '../store/folder-lock.ts'
import { freeBytes } from '../store/free-space.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { askNode, NodeApiError, nodeApiOf } from './node-api.ts'
import { sizeText } from './units.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum retention list
hilum retention run [--dry-run] [--rule NAME] [--json] [--token TOKEN]

  list   the rules of the configuration
  run    run the rules now, whatever their schedule says; the destinations are asked for proof before anything is deleted

  --dry-run      delete nothing: say what would be deleted, and why not the others
  --rule NAME    this rule only
  --json         as JSON
  --token TOKEN  of an administrator, for a node that is running: it deletes itself; HILUM_ADMIN_TOKEN does the same
  --config FILE  the configuration file (default: config/hilum.yaml)`

/** `hilum retention`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {
    'dry-run': { type: 'boolean' },
    rule: { type: 'string' },
    json: { type: 'boolean' },
    token: { type: 'string' },
  })
  if (!parsed) return 0
  const { values, positionals } = parsed
  const config = configOf(values)
  const [what, ...more] = positionals
  if (more.length > 0 || (what !== 'list' && what !== 'run')) throw new UsageError('retention: list or run', usage)
  const names = config.retention.map(({ name }) => name)
  if (what === 'list') {
    if (names.length === 0) print(noRule)
    for (const rule of config.retention) print(ruleText(rule))
    return 0
  }
  if (values.rule !== undefined && !names.includes(values.rule))
    throw new UsageError(
      `retention run: there is no rule ${values.rule}${names.length === 0 ? '' : `; there are ${names.join(', ')}`}`,
      '',
    )
  const asked = { dryRun: values['dry-run'] ?? false, ...(values.rule !== undefined && { rule: values.rule }) }
  const runs = (await runThere(config, values.token, asked)) ?? (await runHere(config, asked))
  print(values.json ? JSON.stringify(runs, null, 2) : runs.map(textOf).join('\n') || noRule)
  return 0
}

const noRule = 'there is no retention rule: nothing is ever deleted'

function ruleText({
  name,
  schedule,
  states,
  olderThanDays,
  verifiedAt,
  storedAt,
  belowFree,
}: Config['retention'][number]) {
  const free = belowFree === 0 ? '' : `; only while less than ${sizeText(belowFree)} are free`
  const proofs = `instances at ${storedAt.join(', ')}, results at ${verifiedAt.join(', ') || '(none: studies with results stay)'}`
  return `${name}  ${schedule}  ${states.join(', ')} and older than ${olderThanDays} days; proof: ${proofs}${free}`
}

type Asked = { dryRun: boolean; rule?: string }

/** @returns null where no node answers @throws NodeApiError `node-refused` */
async function runThere(config: Config, token: string | undefined, body: Asked): Promise<RetentionRun[] | null> {
  const api = body.dryRun ? null : nodeApiOf(config, { token })
  if (api === null) return null
  try {
    const response = await askNode(api, '/retention/run', { method: 'POST', body })
    return ((await response.json()) as { runs: RetentionRun[] }).runs
  } catch (error) {
    if (error instanceof NodeApiError && error.code === 'node-unreachable') return null
    throw error
  }
}

/** @throws HilumError `data-folder-taken`: a running node has files in hand that only it can remove */
async function runHere(config: Config, asked: Asked): Promise<RetentionRun[]> {
  return withDatabase(config, async (database) => {
    if (database === null)
      throw new HilumError('no-database', `no node has been started on ${config.dataDir}: there is nothing to delete`)
    const unlock = asked.dryRun ? () => {} : lock(config)
    const destinations = createDestinations(destinationOptions(config), { url: 'http://127.0.0.1', token: '' })
    try {
      await migrate(database)
      const retention = new Retention({
        rules: config.retention,
        database,
        objects: new DiskObjects(config.dataDir),
        destinations,
        own: config.http,
        free: () => freeBytes(config.dataDir),
        log: createLog(config.log.level),
      })
      return await retention.run({ ...asked, actor: 'command line' })
    } finally {
      await destinations.close()
      unlock()
    }
  })
}

function lock({ dataDir }: Config): () => void {
  try {
    return lockDataFolder(dataDir)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const advice = 'with a token of an administrator (--token), it deletes itself; --dry-run needs none'
    throw new HilumError(error.code, `a node runs on ${dataDir}: ${advice}`, { cause: error })
  }
}

function textOf({ rule, dryRun, studies, deleted, bytes, stopped, outcomes }: RetentionRun): string {
  const lines = [
    `${rule}: ${deleted} of ${studies} old studies ${dryRun ? 'would be ' : ''}deleted, ${sizeText(bytes)}${stopped === null ? '' : `; ${stopped}`}`,
    ...outcomes.map((one) => `  ${one.deleted ? 'delete' : 'keep  '}  ${one.studyInstanceUID}  ${one.reason}`),
  ]
  if (outcomes.length < studies) lines.push(`  … and ${studies - outcomes.length} more`)
  return lines.join('\n')
}
