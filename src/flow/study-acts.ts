import type { Knex } from 'knex'
import type { StudyActsDeps } from '../admin/api-study-acts.ts'
import { StudyActError } from '../admin/api-study-acts.ts'
import { deriveUID } from '../dicom/uid.ts'
import type { Pipeline } from '../infer/load-pipelines.ts'
import type { JobRow, NewJob } from '../jobs/job.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { recomputeStudyState } from '../jobs/study-state.ts'
import type { Log } from '../log.ts'
import { isCurrent } from '../store/current-results.ts'
import { type Deletion, deleteStudy, deletionReason, removeDeletedObjects } from '../store/delete-study.ts'
import type { Objects } from '../store/objects.ts'
import type { Members } from './routable-study.ts'
import { type InferPayload, priorities, routeRevision } from './route-revision.ts'
import { chosenInputs } from './run-inputs.ts'

type Acted = Awaited<ReturnType<StudyActsDeps['acts']['retry']>>
type Acts = StudyActsDeps['acts']

export interface StudyActsOptions {
  database: Knex
  objects: Objects
  queue: JobQueue
  log: Log
  /** An installed pipeline that may be run, by name, `name@1.2.0` or `name@sha256:…`. */
  pipeline(reference: string): Pipeline | undefined
  pinnedPipeline(reference: string): string | null
  destinations: { names(): string[] }
  /** Called when jobs were queued, or the study has changed. */
  onChange(studyInstanceUID: string): void
  /** Called when a study was deleted. */
  onDeleted?(studyInstanceUID: string): Promise<void>
  now?: () => Date
}

interface StudyRow {
  id: number
  study_instance_uid: string
  revision: number
  changed: number
  last_instance_at: string
}

interface NewestRevision {
  id: number
  number: number
  members: string
}

/** What operators do with a study. Each act is an event of the study, with who did it. */
export class StudyActs implements Acts {
  readonly #options: StudyActsOptions

  constructor(options: StudyActsOptions) {
    this.#options = options
  }

  /** @throws StudyActError */
  async retry(studyInstanceUID: string, what: Parameters<Acts['retry']>[1], by: string): Promise<Acted> {
    const study = await this.#study(studyInstanceUID)
    const revision = await this.#newest(study)
    const acted =
      what.from === 'route'
        ? await this.#routeAgain(study, revision, by)
        : await this.#again(study, what.from, what, by)
    this.#options.onChange(studyInstanceUID)
    return acted
  }

