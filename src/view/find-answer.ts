import type { Knex } from 'knex'
import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { vrOf } from '../dicom/dictionary.ts'
import type { FindLevel } from './find-keys.ts'
import { type StudyRow, studyAnswerOf } from './search-answer.ts'
import { instanceAnswers, seriesAnswers, studyAnswers } from './search-answers.ts'

/** What is answered, and as whom. */
export interface FindAnswerOptions {
  level: FindLevel
  asked: ReadonlyMap<string, DicomJsonElement>
  retrieveAETitle: string
}

type Answer = (database: Knex, ids: readonly number[], options: FindAnswerOptions) => Promise<DicomJson[]>

const patientID = '00100020'
const studyInstanceUID = '0020000D'
const sopClassesInStudy = '00080062'
/** Number of Patient Related Studies, Series and Instances. */
const numberOfPatientRelated = ['00201200', '00201202', '00201204'] as const

/** The Identifiers for studies, series or instances, in the order of their ids. */
export const findAnswers: Readonly<Record<Exclude<FindLevel, 'PATIENT'>, Answer>> = {
  STUDY: (database, ids, options) => answer(database, options, studyAnswers(database, ids, wanted(options))),
  SERIES: (database, ids, options) => answer(database, options, seriesAnswers(database, ids, wanted(options))),
  IMAGE: (database, ids, options) => answer(database, options, instanceAnswers(database, ids, wanted(options))),
}

/** One Identifier a patient: `id` is that of a study, which says what is known of the patient. */
export async function answerPatients(
  database: Knex,
  rows: readonly { patient_id: string; id: number }[],
  options: FindAnswerOptions,
): Promise<DicomJson[]> {
  const studies = (await database('studies').whereIn(
    'id',
    rows.map(({ id }) => id),
  )) as StudyRow[]
  const byId = new Map(studies.map((row) => [row.id, row]))
  const found = rows.flatMap(({ id }) => {
    const row = byId.get(id)
    return row ? [studyAnswerOf(row, { modalities: [], series: 0, instances: 0 }, wanted(options))] : []
  })
  return answer(database, options, Promise.resolve(found))
}

const wanted = ({ asked }: FindAnswerOptions) => ({ include: new Set(asked.keys()), base: '', scope: {} })

async function answer(database: Knex, options: FindAnswerOptions, found: Promise<DicomJson[]>): Promise<DicomJson[]> {
  const answers = await found
  const { asked } = options
  const patients = numberOfPatientRelated.some((tag) => asked.has(tag)) ? await patientCounts(database, answers) : null
  const classes = asked.has(sopClassesInStudy) ? await classesOf(database, answers) : null
  return answers.map((elements) => {
    const more = {
      ...patients?.get(textOf(elements, patientID)),
      ...(classes && {
        [sopClassesInStudy]: { vr: 'UI', Value: classes.get(textOf(elements, studyInstanceUID)) ?? [] },
      }),
    }
    return identifier({ ...elements, ...more }, options)
  })
}

/** The Identifier of a response (PS3.4 C.4.1.1.3.2): the keys that were asked for, empty where nothing is known. */
function identifier(elements: DicomJson, { level, asked, retrieveAETitle }: FindAnswerOptions): DicomJson {
  const answered: DicomJson = {}
  for (const [tag, key] of asked)
    answered[tag] = withAskedItems(elements[tag], key) ?? { vr: key.vr === 'UN' ? vrOf(tag) : key.vr }
  return {
    ...answered,
    '00080052': { vr: 'CS', Value: [level] },
    '00080054': { vr: 'AE', Value: [retrieveAETitle] },
  }
}

/** A sequence is answered with those elements of its items that the key's item names; with all where it names none. */
function withAskedItems(element: DicomJsonElement | undefined, key: DicomJsonElement): DicomJsonElement | undefined {
  const tags = Object.keys(key.Value?.[0] ?? {})
  if (element?.vr !== 'SQ' || key.vr !== 'SQ' || tags.length === 0 || !element.Value) return element
  const items = (element.Value as DicomJson[]).map((item) =>
    Object.fromEntries(tags.map((tag) => [tag, item[tag] ?? { vr: vrOf(tag) }])),
  )
  return { vr: 'SQ', Value: items }
}

async function classesOf(database: Knex, answers: readonly DicomJson[]): Promise<Map<string, string[]>> {
  const classes = new Map<string, string[]>()
  const rows = (await database('instances')
    .join('studies', 'studies.id', 'instances.study_id')
    .whereIn('studies.study_instance_uid', [...new Set(answers.map((elements) => textOf(elements, studyInstanceUID)))])
    .distinct('studies.study_instance_uid', 'instances.sop_class_uid')
    .orderBy('instances.sop_class_uid')) as { study_instance_uid: string; sop_class_uid: string }[]
  for (const { study_instance_uid: study, sop_class_uid: sopClass } of rows)
    classes.set(study, [...(classes.get(study) ?? []), sopClass])
  return classes
}

/** The three numbers by Patient ID. */
async function patientCounts(database: Knex, answers: readonly DicomJson[]): Promise<Map<string, DicomJson>> {
  const rows: Record<string, string | number | null>[] = await database('studies')
    .join('series', 'series.study_id', 'studies.id')
    .whereIn('studies.patient_id', [...new Set(answers.map((elements) => textOf(elements, patientID)))])
    .where('series.instances', '>', 0)
    .groupBy('studies.patient_id')
    .select('studies.patient_id')
    .countDistinct({ studies: 'studies.id' })
    .count({ series: 'series.id' })
    .sum({ instances: 'series.instances' })
  const [studiesTag, seriesTag, instancesTag] = numberOfPatientRelated
  const count = (value: unknown): DicomJsonElement => ({ vr: 'IS', Value: [Number(value ?? 0)] })
  return new Map(
    rows.map((row) => [
      String(row.patient_id),
      { [studiesTag]: count(row.studies), [seriesTag]: count(row.series), [instancesTag]: count(row.instances) },
    ]),
  )
}

function textOf(elements: DicomJson, tag: string): string {
  const value = elements[tag]?.Value?.[0]
  return typeof value === 'string' ? value : ''
}
