import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import type { Thumbnail, ThumbnailsDeps } from '../admin/api-thumbnails.ts'
import { HilumError } from '../errors.ts'
import type { Objects } from '../store/objects.ts'
import { PictureThread } from './picture-thread.ts'
import { ThumbnailFiles } from './thumbnail-files.ts'

export interface ThumbnailsOptions {
  database: Knex
  objects: Pick<Objects, 'pathOf'>
  dataDir: string
  /** Bytes of the pictures that are kept. */
  mostBytes: number
}

/** Changes when pictures are made otherwise: kept ones are then made anew. */
const version = 1
/** Objects without a picture are remembered, so that they are not read again and again. */
const mostWithout = 5000
/** Objects that are no images of the patient: they give a study no picture. */
const noImages = ['SR', 'SEG', 'PR', 'KO', 'RTSTRUCT', 'RTPLAN', 'RTDOSE', 'DOC', 'REG', 'ECG', 'AU']

interface Source {
  id: number
  objectKey: string
  studyInstanceUID: string
}

/** Small pictures of studies, series and results: made when they are asked for, and kept on disk for a while. */
export class Thumbnails {
  readonly #options: ThumbnailsOptions
  readonly #files: ThumbnailFiles
  readonly #thread = new PictureThread()
  readonly #making = new Map<string, Promise<Thumbnail | null>>()
  readonly #without = new Set<string>()

  constructor(options: ThumbnailsOptions) {
    this.#options = options
    this.#files = new ThumbnailFiles(options.dataDir, options.mostBytes)
  }

  /** For the API. */
  get deps(): ThumbnailsDeps['thumbnails'] {
    return {
      study: (studyInstanceUID, size) => this.#study(studyInstanceUID, size),
      series: (studyInstanceUID, seriesInstanceUID, size) => this.#series(studyInstanceUID, seriesInstanceUID, size),
      result: (sopInstanceUID, size) => this.#result(sopInstanceUID, size),
    }
  }

  /** Removes the pictures of a study: it was deleted. */
  async forget(studyInstanceUID: string): Promise<void> {
    await this.#files.forget(studyInstanceUID)
  }

  async close(): Promise<void> {
    await this.#thread.close()
  }

  async #study(studyInstanceUID: string, size: number): Promise<Thumbnail | null> {
    const { database } = this.#options
    const series = await database('series')
      .join('studies', 'studies.id', 'series.study_id')
      .where({ 'studies.study_instance_uid': studyInstanceUID, 'series.origin': 'source' })
      .andWhere('series.instances', '>', 0)
      .andWhere((images) => void images.whereNull('series.modality').orWhereNotIn('series.modality', noImages))
      .orderBy([
        { column: 'series.instances', order: 'desc' },
        { column: 'series.id', order: 'asc' },
      ])
      .first<{ id: number; instances: number } | undefined>('series.id', 'series.instances')
    return series ? await this.#middle({ ...series, studyInstanceUID }, size) : null
  }

  async #series(studyInstanceUID: string, seriesInstanceUID: string, size: number): Promise<Thumbnail | null> {
    const series = await this.#options
      .database('series')
      .join('studies', 'studies.id', 'series.study_id')
      .where({ 'studies.study_instance_uid': studyInstanceUID, 'series.series_instance_uid': seriesInstanceUID })
      .first<{ id: number; instances: number } | undefined>('series.id', 'series.instances')
    return series ? await this.#middle({ ...series, studyInstanceUID }, size) : null
  }

  /** Of a series' instances the one in the middle, by Instance Number. */
  async #middle(
    series: { id: number; instances: number; studyInstanceUID: string },
    size: number,
  ): Promise<Thumbnail | null> {
    const source = await this.#options
      .database('instances')
      .where({ series_id: series.id })
      .orderBy(['instance_number', 'id'])
      .offset(Math.max(0, series.instances - 1) >> 1)
      .first<{ id: number; objectKey: string } | undefined>({ id: 'id', objectKey: 'object_key' })
    if (!source) return null
    return await this.#kept({ ...source, studyInstanceUID: series.studyInstanceUID }, size, async (path) =>
      this.#thread.draw({ image: { path, frame: null }, overlay: null, size }),
    )
  }

  async #result(sopInstanceUID: string, size: number): Promise<Thumbnail | null> {
    const result = await this.#options
      .database('results')
      .join('studies', 'studies.id', 'results.study_id')
      .where({ 'results.sop_instance_uid': sopInstanceUID })
      .first<(Source & { modality: string }) | undefined>({
        id: 'studies.id',
        objectKey: 'results.object_key',
        studyInstanceUID: 'studies.study_instance_uid',
        modality: 'results.modality',
      })
    if (!result) return null
    return await this.#kept(result, size, async (path) => {
      if (result.modality !== 'SEG') return this.#thread.draw({ image: { path, frame: null }, overlay: null, size })
      const chosen = await this.#thread.choose(path)
      if (!chosen) return chosen
      const image = await this.#options
        .database('instances')
        .where({ study_id: result.id, sop_instance_uid: chosen.sopInstanceUID })
        .first<{ objectKey: string } | undefined>({ objectKey: 'object_key' })
      if (!image) return null
      return this.#thread.draw({
        image: { path: await this.#options.objects.pathOf(image.objectKey), frame: chosen.frame },
        overlay: { path, frames: chosen.frames },
        size,
      })
    })
  }

  /** The picture of an object: as it was kept, or made once for all who ask for it now. */
  async #kept(
    source: Source,
    size: number,
    make: (path: string) => Promise<Buffer | null | undefined>,
  ): Promise<Thumbnail | null> {
    const key = createHash('sha256').update(`${version} ${source.objectKey} ${size}`).digest('hex').slice(0, 32)
    if (this.#without.has(key)) return null
    const etag = `"${key}"`
    const there = await this.#files.read(source.studyInstanceUID, key)
    if (there) return { bytes: there, etag }
    const making = this.#making.get(key)
    if (making) return await making
    const made = this.#make({ source, key, etag }, make).finally(() => this.#making.delete(key))
    this.#making.set(key, made)
    return await made
  }

  async #make(
    { source, key, etag }: { source: Source; key: string; etag: string },
    make: (path: string) => Promise<Buffer | null | undefined>,
  ): Promise<Thumbnail | null> {
    let path: string
    try {
      path = await this.#options.objects.pathOf(source.objectKey)
    } catch (error) {
      if (error instanceof HilumError) return null
      throw error
    }
    const bytes = await make(path)
    // A busy node may have the time later.
    if (bytes === undefined) return null
    if (!bytes) {
      if (this.#without.size >= mostWithout) this.#without.clear()
      this.#without.add(key)
      return null
    }
    await this.#files.write(source.studyInstanceUID, key, bytes)
    return { bytes, etag }
  }
}
