import { existsSync } from 'node:fs'
import path from 'node:path'
import { isUID } from '../dicom/uid.ts'
import { createLog } from '../log.ts'
import { databaseVersion, openDatabase } from '../store/database.ts'
import { studyTimeline, type Timeline } from '../store/timeline.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { timelineText } from './timeline-text.ts'

const usage = `hilum study UID [--json] [--token TOKEN]

Prints the timeline of a study: arrivals, completion, every route's decision, jobs, results and deliveries.
  --json          as JSON, as the API gives it
  --token TOKEN   ask the running node over HTTP; HILUM_ADMIN_TOKEN does the same. Without one, the database is read.
  --config FILE   the configuration file (default: config/hilum.yaml)

Exit code 1 when the study is not known.`

/** `hilum study`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, { json: { type: 'boolean' }, token: { type: 'string' } })
  if (!parsed) return 0
  const { values, positionals } = parsed
  const [studyInstanceUID, ...more] = positionals
  if (studyInstanceUID === undefined || more.length > 0)
    throw new UsageError('study: name one Study Instance UID', usage)
  if (!isUID(studyInstanceUID)) throw new UsageError(`study: ${studyInstanceUID} is no UID`, usage)
  const config = configOf(values)
  const token = values.token ?? config.admin.token
  const fromNode =
    token === ''
      ? 'unreachable'
      : await askNode({ host: config.http.host, port: config.http.port, token, studyInstanceUID })
  const timeline = fromNode === 'unreachable' ? await askDatabase(config, studyInstanceUID) : fromNode
  if (!timeline) {
    process.stderr.write(`study ${studyInstanceUID} is not known here\n`)
    return 1
  }
  print(values.json ? JSON.stringify(timeline, null, 2) : timelineText(timeline))
  return 0
}

/** @returns null where the node does not know the study; `unreachable` where no node answers */
async function askNode(at: {
  host: string
  port: number
  token: string
  studyInstanceUID: string
}): Promise<Timeline | null | 'unreachable'> {
  const host = at.host === '0.0.0.0' || at.host === '::' ? '127.0.0.1' : at.host
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${at.port}/api/studies/${at.studyInstanceUID}`
  let response: Response
  try {
    response = await fetch(url, {
      headers: { authorization: `Bearer ${at.token}` },
      signal: AbortSignal.timeout(10_000),
    })
  } catch {
    return 'unreachable' // nothing listens there: the database is asked instead
  }
  if (response.status === 404) return null
  if (!response.ok) throw new Error(`${url} answered HTTP ${response.status}`)
  return (await response.json()) as Timeline
}

/** @returns null where the database does not know the study, or where there is none yet: it is not made for a question */
async function askDatabase(config: ReturnType<typeof configOf>, studyInstanceUID: string): Promise<Timeline | null> {
  if (config.database.url === '' && !existsSync(path.join(config.dataDir, 'hilum.sqlite'))) return null
  const database = await openDatabase({
    url: config.database.url,
    dataDir: config.dataDir,
    log: createLog(config.log.level),
  })
  try {
    return (await databaseVersion(database)) === null ? null : await studyTimeline(database, studyInstanceUID)
  } finally {
    await database.destroy()
  }
}
