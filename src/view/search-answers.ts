import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Knex } from 'knex'
import type { DicomJson } from '../dicom/dicom-json.ts'
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
import type { SearchScope } from './search-studies.ts'

export interface AnswersOptions {
  include: SearchRequest['include']
  /** URL of the DICOMweb service, for RetrieveURL. */
  base: string
  scope: SearchScope
}

/** Rows that are read and made into answers before everything else has its turn; headers are long, and parsing them takes time. */
const rowsAtOnce: Readonly<Record<'studies' | 'series' | 'instances', number>> = {
  studies: 100,
  series: 50,
  instances: 250,
}

const emptyContents: StudyContents = { modalities: [], series: 0, instances: 0 }

/** The answers for studies, in the order of their ids. */
export async function studyAnswers(
  database: Knex,
  ids: readonly number[],
  options: Pick<AnswersOptions, 'include' | 'base'>,
): Promise<DicomJson[]> {
  return [...(await studyAnswersById(database, ids, options)).values()]
}

async function studyAnswersById(
  database: Knex,
  ids: readonly number[],
  options: Pick<AnswersOptions, 'include' | 'base'>,
): Promise<Map<number, DicomJson>> {
  const answers = new Map<number, DicomJson>()
  for await (const batch of batches(ids, rowsAtOnce.studies)) {
    const rows = inOrder<StudyRow>(batch, await database('studies').whereIn('id', batch))
    const contents = await contentsOfStudies(database, batch)
    for (const row of rows) answers.set(row.id, studyAnswerOf(row, contents.get(row.id) ?? emptyContents, options))
  }
  return answers
}

/** The answers for series; below a study named in the URL the study's attributes are not repeated (PS3.18 10.6.3.3). */
export async function seriesAnswers(
  database: Knex,
  ids: readonly number[],
  options: AnswersOptions,
): Promise<DicomJson[]> {
  const answers: DicomJson[] = []
  const studies = new Answers((wanted) => studyAnswersById(database, wanted, options))
  for await (const batch of batches(ids, rowsAtOnce.series)) {
    const rows = await seriesRows(database, batch)
    if (options.scope.studyInstanceUID === undefined) await studies.need(rows.map((row) => row.study_id))
    for (const row of rows) answers.push({ ...studies.get(row.study_id), ...seriesAnswerOf(row, options) })
  }
  return answers
}

/** The answers for instances, with the attributes of the series and studies that the URL does not name. */
export async function instanceAnswers(
  database: Knex,
  ids: readonly number[],
  options: AnswersOptions,
): Promise<DicomJson[]> {
  const answers: DicomJson[] = []
  const studies = new Answers((wanted) => studyAnswersById(database, wanted, options))
  const series = new Answers(async (wanted) => {
    const rows = await seriesRows(database, wanted)
    return new Map(rows.map((row) => [row.id, seriesAnswerOf(row, options)]))
  })
  for await (const batch of batches(ids, rowsAtOnce.instances)) {
    const found: InstanceRow[] = await database('instances')
      .join('series', 'series.id', 'instances.series_id')
      .join('studies', 'studies.id', 'instances.study_id')
      .whereIn('instances.id', batch)
      .select('instances.*', 'studies.study_instance_uid', 'series.series_instance_uid')
    const rows = inOrder(batch, found)
    if (options.scope.studyInstanceUID === undefined) await studies.need(rows.map((row) => row.study_id))
    if (options.scope.seriesInstanceUID === undefined) await series.need(rows.map((row) => row.series_id))
    for (const row of rows)
      answers.push({ ...studies.get(row.study_id), ...series.get(row.series_id), ...instanceAnswer(row, options) })
  }
  return answers
}

/** Answers of a higher level, each made once however many rows below it are answered. */
class Answers {
  readonly #make: (ids: number[]) => Promise<Map<number, DicomJson>>
  readonly #known = new Map<number, DicomJson>()

  constructor(make: (ids: number[]) => Promise<Map<number, DicomJson>>) {
    this.#make = make
  }

  async need(ids: readonly number[]): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.#known.has(id))
    if (missing.length === 0) return
    for (const [id, answer] of await this.#make(missing)) this.#known.set(id, answer)
  }

  get(id: number): DicomJson | undefined {
    return this.#known.get(id)
  }
}

async function seriesRows(database: Knex, ids: readonly number[]): Promise<SeriesRow[]> {
  const rows: SeriesRow[] = await database('series')
    .join('studies', 'studies.id', 'series.study_id')
    .whereIn('series.id', [...ids])
    .select('series.*', 'studies.study_instance_uid')
  return inOrder(ids, rows)
}

interface ContentsRow {
  study_id: number
  modality: string | null
  series: number
  instances: number | null
}

/** Of the series that hold something. */
async function contentsOfStudies(database: Knex, ids: readonly number[]): Promise<Map<number, StudyContents>> {
  const contents = new Map<number, StudyContents>()
  const rows: ContentsRow[] = await database('series')
    .whereIn('study_id', ids)
    .where('instances', '>', 0)
    .groupBy('study_id', 'modality')
    .orderBy(['study_id', 'modality'])
    .select('study_id', 'modality')
    .count({ series: '*' })
    .sum({ instances: 'instances' })
  for (const row of rows) {
    const held = contents.get(row.study_id) ?? { modalities: [], series: 0, instances: 0 }
    if (row.modality) held.modalities.push(row.modality)
    held.series += row.series
    held.instances += row.instances ?? 0
    contents.set(row.study_id, held)
  }
  return contents
}

/** Ids in batches, with a turn for everything else between two. */
async function* batches(ids: readonly number[], size: number): AsyncGenerator<number[]> {
  for (let i = 0; i < ids.length; i += size) {
    if (i > 0) await nextTurn()
    yield ids.slice(i, i + size)
  }
}

/** Rows in the order of the ids; one that was deleted meanwhile is left out. */
function inOrder<Row extends { id: number }>(ids: readonly number[], rows: readonly Row[]): Row[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