  /** Decides every route anew: jobs whose work is the same stay as they are. */
  async #routeAgain(study: StudyRow, revision: NewestRevision, by: string): Promise<Acted> {
    const { database, queue, log, pinnedPipeline } = this.#options
    const running = await database('jobs')
      .where({ revision_id: revision.id, kind: 'infer', state: 'running' })
      .first('id')
    if (running) throw new StudyActError('has-work', 'an inference of this revision runs: end it, or wait for its end')
    const at = this.#now()
    await database.transaction(async (trx) => {
      await trx('decisions').where({ revision_id: revision.id }).delete()
      await trx('revisions').where({ id: revision.id }).update({ routed: 0 })
      await this.#tell(trx, study, {
        kind: 'reroute',
        sentence: `routes decided again on revision ${revision.number} by ${by}`,
        by,
      })
    })
    const queued: string[] = []
    const enqueue = (job: NewJob, trx: Knex = database) => replaceJob(job, { trx, queue, queued, at })
    const matched = await routeRevision(revision.id, { database, queue: { enqueue }, log, pinnedPipeline })
    const dropped = await this.#dropUnmatched(revision.id, by)
    const more = dropped > 0 ? `, ${dropped} of what waited ended` : ''
    return { sentence: `${matched} of the routes match; ${queued.length} jobs queued${more}`, jobs: queued }
  }

  /** Ends what waits for a route that does not match any more. */
  async #dropUnmatched(revisionId: number, by: string): Promise<number> {
    const { database, queue } = this.#options
    const matched = database('decisions').where({ revision_id: revisionId, matched: 1 }).select('route')
    const ids: string[] = await database('jobs')
      .where({ revision_id: revisionId, kind: 'infer', state: 'queued' })
      .whereNotNull('route')
      .whereNotIn('route', matched)
      .pluck('id')
    for (const id of ids) await queue.cancel(id, by)
    return ids.length
  }

  /** Queues the newest revision's jobs of a kind again. */
  async #again(
    study: StudyRow,
    kind: 'infer' | 'deliver',
    { route, destination }: { route?: string | undefined; destination?: string | undefined },
    by: string,
  ): Promise<Acted> {
    const { database, queue } = this.#options
    const jobs = currentJobs(database, study.id).andWhere('jobs.kind', kind).whereIn('jobs.state', ['done', 'failed'])
    if (route !== undefined) jobs.andWhere('jobs.route', route)
    if (destination !== undefined && kind === 'deliver') jobs.andWhere('jobs.destination', destination)
    const ids: string[] = await jobs.pluck('jobs.id')
    if (ids.length === 0)
      throw new StudyActError(
        'nothing-there',
        kind === 'infer'
          ? 'no inference of the newest revision has ended'
          : 'no delivery of the newest revision has ended',
      )
    for (const id of ids) {
      // What is there is proven again; what is not is delivered.
      if (kind === 'deliver')
        await database('deliveries').where({ job_id: id }).update({ state: 'pending', updated_at: this.#now() })
      await queue.again(id, by)
    }
    const what = kind === 'infer' ? 'inference' : 'delivery'
    return {
      sentence: `${ids.length} ${ids.length === 1 ? what : what.replace(/y$/, 'ie').concat('s')} queued again`,
      jobs: ids,
    }
  }

  /** @throws StudyActError */
  async run(studyInstanceUID: string, what: Parameters<Acts['run']>[1], by: string): Promise<Acted> {
    const { database, queue } = this.#options
    const study = await this.#study(studyInstanceUID)
    const revision = await this.#newest(study)
    const pipeline = this.#options.pipeline(what.pipeline)
    if (!pipeline) throw new StudyActError('pipeline-unknown', `no pipeline that may be run is called ${what.pipeline}`)
    for (const name of what.destinations) this.#checkDestination(name)
    const inputs = await chosenInputs(database, {
      study,
      members: JSON.parse(revision.members) as Members,
      pipeline,
      chosen: what.inputs,
    })
    const pinned = `${pipeline.name}@${pipeline.digest}`
    const same = await this.#sameRun(study.id, { pinned, inputs })
    const payload: InferPayload = { inputs, destinations: [...what.destinations], pipeline: pinned }
    let id: string
    if (same) {
      // Its findings would count twice beside those of the run that is there.
      const destinations = [...new Set([...same.payload.destinations, ...what.destinations])]
      await database('jobs')
        .where({ id: same.id })
        .update({ payload: JSON.stringify({ ...same.payload, destinations }), priority: priorities[what.priority] })
      id = (await queue.again(same.id, by)).id
    } else {
      id = deriveUID('job', String(revision.id), pinned, JSON.stringify(inputs), this.#now())
      const job = {
        id,
        kind: 'infer' as const,
        studyId: study.id,
        revisionId: revision.id,
        route: null,
        destination: null,
      }
      await database.transaction(async (trx) => {
        await queue.enqueue({ ...job, pipeline: pinned, priority: priorities[what.priority], payload }, trx)
        await this.#tell(trx, study, {
          kind: 'run',
          sentence: `${pipeline.title} ${pipeline.version} queued by ${by}`,
          by,
        })
        await recomputeStudyState(trx, study.id)
      })
    }
    this.#options.onChange(studyInstanceUID)
    return { sentence: `${pipeline.title} ${pipeline.version} is queued`, jobs: [id] }
  }

  /** A run that has ended, of the same pipeline on the same series, for the newest revision. */
  async #sameRun(
    studyId: number,
    { pinned, inputs }: { pinned: string; inputs: Record<string, string> },
  ): Promise<{ id: string; payload: InferPayload } | null> {
    const rows: { id: string; payload: string; state: string }[] = await currentJobs(this.#options.database, studyId)
      .andWhere({ 'jobs.kind': 'infer', 'jobs.pipeline': pinned })
      .select('jobs.id', 'jobs.payload', 'jobs.state')
    for (const { id, payload: text, state } of rows) {
      const payload = JSON.parse(text) as InferPayload
      if (!sameEntries(payload.inputs, inputs) || payload.earlier || payload.further) continue
      if (state === 'queued' || state === 'running')
        throw new StudyActError('has-work', `the same run is ${state} already`)
      return { id, payload }
    }
    return null
  }

  /** @throws StudyActError */
  async deliver(studyInstanceUID: string, what: Parameters<Acts['deliver']>[1], by: string): Promise<Acted> {
    const { database, queue } = this.#options
    const study = await this.#study(studyInstanceUID)
    const revision = await this.#newest(study)
    this.#checkDestination(what.destination)
    const results = database('results')
      .join('jobs', 'jobs.id', 'results.job_id')
      .join('revisions', 'revisions.id', 'results.revision_id')
      .join('studies', 'studies.id', 'results.study_id')
      .where('results.study_id', study.id)
    if (what.results) results.whereIn('results.sop_instance_uid', what.results)
    else results.whereRaw(isCurrent)
    const resultIds: number[] = await results.orderBy('results.id').pluck('results.id')
    if (resultIds.length < (what.results?.length ?? 1))
      throw new StudyActError(
        'nothing-there',
        what.results ? 'not all of the objects are results of this study' : 'the newest revision has no results',
      )
    const at = this.#now()
    const { destination } = what
    const id = deriveUID('job', 'deliver', destination, resultIds.join(), at)
    await database.transaction(async (trx) => {
      const job = {
        id,
        kind: 'deliver' as const,
        studyId: study.id,
        revisionId: revision.id,
        route: null,
        pipeline: null,
        destination,
      }
      await queue.enqueue({ ...job, priority: priorities.urgent, payload: { resultIds, destination } }, trx)
      const rows = resultIds.map((result_id) => ({
        result_id,
        job_id: id,
        destination,
        state: 'pending',
        updated_at: at,
      }))
      await trx('deliveries').insert(rows).onConflict(['result_id', 'destination']).ignore()
      const sentence = `delivery of ${resultIds.length} results to ${destination} queued by ${by}`
      await this.#tell(trx, study, { kind: 'deliver', sentence, by })
      await recomputeStudyState(trx, study.id)
    })
    this.#options.onChange(studyInstanceUID)
    return { sentence: `${resultIds.length} results are on their way to ${destination}`, jobs: [id] }
  }

  /** @throws StudyActError */
  async remove(studyInstanceUID: string, by: string): Promise<string> {
    const { database, queue, objects, log } = this.#options
    const study = await this.#study(studyInstanceUID)
    if (study.changed === 1)
      throw new StudyActError('not-complete', 'the study is still being received: complete it first, then delete it')
    const open: { id: string; state: string }[] = await database('jobs')
      .where({ study_id: study.id })
      .whereIn('state', ['queued', 'running'])
      .select('id', 'state')
    if (open.some(({ state }) => state === 'running'))
      throw new StudyActError('has-work', 'a job of the study runs: end it, or wait for its end')
    for (const { id } of open) await queue.cancel(id, by)
    const count = async (table: string) =>
      (await database(table).where({ study_id: study.id }).count<{ n: number }[]>('* as n'))[0]?.n ?? 0
    const seen = {
      id: study.id,
      studyInstanceUID,
      revision: study.revision,
      lastInstanceAt: study.last_instance_at,
      instances: await count('instances'),
      results: await count('results'),
    }
    const reason = { rule: '', proof: 'asked for and confirmed', actor: by, at: this.#now() }
    const deletion: Deletion | null = await deleteStudy(database, seen, reason, undefined, { undelivered: true })
    if (!deletion) throw new StudyActError('has-work', 'the study has changed meanwhile: look at it again')
    await removeDeletedObjects(database, objects, log)
    await this.#options.onDeleted?.(studyInstanceUID)
    this.#options.onChange(studyInstanceUID)
    return `the study was deleted ${deletionReason(deletion)}`
  }

  #checkDestination(name: string): void {
    if (!this.#options.destinations.names().includes(name))
      throw new StudyActError('destination-unknown', `there is no destination ${name}`)
  }

  async #study(studyInstanceUID: string): Promise<StudyRow> {
    const study = await this.#options
      .database('studies')
      .where({ study_instance_uid: studyInstanceUID })
      .first<StudyRow | undefined>('id', 'study_instance_uid', 'revision', 'changed', 'last_instance_at')
    if (!study) throw new StudyActError('study-unknown', 'no such study is known here')
    return study
  }

  async #newest(study: StudyRow): Promise<NewestRevision> {
    const revision = await this.#options
      .database('revisions')
      .where({ study_id: study.id })
      .orderBy('number', 'desc')
      .first<NewestRevision | undefined>('id', 'number', 'members')
    if (!revision)
      throw new StudyActError('not-complete', 'the study is still being received: it has no complete revision yet')
    return revision
  }

  async #tell(
    trx: Knex,
    study: StudyRow,
    { kind, sentence, by }: { kind: string; sentence: string; by: string },
  ): Promise<void> {
    await trx('study_events').insert({
      study_id: study.id,
      at: this.#now(),
      kind,
      sentence,
      detail: JSON.stringify({ by }),
    })
  }

  #now(): string {
    return (this.#options.now?.() ?? new Date()).toISOString()
  }
}

