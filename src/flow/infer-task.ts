import type { Knex } from 'knex'
import { HilumError } from '../errors.ts'
import type { Pipeline } from '../infer/load-pipelines.ts'
import type { InferenceServer } from '../infer/runtime/model.ts'
import type { InferTask, TaskInput, TaskSeries } from '../infer/task.ts'
import type { Job } from '../jobs/job.ts'
import type { Objects } from '../store/objects.ts'
import { outputsToMake } from './chosen-outputs.ts'
import type { Members } from './routable-study.ts'
import type { InferPayload } from './route-revision.ts'

export interface TaskOptions {
  database: Knex
  objects: Objects
  pipeline: Pipeline
  outFolder: string
  providers: string[]
  servers?: InferenceServer[]
  threads: number
}

/**
 * A job as a worker process gets it.
 * @throws HilumError `earlier-study-gone` where an earlier study that it was queued with has been deleted since
 */
export async function taskOf(job: Job, options: TaskOptions): Promise<InferTask> {
  const { database, pipeline, outFolder, providers, servers, threads } = options
  const revision = await database('revisions').where({ id: job.revisionId }).first('number', 'members')
  const study = await database('studies').where({ id: job.studyId }).first('study_instance_uid')
  const payload = job.payload as InferPayload
  return {
    jobId: job.id,
    at: job.createdAt,
    pipelineFolder: pipeline.folder,
    pipelineDigest: pipeline.digest,
    studyInstanceUID: study.study_instance_uid,
    revision: revision.number,
    inputs: await inputsOf(payload, JSON.parse(revision.members) as Members, options),
    outputs: outputsToMake(payload),
    predecessors: await predecessorsOf(job, pipeline.name, revision.number, database),
    outFolder,
    providers,
    servers,
    threads,
    ...(payload.urgent && { urgent: payload.urgent }),
  }
}

async function inputsOf(
  { inputs, further = {}, earlier = {} }: InferPayload,
  own: Members,
  { database, objects }: TaskOptions,
): Promise<InferTask['inputs']> {
  const found: Record<string, TaskInput> = {}
  for (const [name, seriesInstanceUID] of Object.entries(inputs)) {
    const prior = earlier[name]
    const members = prior ? await membersOf(prior.revisionId, database) : own
    const seriesOf = async (uid: string): Promise<TaskSeries> => ({
      seriesInstanceUID: uid,
      files: await Promise.all((members[uid] ?? []).map((key) => objects.pathOf(key))),
      ...(prior && { studyInstanceUID: prior.studyInstanceUID }),
    })
    const more = await Promise.all((further[name] ?? []).map(seriesOf))
    found[name] = { ...(await seriesOf(seriesInstanceUID)), ...(more.length > 0 && { further: more }) }
  }
  return found
}

async function membersOf(revisionId: number, database: Knex): Promise<Members> {
  const revision = await database('revisions')
    .where({ id: revisionId })
    .first<{ members: string } | undefined>('members')
  if (!revision) throw new HilumError('earlier-study-gone', 'the earlier study that was to be compared is here no more')
  return JSON.parse(revision.members) as Members
}

/** The results of the newest earlier revision of the study by a pipeline of that name and by that route. */
async function predecessorsOf(
  job: Job,
  pipeline: string,
  revision: number,
  database: Knex,
): Promise<InferTask['predecessors']> {
  const rows = await database('results')
    .join('revisions', 'revisions.id', 'results.revision_id')
    .join('jobs', 'jobs.id', 'results.job_id')
    .where('results.study_id', job.studyId)
    .andWhere('revisions.number', '<', revision)
    .andWhere('jobs.route', job.route ?? '')
    .andWhere('jobs.shadow', (job.payload as InferPayload).shadow ? 1 : 0)
    .andWhereLike('results.pipeline', `${pipeline}@%`)
    .orderBy('revisions.number', 'desc')
    .select<
      { number: number; role: string; sop_class_uid: string; sop_instance_uid: string; series_instance_uid: string }[]
    >(
      'revisions.number',
      'results.role',
      'results.sop_class_uid',
      'results.sop_instance_uid',
      'results.series_instance_uid',
    )
  return rows
    .filter((row) => row.number === rows[0]?.number)
    .map((row) => ({
      role: row.role,
      sopClassUID: row.sop_class_uid,
      sopInstanceUID: row.sop_instance_uid,
      seriesInstanceUID: row.series_instance_uid,
    }))
}
