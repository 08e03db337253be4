import { numberOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { tagOf } from '../dicom/dictionary.ts'
import { type PersonNameGroups, personNameGroups, personNameKey, searchKey } from '../dicom/search-key.ts'
import type { ReceivedInstance } from './received.ts'

/** Elements whose JSON is longer say nothing about the series that a route or a list could use (per-frame groups, icons, curves). */
const longestElement = 32 * 1024

/** Patient, general study and patient study modules (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2), and what QIDO-RS gives of a study (PS3.18 10.6.3). */
const studyKeywords = [
  'StudyDate',
  'StudyTime',
  'AccessionNumber',
  'IssuerOfAccessionNumberSequence',
  'InstitutionName',
  'ReferringPhysicianName',
  'TimezoneOffsetFromUTC',
  'StudyDescription',
  'ProcedureCodeSequence',
  'PhysiciansOfRecord',
  'NameOfPhysiciansReadingStudy',
  'ReferencedStudySequence',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'TypeOfPatientID',
  'IssuerOfPatientIDQualifiersSequence',
  'PatientBirthDate',
  'PatientBirthTime',
  'PatientSex',
  'OtherPatientIDs',
  'OtherPatientIDsSequence',
  'OtherPatientNames',
  'PatientAge',
  'PatientSize',
  'PatientWeight',
  'EthnicGroup',
  'PatientComments',
  'PatientIdentityRemoved',
  'DeidentificationMethod',
  'PatientSpeciesDescription',
  'AdmissionID',
  'RequestedProcedureDescription',
  'ReasonForVisit',
  'StudyInstanceUID',
  'StudyID',
] as const

let studyTags: string[] | undefined

/** What searches compare, made from a study's other columns; see `searchKey`. */
export interface StudySearchColumns {
  /** The study date, or empty: searches are answered in this order. */
  search_date: string
  patient_name_key: string | null
  patient_name_ideographic_key: string | null
  patient_name_phonetic_key: string | null
  referring_physician_name_key: string | null
  referring_physician_name_ideographic_key: string | null
  referring_physician_name_phonetic_key: string | null
  /** What the list of studies is searched in. */
  search_text: string
}

/** What a study's row holds beside counters. Keys are the columns' names. */
export interface StudyColumns extends StudySearchColumns {
  patient_id: string | null
  patient_name: string | null
  patient_birth_date: string | null
  patient_sex: string | null
  study_date: string | null
  study_time: string | null
  accession_number: string | null
  study_id: string | null
  study_description: string | null
  referring_physician_name: string | null
  header: string
}

/** What a series' row holds beside counters. Keys are the columns' names. */
export interface SeriesColumns {
  modality: string | null
  series_number: number | null
  series_description: string | null
  body_part_examined: string | null
  header: string
}

/** The study's columns out of an instance's elements. Texts are cut to the columns' widths. */
export function studyColumns(elements: DicomJson): StudyColumns {
  studyTags ??= studyKeywords.flatMap((keyword) => tagOf(keyword) ?? []).sort()
  const header: DicomJson = {}
  for (const tag of studyTags) {
    const element = elements[tag]
    if (element) header[tag] = element
  }
  const patient = personNameGroups(elements['00100010']?.Value?.[0])
  const { alphabetic, ideographic, phonetic } = patient
  const shown = {
    patient_id: text(elements, 'PatientID', 255),
    // A name may be without its alphabetic group, but the patient is not without a name.
    patient_name: clippedOrNull(alphabetic ?? ideographic ?? phonetic, 255),
    patient_birth_date: text(elements, 'PatientBirthDate', 32),
    patient_sex: text(elements, 'PatientSex', 16),
    study_date: text(elements, 'StudyDate', 32),
    study_time: text(elements, 'StudyTime', 32),
    accession_number: text(elements, 'AccessionNumber', 255),
    study_id: text(elements, 'StudyID', 255),
    study_description: text(elements, 'StudyDescription', 255),
    referring_physician_name: text(elements, 'ReferringPhysicianName', 255),
    header: JSON.stringify(withoutBulk(header)),
  }
  const searched = [alphabetic, ideographic, phonetic, shown.patient_id, shown.accession_number]
  const physician = personNameGroups(elements['00080090']?.Value?.[0])
  return {
    ...shown,
    search_date: shown.study_date ?? '',
    search_text: [...searched, shown.study_description]
      .flatMap((value) => (value ? [searchKey(clipped(value, 255))] : []))
      .join('\n'),
    patient_name_key: nameKey(patient, 'alphabetic'),
    patient_name_ideographic_key: nameKey(patient, 'ideographic'),
    patient_name_phonetic_key: nameKey(patient, 'phonetic'),
    referring_physician_name_key: nameKey(physician, 'alphabetic'),
    referring_physician_name_ideographic_key: nameKey(physician, 'ideographic'),
    referring_physician_name_phonetic_key: nameKey(physician, 'phonetic'),
  }
}

function nameKey(groups: PersonNameGroups, which: keyof PersonNameGroups): string | null {
  const group = groups[which]
  return group === null ? null : clippedOrNull(personNameKey(group), 255)
}

/** The series' columns out of the elements of its first instance. */
export function seriesColumns(elements: DicomJson): SeriesColumns {
  return {
    modality: text(elements, 'Modality', 32),
    series_number: wholeNumber(numberOf(elements, 'SeriesNumber')),
    series_description: text(elements, 'SeriesDescription', 255),
    body_part_examined: text(elements, 'BodyPartExamined', 255),
    header: JSON.stringify(withoutBulk(elements)),
  }
}

/** The least that is known of an instance whose file cannot be read again. */
export function minimalHeader(instance: ReceivedInstance): DicomJson {
  const uid = (value: string) => ({ vr: 'UI', Value: [value] })
  return {
    '00080016': uid(instance.sopClassUID),
    '00080018': uid(instance.sopInstanceUID),
    '0020000D': uid(instance.studyInstanceUID),
    '0020000E': uid(instance.seriesInstanceUID),
  }
}

/** A number as an integer column takes it, else null: what a device wrote there need not fit. */
export function wholeNumber(value: number | null, maximum = Number.MAX_SAFE_INTEGER): number | null {
  return value !== null && Number.isInteger(value) && Math.abs(value) <= maximum ? value : null
}

/** Cut to the column's width, and without NUL, which PostgreSQL refuses in text. */
export function clipped(value: string, width: number): string {
  return value.replaceAll('\0', '').slice(0, width)
}

function clippedOrNull(value: string | null, width: number): string | null {
  return value === null ? null : clipped(value, width) || null
}

function text(elements: DicomJson, keyword: string, width: number): string | null {
  const value = textOf(elements, keyword)
  return value === null ? null : clipped(value, width)
}

function withoutBulk(elements: DicomJson): DicomJson {
  const kept: DicomJson = {}
  for (const [tag, element] of Object.entries(elements)) {
    if (tag.startsWith('0002') || tag.startsWith('7FE0') || element.BulkDataURI !== undefined) continue
    if ((element.InlineBinary?.length ?? 0) > 2048) continue
    if (mayBeLong(element) && JSON.stringify(element.Value ?? []).length > longestElement) continue
    kept[tag] = element
  }
  return kept
}

/** Most elements are a few short values: only the others are worth measuring. */
function mayBeLong({ vr, Value }: DicomJsonElement): boolean {
  return vr === 'SQ' || vr === 'UT' || vr === 'UC' || vr === 'UR' || (Value?.length ?? 0) > 256
}
