import type { Config } from '../config.ts'
import { isUID } from '../dicom/uid.ts'
import { deletionSentence, deletionsOf } from '../store/delete-study.ts'
import { studyTimeline, type Timeline } from '../store/timeline.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'
import { askNode, type NodeApi, NodeApiError, nodeApiOf } from './node-api.ts'
import { timelineText } from './timeline-text.ts'
import { withDatabase } from './with-database.ts'

const usage = `hilum study UID [--json] [--token TOKEN]

Prints the timeline of a study: arrivals, completion, every route's decision, jobs, results and deliveries.
  --json          as JSON, as the API gives it
  --token TOKEN   ask the running node over HTTP; HILUM_ADMIN_TOKEN does the same. Without one, the database is read.
  --config FILE   the configuration file (default: config/hilum.yaml)

A study that retention has deleted is told by when, by which rule and on which proof.

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
  const api = nodeApiOf(config, values)
  const found = (api && (await askRunningNode(api, studyInstanceUID))) ?? (await askDatabase(config, studyInstanceUID))
  if (found === 'unknown') {
    process.stderr.write(`study ${studyInstanceUID} is not known here\n`)
    return 1
  }
  if ('deleted' in found) print(values.json ? JSON.stringify(found) : `study ${studyInstanceUID}: ${found.deleted}`)
  else print(values.json ? JSON.stringify(found, null, 2) : timelineText(found))
  return 0
}

/** `deleted`: a sentence. */
type Answer = Timeline | { deleted: string } | 'unknown'

/** @returns null where no node answers: then the database is asked @throws NodeApiError `node-refused` */
async function askRunningNode(api: NodeApi, studyInstanceUID: string): Promise<Answer | null> {
  try {
    const response = await askNode(api, `/studies/${studyInstanceUID}`, { signal: AbortSignal.timeout(10_000) })
    return (await response.json()) as Timeline
  } catch (error) {
    if (!(error instanceof NodeApiError)) throw error
    if (error.code === 'node-unreachable') return null
    if (error.detail.status === 404) return 'unknown'
    if (error.detail.status === 410) return { deleted: error.message }
    throw error
  }
}

async function askDatabase(config: Config, studyInstanceUID: string): Promise<Answer> {
  return withDatabase(config, async (database) => {
    if (database === null) return 'unknown'
    const timeline = await studyTimeline(database, studyInstanceUID)
    if (timeline) return timeline
    const [deletion] = await deletionsOf(database, studyInstanceUID)
    return deletion ? { deleted: `The study was ${deletionSentence(deletion)}.` } : 'unknown'
  })
}
