import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Knex } from 'knex'
import { z } from 'zod'
import { StoreError } from '../store/error.ts'
import type { Objects } from '../store/objects.ts'
import { uid } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'

export interface ExportsDeps {
  knex: Knex
  objects: Pick<Objects, 'pathOf'>
}

const exported = z.object({
  id: z.number(),
  name: z.string(),
  mediaType: z.string(),
  size: z.number(),
  sha256: z.string(),
  output: z.string().describe('id of the output of the pipeline, or its kind'),
  pipeline: z.string(),
  route: z.string().nullable(),
  revision: z.number(),
  createdAt: z.string(),
})

/** Files that pipelines made for export: NIfTI, JSON. */
export function exportEndpoints({ knex, objects }: ExportsDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/studies/{studyInstanceUID}/exports',
      summary: 'Files that pipelines made of a study for export, the newest revision’s first',
      params: z.strictObject({ studyInstanceUID: uid }),
      answer: z.object({ exports: z.array(exported) }),
      handle: async ({ params }) => {
        const study = await knex('studies').where({ study_instance_uid: params.studyInstanceUID }).first('id')
        if (!study) throw new ApiError(404, 'not-found', 'No such study is known here.')
        return { exports: await exportsOf(knex, study.id) }
      },
    }),
    endpoint({
      method: 'get',
      path: '/exports/{id}',
      summary: 'The bytes of an exported file',
      params: z.strictObject({ id: z.coerce.number().int().positive() }),
      answerType: 'application/octet-stream',
      action: 'export-download',
      handle: async ({ params, res }) => {
        const row: { object_key: string; name: string; size: number } | undefined = await knex('exports')
          .where({ id: params.id })
          .first('object_key', 'name', 'size')
        if (!row) throw new ApiError(404, 'not-found', 'No such file is known here.')
        const file = await pathOf(objects, row.object_key)
        res.setHeader('Content-Type', 'application/octet-stream')
        res.setHeader('Content-Length', row.size)
        res.setHeader('Content-Disposition', `attachment; filename="${row.name}"`)
        res.setHeader('Cache-Control', 'no-store')
        await pipeline(createReadStream(file), res)
        return undefined
      },
    }),
  ]
}

async function exportsOf(knex: Knex, studyId: number): Promise<z.input<typeof exported>[]> {
  return await knex('exports')
    .join('revisions', 'revisions.id', 'exports.revision_id')
    .join('jobs', 'jobs.id', 'exports.job_id')
    .where('exports.study_id', studyId)
    .orderBy([{ column: 'revisions.number', order: 'desc' }, 'exports.id'])
    .select({
      id: 'exports.id',
      name: 'exports.name',
      mediaType: 'exports.media_type',
      size: 'exports.size',
      sha256: 'exports.sha256',
      output: 'exports.output',
      pipeline: 'exports.pipeline',
      route: 'jobs.route',
      revision: 'revisions.number',
      createdAt: 'exports.created_at',
    })
}

async function pathOf(objects: ExportsDeps['objects'], key: string): Promise<string> {
  try {
    return await objects.pathOf(key)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'object-missing')
      throw new ApiError(410, 'gone', 'The bytes of the file are no longer there.')
    throw error
  }
}
