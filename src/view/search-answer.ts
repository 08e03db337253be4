import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { indexedAttributes, seriesAnswer, seriesHeaderAnswer, studyAnswer } from './attributes.ts'
import type { SearchRequest } from './search-request.ts'

/** A row of `studies`, as far as answers need it. */
export interface StudyRow {
  id: number
  study_instance_uid: string
  header: string
  [column: string]: unknown
}

/** A row of `series` with its study's UID. */
export interface SeriesRow {
  id: number
  study_id: number
  study_instance_uid: string
  series_instance_uid: string
  instances: number
  header: string
  [column: string]: unknown
}

/** A row of `instances` with the UIDs of its study and series. */
export interface InstanceRow {
  id: number
  study_id: number
  series_id: number
  study_instance_uid: string
  series_instance_uid: string
  sop_instance_uid: string
  [column: string]: unknown
}

/** What the series of a study tell about it. */
export interface StudyContents {
  modalities: string[]
  series: number
  instances: number
}

type AnswerOptions = { include: SearchRequest['include']; base: string }

const utf8: DicomJsonElement = { vr: 'CS', Value: ['ISO_IR 192'] }
const online: DicomJsonElement = { vr: 'CS', Value: ['ONLINE'] }
const columnOfTag = new Map(indexedAttributes.map((attribute) => [attribute.tag, attribute.column.split('.')[1] ?? '']))
/** Never taken from a header: they describe the instance that was received first, or the bytes' encoding. */
const notOfHeader = new Set(['00080005', '00080016', '00080018', '00200013', '7FE00010', '7FE00008', '7FE00009'])

/** A study's answer (PS3.18 table 10.6.3-3), from its row and what its series tell. */
export function studyAnswerOf(row: StudyRow, contents: StudyContents, { include, base }: AnswerOptions): DicomJson {
  const header = JSON.parse(row.header) as DicomJson
  const answer: DicomJson = {}
  for (const [tag, vr] of studyAnswer) answer[tag] = header[tag] ?? elementOf(vr, row[columnOfTag.get(tag) ?? ''])
  addIncluded(answer, header, include)
  if (header['00080201']) answer['00080201'] = header['00080201']
  return inTagOrder({
    ...answer,
    '00080005': utf8,
    '00080056': online,
    '00080061': { vr: 'CS', ...(contents.modalities.length > 0 && { Value: contents.modalities }) },
    '00081190': { vr: 'UR', Value: [`${base}/studies/${row.study_instance_uid}`] },
    '0020000D': { vr: 'UI', Value: [row.study_instance_uid] },
    '00201206': { vr: 'IS', Value: [contents.series] },
    '00201208': { vr: 'IS', Value: [contents.instances] },
  })
}

/** A series' answer (PS3.18 table 10.6.3-4). */
export function seriesAnswerOf(row: SeriesRow, { include, base }: AnswerOptions): DicomJson {
  const header = JSON.parse(row.header) as DicomJson
  const answer: DicomJson = {}
  for (const [tag, vr] of seriesAnswer) answer[tag] = header[tag] ?? elementOf(vr, row[columnOfTag.get(tag) ?? ''])
  for (const tag of seriesHeaderAnswer) if (header[tag]) answer[tag] = header[tag]
  addIncluded(answer, header, include)
  return inTagOrder({
    ...answer,
    '00080005': utf8,
    '00080056': online,
    '00081190': { vr: 'UR', Value: [`${base}/studies/${row.study_instance_uid}/series/${row.series_instance_uid}`] },
    '0020000D': { vr: 'UI', Value: [row.study_instance_uid] },
    '0020000E': { vr: 'UI', Value: [row.series_instance_uid] },
    '00201209': { vr: 'IS', Value: [row.instances] },
  })
}

/** An instance's answer (PS3.18 table 10.6.3-5); the index holds no header for it, so includefield adds nothing. */
export function instanceAnswer(row: InstanceRow, { base }: { base: string }): DicomJson {
  const answer: DicomJson = {}
  for (const { tag, vr, level, column } of indexedAttributes) {
    if (level !== 'instance') continue
    const element = elementOf(vr, row[column.split('.')[1] ?? ''])
    if (element.Value || tag === '00200013') answer[tag] = element
  }
  const { study_instance_uid: study, series_instance_uid: series, sop_instance_uid: instance } = row
  return inTagOrder({
    ...answer,
    '00080005': utf8,
    '00080056': online,
    '00081190': { vr: 'UR', Value: [`${base}/studies/${study}/series/${series}/instances/${instance}`] },
    '0020000D': { vr: 'UI', Value: [study] },
    '0020000E': { vr: 'UI', Value: [series] },
  })
}

function addIncluded(answer: DicomJson, header: DicomJson, include: SearchRequest['include']): void {
  for (const tag of include === 'all' ? Object.keys(header) : include) {
    const element = header[tag]
    if (element && !notOfHeader.has(tag) && !tag.startsWith('0002') && element.BulkDataURI === undefined)
      answer[tag] ??= element
  }
}

function elementOf(vr: string, value: unknown): DicomJsonElement {
  if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return { vr }
  if (vr === 'PN') return { vr, Value: [{ Alphabetic: String(value) }] }
  if (vr === 'IS' || vr === 'US') return { vr, Value: [Number(value)] }
  return { vr, Value: [String(value)] }
}

function inTagOrder(answer: DicomJson): DicomJson {
  return Object.fromEntries(Object.entries(answer).sort(([a], [b]) => (a < b ? -1 : 1)))
}
