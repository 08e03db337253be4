/**
 * Elements that identify people, or that staff fill with free text in which names turn up (PS3.15 table E.1-1 marks
 * them). Their values are stored with a decision, behind the node's access control, but do not stand in sentences.
 */
const named = new Set([
  'AccessionNumber',
  'StudyID',
  'StudyDescription',
  'SeriesDescription',
  'ImageComments',
  'OperatorsName',
  'OtherPatientIDs',
  'AdditionalPatientHistory',
  'IssuerOfPatientID',
  'MedicalRecordLocator',
  'MilitaryRank',
  'Occupation',
])

/** Whether an element's value may identify a person. */
export function isPatientKeyword(keyword: string): boolean {
  return (
    /^(Patient(?!Position)|Referring|Requesting|Performing|Responsible|Physician)/.test(keyword) ||
    (/Comments?$|Name$/.test(keyword) && !/^(Protocol|Manufacturer|Station|Code|Sequence)/.test(keyword)) ||
    named.has(keyword)
  )
}
