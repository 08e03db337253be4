import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { keywordOf } from '../dicom/dictionary.ts'
import { indexedAttribute, indexedAttributes, isAtOrAbove, type Level } from './attributes.ts'
import type { MatchingKey } from './search-request.ts'

/** Query/Retrieve levels (PS3.4 C.3). */
export type FindLevel = 'PATIENT' | 'STUDY' | 'SERIES' | 'IMAGE'

/** The keys of a C-FIND, as the index can serve them. */
export interface FindKeys {
  /** Keys that have a value and a column. */
  matching: MatchingKey[]
  /** Keys that are answered, each with its own items where it is a sequence. */
  asked: Map<string, DicomJsonElement>
  /** A key was given that is not held, or has a value and cannot be matched: it matched everything (PS3.4 C.2.2.1.3). */
  unsupported: boolean
}

/** Attributes of a patient: computed ones, and those that the header of a study keeps. */
const patientTags = [
  [
    '00100010',
    '00100020',
    '00100021',
    '00100022',
    '00100024',
    '00100030',
    '00100032',
    '00100040',
    '00101000',
    '00101001',
  ],
  ['00101002', '00102160', '00104000', '00120062', '00120063', '00201200', '00201202', '00201204'],
].flat()

/** Attributes of a study beyond its columns. */
const studyTags = [
  [
    '00080051',
    '00080062',
    '00080080',
    '00081032',
    '00081048',
    '00081060',
    '00081110',
    '00101010',
    '00101020',
    '00101030',
  ],
  ['00321060', '00380010', '00401002', '00201206', '00201208'],
].flat()

/** Attributes of a series beyond its columns (PS3.3 C.7.3.1, C.7.4.1, C.7.5.1): the header of its first instance holds for all. */
const seriesTags = [
  [
    '00080021',
    '00080031',
    '00080070',
    '00081010',
    '00081040',
    '0008103F',
    '00081050',
    '00081070',
    '00081090',
    '00081111',
  ],
  [
    '00181000',
    '00181020',
    '00181030',
    '00185100',
    '00200052',
    '00200060',
    '00201040',
    '00201209',
    '00400244',
    '00400245',
  ],
  ['00400250', '00400251', '00400253', '00400254', '00400260', '00400275'],
].flat()

/** Query/Retrieve View, Retrieve AE Title, Instance Availability, Timezone Offset: true of every answer, and no filter. */
export const ofEveryAnswer: ReadonlySet<string> = new Set(['00080053', '00080054', '00080056', '00080201'])

const columnTags = (level: Level) =>
  indexedAttributes.filter((attribute) => attribute.level === level).map(({ tag }) => tag)

const patient = new Set(patientTags)
const study = new Set([...patient, ...studyTags, ...columnTags('study')])
const series = new Set([...study, ...seriesTags, ...columnTags('series')])
const image = new Set([...series, ...columnTags('instance')])
/** Keys that are answered at each level: those of the levels above as well. */
export const held: Readonly<Record<FindLevel, ReadonlySet<string>>> = {
  PATIENT: patient,
  STUDY: study,
  SERIES: series,
  IMAGE: image,
}
/** The level of QIDO-RS that a level's keys are matched at. */
export const searchLevel: Readonly<Record<FindLevel, Level>> = {
  PATIENT: 'study',
  STUDY: 'study',
  SERIES: 'series',
  IMAGE: 'instance',
}

/** Sorts the keys of an Identifier into what is matched, what is answered, and what cannot be served at this level. */
export function readFindKeys(keys: DicomJson, level: FindLevel): FindKeys {
  const found: FindKeys = { matching: [], asked: new Map(), unsupported: false }
  for (const [tag, element] of Object.entries(keys)) {
    if (ofEveryAnswer.has(tag)) {
      found.asked.set(tag, element)
      continue
    }
    if (!held[level].has(tag)) {
      found.unsupported = true
      continue
    }
    found.asked.set(tag, element)
    const value = matchedText(element)
    if (value === '') continue
    const attribute = indexedAttribute(tag)
    if (attribute && isAtOrAbove(attribute.level, searchLevel[level]))
      found.matching.push({ attribute, name: keywordOf(tag) ?? tag, value })
    else if (!isUniversal(element, value)) found.unsupported = true
  }
  return found
}

/** What a key is matched by, as one text with backslashes between several values; empty where it matches everything. */
export function matchedText({ vr, Value = [] }: DicomJsonElement): string {
  if (vr === 'SQ') return Value.some((item) => holdsValue(item as DicomJson)) ? '*' : ''
  const texts = Value.map((value) => textOf(value).trim()).filter((text) => text !== '')
  // ACR-NEMA wrote 2024.01.31 and 10:15:00; workstations that do so are still about.
  if (vr === 'DA') return texts.join('\\').replaceAll('.', '')
  return vr === 'TM' ? texts.join('\\').replaceAll(':', '') : texts.join('\\')
}

function isUniversal({ vr }: DicomJsonElement, value: string): boolean {
  return vr !== 'SQ' && /^\*+$/.test(value)
}

function holdsValue(item: DicomJson): boolean {
  return Object.values(item).some((element) => matchedText(element) !== '')
}

function textOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null) return ''
  const name = value as Partial<Record<'Alphabetic' | 'Ideographic' | 'Phonetic', string>>
  return [name.Alphabetic, name.Ideographic, name.Phonetic]
    .map((group) => group ?? '')
    .join('=')
    .replace(/=+$/, '')
}
