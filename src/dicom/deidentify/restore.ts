import type { DicomJson, DicomJsonElement } from '../dicom-json.ts'
import { tagOf } from '../dictionary.ts'
import type { Pseudonyms } from './pseudonyms.ts'

/** Attributes of the Patient, General Study and Patient Study modules (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2): the same in all objects of a study. */
const studyKeywords = [
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
  'EthnicGroup',
  'PatientComments',
  'PatientSpeciesDescription',
  'PatientSpeciesCodeSequence',
  'ResponsiblePerson',
  'ResponsibleOrganization',
  'StudyDate',
  'StudyTime',
  'StudyID',
  'StudyDescription',
  'AccessionNumber',
  'IssuerOfAccessionNumberSequence',
  'ReferringPhysicianName',
  'ReferringPhysicianIdentificationSequence',
  'ConsultingPhysicianName',
  'PhysiciansOfRecord',
  'NameOfPhysiciansReadingStudy',
  'RequestingService',
  'ReferencedStudySequence',
  'ProcedureCodeSequence',
  'AdmittingDiagnosesDescription',
  'AdmittingDiagnosesCodeSequence',
  'PatientAge',
  'PatientSize',
  'PatientWeight',
  'Occupation',
  'AdditionalPatientHistory',
  'AdmissionID',
] as const

/** What says that the identity was taken out (PS3.3 C.7.1.1): it is no longer so. */
const statementTags: ReadonlySet<string> = new Set(['00120062', '00120063', '00120064', '00280303'])

let tags: ReadonlySet<string> | undefined

function studyTags(): ReadonlySet<string> {
  tags ??= new Set(studyKeywords.map((keyword) => tagOf(keyword)).filter((tag) => tag !== undefined))
  return tags
}

export interface Origin {
  /** A header of the study as it was. */
  header: DicomJson
  pseudonyms: Pseudonyms
  /** Replaced Patient IDs. */
  patients: ReadonlySet<string>
}

/** A returned data set with its identity: patient and study verbatim from the header, replaced UIDs and dates at every depth. */
export function restore(dataSet: DicomJson, origin: Origin): DicomJson {
  const restored = restoreValues(dataSet, origin)
  for (const tag of studyTags()) {
    const original = origin.header[tag]
    if (original) restored[tag] = original
    else delete restored[tag]
  }
  return sorted(restored)
}

function restoreValues(dataSet: DicomJson, origin: Origin): DicomJson {
  const restored: DicomJson = {}
  for (const [tag, element] of Object.entries(dataSet))
    if (!statementTags.has(tag)) restored[tag] = restoreElement(tag, element, origin)
  return restored
}

function restoreElement(tag: string, element: DicomJsonElement, origin: Origin): DicomJsonElement {
  const { vr, Value } = element
  if (vr === 'SQ') {
    const items = Value?.map((item) =>
      typeof item === 'object' && item !== null ? restoreValues(item as DicomJson, origin) : item,
    )
    return items ? { ...element, Value: items } : element
  }
  // In an item, an attribute of the study that was emptied or replaced is the study's.
  const original = origin.header[tag]
  if (original && studyTags().has(tag) && isReplaced(element, origin)) return original
  if (!Value || !['UI', 'DA', 'DT'].includes(vr)) return element
  const { pseudonyms } = origin
  return { ...element, Value: Value.map((v) => (typeof v === 'string' ? (pseudonyms.originalOf(v) ?? v) : v)) }
}

function isReplaced({ Value }: DicomJsonElement, { patients }: Origin): boolean {
  const [value] = Value ?? []
  if (value === undefined || value === null) return true
  const text = typeof value === 'object' && 'Alphabetic' in value ? value.Alphabetic : value
  return typeof text === 'string' && (patients.has(text) || text === 'ANONYMIZED')
}

function sorted(dataSet: DicomJson): DicomJson {
  return Object.fromEntries(Object.entries(dataSet).sort(([a], [b]) => (a < b ? -1 : 1)))
}
