import type { Knex } from 'knex'
import type { DicomJson } from '../dicom/dicom-json.ts'
import type { Level } from './attributes.ts'
import { addMatching } from './matching.ts'
import {
  type InstanceRow,
  instanceAnswer,
  type SeriesRow,
  type StudyContents,
  type StudyRow,
  seriesAnswerOf,
  studyAnswerOf,
} from './search-answer.ts'
import type { SearchRequest } from './search-request.ts'

/** What a search is confined to by its URL. */
export interface SearchScope {
  studyInstanceUID?: string
  seriesInstanceUID?: string
}

/** The matches, at most as many as the limit allows. */
export interface SearchResult {
  matches: DicomJson[]
  /** There are more matches behind the last one. */
  truncated: boolean
}

/** How many matches are given without a `limit`, and at most. Headers travel with studies and series, so these are bounded tighter. */
const limits: Readonly<Record<Level, { unasked: number; maximum: number }>> = {
  study: { unasked: 100, maximum: 5000 },
  series: { unasked: 1000, maximum: 1000 },
  instance: { unasked: 10_000, maximum: 10_000 },
}

/**
 * Answers a QIDO-RS search from the index alone (PS3.18 10.6); no object is opened.
 * @param base URL of the DICOMweb service, for RetrieveURL
 * @throws RequestError 'bad-parameter' where a key's value does not have its attribute's form
 */
export async function search(
  database: Knex,
  question: { level: Level; scope: SearchScope; request: SearchRequest; base: string },
): Promise<SearchResult> {
  const { level, request } = question
  const { unasked, maximum } = limits[level]
  const limit = Math.min(request.limit ?? unasked, maximum)
  const rows = (await selectRows(database, question)
    .limit(limit + 1)
    .offset(request.offset)) as unknown[]
  const truncated = rows.length > limit
  const page = rows.slice(0, limit)
  return { matches: await answers(database, question, page), truncated }
}

function selectRows(
  database: Knex,
  { level, scope, request }: { level: Level; scope: SearchScope; request: SearchRequest },
): Knex.QueryBuilder {
  const query = database('studies')
  if (level !== 'study') query.join('series', 'series.study_id', 'studies.id')
  if (level === 'instance') query.join('instances', 'instances.series_id', 'series.id')
  if (scope.studyInstanceUID !== undefined) query.where('studies.study_instance_uid', scope.studyInstanceUID)
  if (scope.seriesInstanceUID !== undefined) query.where('series.series_instance_uid', scope.seriesInstanceUID)
  for (const key of request.keys) addMatching(query, key)
  switch (level) {
    case 'study':
      return query.select('studies.*').orderBy([
        { column: 'studies.study_date', order: 'desc', nulls: 'last' },
        { column: 'studies.id', order: 'desc' },
      ])
    case 'series':
      return query
        .select('series.*', 'studies.study_instance_uid')
        .orderBy([{ column: 'series.study_id', order: 'desc' }, 'series.series_number', 'series.id'])
    case 'instance':
      return query
        .select('instances.*', 'studies.study_instance_uid', 'series.series_instance_uid')
        .orderBy([
          { column: 'instances.study_id', order: 'desc' },
          'instances.series_id',
          'instances.instance_number',
          'instances.id',
        ])
    default:
      return level satisfies never
  }
}

async function answers(
  database: Knex,
  { level, scope, request, base }: { level: Level; scope: SearchScope; request: SearchRequest; base: string },
  rows: unknown[],
): Promise<DicomJson[]> {
  const { include } = request
  if (level === 'study') {
    const studies = rows as StudyRow[]
    const contents = await contentsOfStudies(
      database,
      studies.map((row) => row.id),
    )
    return studies.map((row) => studyAnswerOf(row, contents.get(row.id) ?? emptyContents, { include, base }))
  }
  // Answers below a study named in the URL need not repeat the study's own attributes (PS3.18 10.6.3.3).
  const lower = rows as { study_id: number }[]
  const studies = scope.studyInstanceUID === undefined ? await studyAnswers(database, lower, { include, base }) : null
  if (level === 'series') {
    return (rows as SeriesRow[]).map((row) => ({
      ...studies?.get(row.study_id),
      ...seriesAnswerOf(row, { include, base }),
    }))
  }
  const instances = rows as InstanceRow[]
  const series =
    scope.seriesInstanceUID === undefined ? await seriesAnswers(database, instances, { include, base }) : null
  return instances.map((row) => ({
    ...studies?.get(row.study_id),
    ...series?.get(row.series_id),
    ...instanceAnswer(row, { base }),
  }))
}

const emptyContents: StudyContents = { modalities: [], series: 0, instances: 0 }

interface ContentsRow {
  study_id: number
  modality: string | null
  series: number
  instances: number | null
}

async function contentsOfStudies(database: Knex, ids: number[]): Promise<Map<number, StudyContents>> {
  const contents = new Map<number, StudyContents>()
  const rows = await inBatches<ContentsRow>(ids, (batch) =>
    database('series')
      .whereIn('study_id', batch)
      .groupBy('study_id', 'modality')
      .orderBy(['study_id', 'modality'])
      .select('study_id', 'modality')
      .count({ series: '*' })
      .sum({ instances: 'instances' }),
  )
  for (const row of rows) {
    const held = contents.get(row.study_id) ?? { modalities: [], series: 0, instances: 0 }
    if (row.modality) held.modalities.push(row.modality)
    held.series += row.series
    held.instances += row.instances ?? 0
    contents.set(row.study_id, held)
  }
  return contents
}

type AnswerOptions = { include: SearchRequest['include']; base: string }

async function studyAnswers(database: Knex, rows: { study_id: number }[], options: AnswerOptions) {
  const ids = [...new Set(rows.map((row) => row.study_id))]
  const contents = await contentsOfStudies(database, ids)
  const studies = await inBatches<StudyRow>(ids, (batch) => database('studies').whereIn('id', batch))
  return new Map(studies.map((row) => [row.id, studyAnswerOf(row, contents.get(row.id) ?? emptyContents, options)]))
}

async function seriesAnswers(database: Knex, rows: InstanceRow[], options: AnswerOptions) {
  const ids = [...new Set(rows.map((row) => row.series_id))]
  const series = await inBatches<SeriesRow>(ids, (batch) =>
    database('series')
      .join('studies', 'studies.id', 'series.study_id')
      .whereIn('series.id', batch)
      .select('series.*', 'studies.study_instance_uid'),
  )
  return new Map(series.map((row) => [row.id, seriesAnswerOf(row, options)]))
}

/** Databases bound the number of values in one statement. */
async function inBatches<Row>(ids: number[], select: (batch: number[]) => PromiseLike<Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for (let i = 0; i < ids.length; i += 500) rows.push(...(await select(ids.slice(i, i + 500))))
  return rows
}
