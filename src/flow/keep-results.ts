import path from 'node:path'
import type { Knex } from 'knex'
import type { FoundValue, WrittenResult } from '../infer/task.ts'
import type { Job } from '../jobs/job.ts'
import type { Objects } from '../store/objects.ts'
import type { InferPayload } from './route-revision.ts'

export interface KeptResults {
  /** Writes the rows of results and findings; a repeated job replaces its own. */
  insert(trx: Knex, of: { job: Job; pipeline: string; findings: readonly FoundValue[]; at: string }): Promise<void>
  /** The rows of results that were inserted. */
  idsOf(trx: Knex, results: readonly WrittenResult[]): Promise<number[]>
  /** Writes that results are to be delivered to a destination by a job. */
  expect(trx: Knex, to: { jobId: string; destination: string; resultIds: readonly number[]; at: string }): Promise<void>
}

/** Moves result files out of the job's folder into the objects store, where they stay until and after their delivery. */
export async function keepResults(
  results: readonly WrittenResult[],
  { outFolder, objects }: { outFolder: string; objects: Objects },
): Promise<KeptResults> {
  const keys = new Map<string, string>()
  for (const result of results) {
    // UIDs are digits and dots: safe in a key. The digest makes another content another object.
    const key = `results/${result.sopInstanceUID}-${result.sha256.slice(0, 12)}.dcm`
    await objects.put(key, path.join(outFolder, result.file))
    keys.set(result.sopInstanceUID, key)
  }
  return {
    async insert(trx, { job, pipeline, findings, at }) {
      const isShadow = (job.payload as InferPayload).shadow === true
      for (const result of results) {
        const row = {
          job_id: job.id,
          study_id: job.studyId,
          revision_id: job.revisionId,
          pipeline,
          role: result.role,
          sop_instance_uid: result.sopInstanceUID,
          sop_class_uid: result.sopClassUID,
          series_instance_uid: result.seriesInstanceUID,
          modality: result.modality,
          object_key: keys.get(result.sopInstanceUID) ?? '',
          size: result.size,
          sha256: result.sha256,
          supersedes: result.supersedes,
          created_at: at,
        }
        await expectAgain(trx, result, at)
        const insert = trx('results').insert(row).onConflict('sop_instance_uid')
        // The same files on the same series give the same UIDs: a shadow never takes a result from the route that delivers it.
        if (isShadow && !(await isOf(trx, job.id, result))) await insert.ignore()
        else await insert.merge()
      }
      await trx('findings').where({ job_id: job.id }).delete()
      const rows = findings.map((finding) => ({
        job_id: job.id,
        study_id: job.studyId,
        revision_id: job.revisionId,
        pipeline,
        name: finding.name,
        value: finding.value,
        unit: finding.unit,
        code: finding.code,
        site: finding.site,
      }))
      if (rows.length > 0) await trx('findings').insert(rows)
      if (!isShadow) await tellOfSupersession(trx, job, results, at)
    },
    async idsOf(trx, some) {
      return await trx('results')
        .whereIn(
          'sop_instance_uid',
          some.map((result) => result.sopInstanceUID),
        )
        .orderBy('id')
        .pluck('id')
    },
    async expect(trx, { jobId, destination, resultIds, at }) {
      const rows = resultIds.map((id) => ({
        result_id: id,
        job_id: jobId,
        destination,
        state: 'pending',
        updated_at: at,
      }))
      if (rows.length > 0) await trx('deliveries').insert(rows).onConflict(['result_id', 'destination']).ignore()
    },
  }
}

/** What was delivered is not what is here now, where a repeated run has made other bytes of the same object. */
async function expectAgain(trx: Knex, { sopInstanceUID, sha256 }: WrittenResult, at: string): Promise<void> {
  const earlier = await trx('results')
    .where({ sop_instance_uid: sopInstanceUID })
    .whereNot({ sha256 })
    .first<{ id: number } | undefined>('id')
  if (earlier)
    await trx('deliveries')
      .where({ result_id: earlier.id })
      .update({ state: 'pending', proof: null, error: null, updated_at: at })
}

async function isOf(trx: Knex, jobId: string, { sopInstanceUID }: WrittenResult): Promise<boolean> {
  return (await trx('results').where({ sop_instance_uid: sopInstanceUID, job_id: jobId }).first('id')) !== undefined
}

async function tellOfSupersession(trx: Knex, job: Job, results: readonly WrittenResult[], at: string): Promise<void> {
  const superseding = results.filter((result) => result.supersedes !== null)
  if (superseding.length === 0) return
  await trx('study_events').where({ study_id: job.studyId, kind: 'superseded', at }).delete()
  await trx('study_events').insert({
    study_id: job.studyId,
    at,
    kind: 'superseded',
    sentence: `${superseding.length} results supersede those of an earlier revision`,
    detail: JSON.stringify({
      route: job.route,
      results: superseding.map((r) => ({ by: r.sopInstanceUID, superseded: r.supersedes })),
    }),
  })
}
