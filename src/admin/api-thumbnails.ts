import { z } from 'zod'
import { uid } from './api-schemas.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import { isUnchanged } from './entity-tag.ts'

/** A small picture, as PNG. */
export interface Thumbnail {
  bytes: Buffer
  /** Of what is shown: another picture has another one. */
  etag: string
}

export interface ThumbnailsDeps {
  /** Each null where there is nothing to show: no such object, or one without pixels that can be decoded. */
  thumbnails: {
    study(studyInstanceUID: string, size: number): Promise<Thumbnail | null>
    series(studyInstanceUID: string, seriesInstanceUID: string, size: number): Promise<Thumbnail | null>
    result(sopInstanceUID: string, size: number): Promise<Thumbnail | null>
  }
}

const query = z.strictObject({
  size: z.coerce.number().int().min(32).max(512).default(160).describe('pixels of the longer side, at most'),
})

/** Small pictures, made once and kept for a while. */
export function thumbnailEndpoints({ thumbnails }: ThumbnailsDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/studies/{studyInstanceUID}/thumbnail',
      summary: 'The middle slice of the study’s largest series, through its window',
      params: z.strictObject({ studyInstanceUID: uid }),
      query,
      answerType: 'image/png',
      handle: async ({ params, query: { size }, req, res }) =>
        give(await thumbnails.study(params.studyInstanceUID, size), req, res),
    }),
    endpoint({
      method: 'get',
      path: '/studies/{studyInstanceUID}/series/{seriesInstanceUID}/thumbnail',
      summary: 'The middle slice of a series, through its window',
      params: z.strictObject({ studyInstanceUID: uid, seriesInstanceUID: uid }),
      query,
      answerType: 'image/png',
      handle: async ({ params, query: { size }, req, res }) =>
        give(await thumbnails.series(params.studyInstanceUID, params.seriesInstanceUID, size), req, res),
    }),
    endpoint({
      method: 'get',
      path: '/results/{sopInstanceUID}/thumbnail',
      summary: 'A result over the image that it speaks of, where it can be drawn; 404 where it cannot',
      params: z.strictObject({ sopInstanceUID: uid }),
      query,
      answerType: 'image/png',
      handle: async ({ params, query: { size }, req, res }) =>
        give(await thumbnails.result(params.sopInstanceUID, size), req, res),
    }),
  ]
}

type Exchange = Parameters<Endpoint['handle']>[0]

function give(thumbnail: Thumbnail | null, req: Exchange['req'], res: Exchange['res']): undefined {
  if (!thumbnail) throw new ApiError(404, 'no-picture', 'There is nothing here that a small picture can show.')
  // Kept by the browser, and asked about each time: whoever is logged out sees it no more.
  res.setHeader('Cache-Control', 'private, no-cache')
  res.setHeader('ETag', thumbnail.etag)
  res.setHeader('Content-Type', 'image/png')
  if (isUnchanged(req, thumbnail.etag)) res.status(304).end()
  else res.status(200).end(thumbnail.bytes)
  return undefined
}
