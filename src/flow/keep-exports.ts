import path from 'node:path'
import type { Knex } from 'knex'
import type { WrittenFile } from '../infer/task.ts'
import type { Job } from '../jobs/job.ts'
import type { Objects } from '../store/objects.ts'

export interface KeptExports {
  /** Writes the rows; a repeated job replaces its own. */
  insert(trx: Knex, of: { job: Job; pipeline: string; at: string }): Promise<void>
}

/** Moves exported files out of the job's folder into the objects store, beside the results; they stay until their study goes. */
export async function keepExports(
  files: readonly WrittenFile[],
  { job, outFolder, objects }: { job: Job; outFolder: string; objects: Objects },
): Promise<KeptExports> {
  const keyOf = ({ file, sha256 }: WrittenFile): string => `results/${job.id}-${sha256.slice(0, 12)}-${file}`
  for (const file of files) await objects.put(keyOf(file), path.join(outFolder, file.file))
  return {
    async insert(trx, { pipeline, at }) {
      await trx('exports').where({ job_id: job.id }).delete()
      const rows = files.map((file) => ({
        job_id: job.id,
        study_id: job.studyId,
        revision_id: job.revisionId,
        pipeline,
        role: file.role,
        output: file.output,
        name: file.file,
        media_type: file.mediaType,
        object_key: keyOf(file),
        size: file.size,
        sha256: file.sha256,
        created_at: at,
      }))
      if (rows.length > 0) await trx('exports').insert(rows)
    },
  }
}