/** Jobs of the newest revision, and of those whose results stand in it; rows are `jobs`. */
function currentJobs(database: Knex, studyId: number): Knex.QueryBuilder {
  return database('jobs')
    .join('revisions', 'revisions.id', 'jobs.revision_id')
    .join('studies', 'studies.id', 'jobs.study_id')
    .where('jobs.study_id', studyId)
    .andWhereRaw(isCurrent)
}

/**
 * Queues the job of a route that was decided again. Where its revision has one already, that one is queued again if it has failed or its
 * work is another now; else it stays as it is.
 */
async function replaceJob(
  job: NewJob,
  { trx, queue, queued, at }: { trx: Knex; queue: JobQueue; queued: string[]; at: string },
): Promise<boolean> {
  const there = await trx('jobs').where({ id: job.id }).first<JobRow | undefined>('*')
  if (!there) {
    queued.push(job.id)
    return await queue.enqueue(job, trx)
  }
  const payload = JSON.stringify(job.payload ?? null)
  const isSame = there.pipeline === job.pipeline && there.payload === payload
  if (isSame && there.state !== 'failed') return false
  await trx('jobs')
    .where({ id: job.id })
    .update({
      pipeline: job.pipeline,
      payload,
      priority: job.priority,
      shadow: job.shadow ? 1 : 0,
      state: 'queued',
      refused: 0,
      cancelled: 0,
      error: null,
      interruptions: 0,
      run_after: job.runAfter ?? at,
      finished_at: null,
    })
  queued.push(job.id)
  return true
}

function sameEntries(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
