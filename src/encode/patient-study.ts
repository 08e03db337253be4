import { textOf } from '../dicom/dataset.ts'
import type { DicomJson, DicomJsonElement } from '../dicom/dicom-json.ts'
import { keywordOf, tagOf } from '../dicom/dictionary.ts'

/** A data set with keywords instead of tags, as `encodeDataSet` takes it. */
export type NaturalDataSet = Record<string, unknown>

/** Type 2 attributes of Patient and General Study (PS3.3 C.7.1.1, C.7.2.1): present in every object, if need be empty. */
export const always = [
  'PatientName',
  'PatientID',
  'PatientBirthDate',
  'PatientSex',
  'StudyDate',
  'StudyTime',
  'ReferringPhysicianName',
  'StudyID',
  'AccessionNumber',
]

/** The rest of the Patient, Clinical Trial Subject, General Study, Patient Study and Clinical Trial Study modules. */
export const whenPresent = [
  'IssuerOfPatientID',
  'IssuerOfPatientIDQualifiersSequence',
  'TypeOfPatientID',
  'SourcePatientGroupIdentificationSequence',
  'GroupOfPatientsIdentificationSequence',
  'OtherPatientIDsSequence',
  'OtherPatientNames',
  'PatientBirthTime',
  'PatientBirthDateInAlternativeCalendar',
  'PatientAlternativeCalendar',
  'QualityControlSubject',
  'ReferencedPatientSequence',
  'EthnicGroup',
  'PatientComments',
  'PatientSpeciesDescription',
  'PatientSpeciesCodeSequence',
  'PatientBreedDescription',
  'PatientBreedCodeSequence',
  'BreedRegistrationSequence',
  'StrainDescription',
  'ResponsiblePerson',
  'ResponsiblePersonRole',
  'ResponsibleOrganization',
  'PatientIdentityRemoved',
  'DeidentificationMethod',
  'DeidentificationMethodCodeSequence',
  'LongitudinalTemporalInformationModified',
  'ClinicalTrialSponsorName',
  'ClinicalTrialProtocolID',
  'ClinicalTrialProtocolName',
  'ClinicalTrialSiteID',
  'ClinicalTrialSiteName',
  'ClinicalTrialSubjectID',
  'ClinicalTrialSubjectReadingID',
  'ClinicalTrialTimePointID',
  'ClinicalTrialTimePointDescription',
  'ClinicalTrialProtocolEthicsCommitteeName',
  'ClinicalTrialProtocolEthicsCommitteeApprovalNumber',
  'ConsentForClinicalTrialUseSequence',
  'ReferringPhysicianIdentificationSequence',
  'ConsultingPhysicianName',
  'ConsultingPhysicianIdentificationSequence',
  'IssuerOfAccessionNumberSequence',
  'StudyDescription',
  'ProcedureCodeSequence',
  'PhysiciansOfRecord',
  'PhysiciansOfRecordIdentificationSequence',
  'NameOfPhysiciansReadingStudy',
  'PhysiciansReadingStudyIdentificationSequence',
  'RequestingService',
  'RequestingServiceCodeSequence',
  'ReferencedStudySequence',
  'ReasonForPerformedProcedureCodeSequence',
  'AdmittingDiagnosesDescription',
  'AdmittingDiagnosesCodeSequence',
  'PatientAge',
  'PatientSize',
  'PatientWeight',
  'PatientBodyMassIndex',
  'PatientSizeCodeSequence',
  'MedicalAlerts',
  'Allergies',
  'SmokingStatus',
  'PregnancyStatus',
  'LastMenstrualDate',
  'PatientState',
  'Occupation',
  'AdditionalPatientHistory',
  'AdmissionID',
  'IssuerOfAdmissionIDSequence',
  'ServiceEpisodeID',
  'IssuerOfServiceEpisodeIDSequence',
  'ServiceEpisodeDescription',
  'PatientSexNeutered',
  'TimezoneOffsetFromUTC',
]

/**
 * Patient and study attributes of a result, verbatim from the source, because a PACS that finds a difference files the object under
 * another patient. The text is UTF-8 in the result, whatever it was in the source.
 * @param header header of a source instance
 * @param studyInstanceUID the study that the job belongs to
 */
export function patientAndStudy(header: DicomJson, studyInstanceUID: string): NaturalDataSet {
  const copy: NaturalDataSet = { SpecificCharacterSet: 'ISO_IR 192', StudyInstanceUID: studyInstanceUID }
  for (const keyword of always) copy[keyword] = naturalValue(elementOf(header, keyword)) ?? ''
  for (const keyword of whenPresent) {
    const value = naturalValue(elementOf(header, keyword))
    if (value !== null) copy[keyword] = value
  }
  // Optional, and `62` is no age: receivers refuse the whole object for it.
  if (!/^\d{3}[DWMY]$/.test(String(copy.PatientAge))) delete copy.PatientAge
  // Type 2 attributes of the Clinical Trial Subject module (PS3.3 C.7.1.3), which is used when the source uses it.
  if (copy.ClinicalTrialSponsorName !== undefined || copy.ClinicalTrialProtocolID !== undefined)
    for (const keyword of ['ClinicalTrialProtocolName', 'ClinicalTrialSiteID', 'ClinicalTrialSiteName'])
      copy[keyword] ??= ''
  return copy
}

/** One attribute of a header in the form that `encodeDataSet` takes, or null where it is absent or empty. */
export function copied(header: DicomJson, keyword: string): unknown {
  return naturalValue(elementOf(header, keyword))
}

/** Timezone Offset From UTC of a header, or null. */
export function timezoneOf(header: DicomJson): string | null {
  return textOf(header, 'TimezoneOffsetFromUTC')
}

function elementOf(header: DicomJson, keyword: string): DicomJsonElement | undefined {
  const tag = tagOf(keyword)
  return tag === undefined ? undefined : header[tag]
}

function naturalValue(element: DicomJsonElement | undefined): unknown {
  const values = element?.Value
  if (!element || !values || values.length === 0) return null
  if (element.vr === 'SQ') return values.map((item) => naturalItem((item ?? {}) as DicomJson))
  const natural = values.map((value) => (element.vr === 'PN' ? personName(value) : (value ?? '')))
  if (natural.every((value) => value === '')) return null
  return natural.length === 1 ? natural[0] : natural
}

/** A data set with keywords, for a copy. Private and unknown elements are left out: nobody could say whose they are in the new object. */
export function naturalItem(item: DicomJson): NaturalDataSet {
  const natural: NaturalDataSet = {}
  for (const [tag, element] of Object.entries(item)) {
    const keyword = keywordOf(tag)
    if (keyword === undefined || element.InlineBinary !== undefined || element.BulkDataURI !== undefined) continue
    natural[keyword] = naturalValue(element) ?? (element.vr === 'SQ' ? [] : '')
  }
  return natural
}

/** The three component groups of a name, as the data element holds them (PS3.5 6.2.1). */
function personName(value: unknown): string {
  if (typeof value === 'string') return value
  const { Alphabetic = '', Ideographic = '', Phonetic = '' } = (value ?? {}) as Record<string, string | undefined>
  return `${Alphabetic}=${Ideographic}=${Phonetic}`.replace(/=+$/, '')
}
