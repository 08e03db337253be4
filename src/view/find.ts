import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Knex } from 'knex'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { effort } from '../store/study-walk.ts'
import type { Level } from './attributes.ts'
import { answerPatients, type FindAnswerOptions, findAnswers } from './find-answer.ts'
import { type FindKeys, type FindLevel, readFindKeys } from './find-keys.ts'
import { addMatching } from './matching.ts'
import { instancesOf, seriesOf } from './search-contents.ts'
import { matchingStudies } from './search-studies.ts'

/** A C-FIND's level and keys. */
export interface FindQuestion {
  level: FindLevel
  keys: DicomJson
}

/** What a C-FIND is answered with. */
export interface FindResult {
  /** The Identifiers of the responses, without Specific Character Set, page after page. */
  pages: AsyncGenerator<DicomJson[], void, void>
  /** A key matched everything because it is not supported: the responses say so (0xFF01). */
  unsupported: boolean
}

/** Headers travel with studies and series. Pages bound what is in memory, and how long the database is held. */
const pageLengths: Readonly<Record<FindLevel, number>> = { PATIENT: 100, STUDY: 100, SERIES: 50, IMAGE: 200 }
/** Where every study's instances have to be looked at. */
const costlyPageLength = 10
const sopClassesInStudy = '00080062'

/**
 * Answers a C-FIND from the index (PS3.4 C.2.2.2, C.6.1.1), with the matching and in the order of QIDO-RS. Patients are told apart by
 * Patient ID; studies without one are found at the study level only.
 * @param options.retrieveAETitle the AE title that the instances can be had from
 * @returns pages that are looked for when they are asked for; asking throws RequestError 'bad-parameter' where a key's value does not
 * have its attribute's form
 */
export function find(database: Knex, question: FindQuestion, options: { retrieveAETitle: string }): FindResult {
  const { level } = question
  const keys = readFindKeys(question.keys, level)
  const answerOptions = { ...options, level, asked: keys.asked }
  const pages =
    level === 'PATIENT'
      ? patientPages(database, keys, answerOptions)
      : answeredPages(database, level, keys, answerOptions)
  return { pages, unsupported: keys.unsupported }
}

async function* answeredPages(
  database: Knex,
  level: Exclude<FindLevel, 'PATIENT'>,
  keys: FindKeys,
  options: FindAnswerOptions,
): AsyncGenerator<DicomJson[], void, void> {
  const length = keys.asked.has(sopClassesInStudy) ? costlyPageLength : pageLengths[level]
  let page: number[] = []
  for await (const ids of foundIds(database, level, keys)) {
    for (const id of ids) {
      page.push(id)
      if (page.length < length) continue
      yield await findAnswers[level](database, page, options)
      page = []
    }
  }
  if (page.length > 0) yield await findAnswers[level](database, page, options)
}

async function* foundIds(
  database: Knex,
  level: Exclude<FindLevel, 'PATIENT'>,
  { matching: keys }: FindKeys,
): AsyncGenerator<readonly number[], void, void> {
  const of = (wanted: Level) => keys.filter(({ attribute }) => attribute.level === wanted)
  // A C-FIND cannot say that it did not look at everything: it looks at everything, however long that takes.
  const spent = effort(Number.POSITIVE_INFINITY)
  for await (const studies of matchingStudies(database, { scope: {}, keys }, spent)) {
    if (level === 'STUDY') {
      yield studies
      continue
    }
    const narrow = (series: Knex.QueryBuilder) => {
      for (const key of of('series')) addMatching(series, key)
    }
    for await (const series of seriesOf(database, studies, narrow)) {
      if (level === 'SERIES') yield series.map(({ id }) => id)
      else yield* instancesOf(database, series, { keys: of('instance'), effort: spent })
    }
  }
}

async function* patientPages(
  database: Knex,
  keys: FindKeys,
  options: FindAnswerOptions,
): AsyncGenerator<DicomJson[], void, void> {
  const length = pageLengths.PATIENT
  let after = ''
  for (;;) {
    const query = database('studies').where('studies.patient_id', '>', after)
    for (const key of keys.matching) addMatching(query, key)
    query.whereExists((held) => {
      held
        .select('held.id')
        .from({ held: 'series' })
        .whereRaw('held.study_id = studies.id')
        .where('held.instances', '>', 0)
    })
    const rows: { patient_id: string; id: number }[] = await query
      .groupBy('studies.patient_id')
      .orderBy('studies.patient_id')
      .limit(length)
      .select('studies.patient_id')
      .max({ id: 'studies.id' })
    if (rows.length > 0) yield await answerPatients(database, rows, options)
    if (rows.length < length) return
    after = rows.at(-1)?.patient_id ?? after
    await nextTurn()
  }
}
