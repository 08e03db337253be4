import type { Code } from '../dicom/codes.ts'

const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning })
const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning })

/** Concepts of the measurement reports (PS3.16: TID 1204, 1004, 1500, 1410, 1411, 1419, 1501 and 4019). */
export const concept = {
  imagingMeasurementReport: dcm('126000', 'Imaging Measurement Report'),
  oncologyMeasurementReport: dcm('126001', 'Oncology Measurement Report'),
  language: dcm('121049', 'Language of Content Item and Descendants'),
  observerType: dcm('121005', 'Observer Type'),
  device: dcm('121007', 'Device'),
  deviceObserverUID: dcm('121012', 'Device Observer UID'),
  deviceObserverName: dcm('121013', 'Device Observer Name'),
  deviceObserverManufacturer: dcm('121014', 'Device Observer Manufacturer'),
  deviceObserverModelName: dcm('121015', 'Device Observer Model Name'),
  deviceObserverSerialNumber: dcm('121016', 'Device Observer Serial Number'),
  procedureReported: dcm('121058', 'Procedure reported'),
  imagingMeasurements: dcm('126010', 'Imaging Measurements'),
  measurementGroup: dcm('125007', 'Measurement Group'),
  trackingIdentifier: dcm('112039', 'Tracking Identifier'),
  trackingUniqueIdentifier: dcm('112040', 'Tracking Unique Identifier'),
  finding: dcm('121071', 'Finding'),
  findingSite: sct('363698007', 'Finding Site'),
  laterality: sct('272741003', 'Laterality'),
  topographicalModifier: sct('106233006', 'Topographical modifier'),
  algorithmName: dcm('111001', 'Algorithm Name'),
  algorithmVersion: dcm('111003', 'Algorithm Version'),
  referencedSegment: dcm('121191', 'Referenced Segment'),
  sourceSeries: dcm('121232', 'Source series for segmentation'),
  imageRegion: dcm('111030', 'Image Region'),
  derivation: dcm('121401', 'Derivation'),
  notANumber: dcm('114000', 'Not a number'),
  qualitativeEvaluations: { value: 'C0034375', scheme: 'UMLS', meaning: 'Qualitative Evaluations' },
  comment: dcm('121106', 'Comment'),
  sourceOfMeasurement: dcm('121112', 'Source of Measurement'),
  studyDate: dcm('111060', 'Study Date'),
  studyInstanceUID: dcm('110180', 'Study Instance UID'),
  seriesInstanceUID: dcm('112002', 'Series Instance UID'),
  algorithmParameters: dcm('111002', 'Algorithm Parameters'),
  certaintyOfFinding: dcm('111012', 'Certainty of Finding'),
  keyObjectDescription: dcm('113012', 'Key Object Description'),
  source: sct('260753009', 'Source'),
} as const

/** CID 244. */
const lateralities: ReadonlySet<string> = new Set(['24028007', '7771000', '51440002', '66459002'])

/** True for the codes of Laterality (CID 244). */
export function isLaterality(code: Code): boolean {
  return code.scheme === 'SCT' && lateralities.has(code.value)
}

/** CID 5000. */
export const english: Code = { value: 'en-US', scheme: 'RFC5646', meaning: 'English (United States)' }

const loinc = (value: string, meaning: string): Code => ({ value, scheme: 'LN', meaning })
const imagingProcedure = sct('363679005', 'Imaging procedure')

/** Codes of CID 100, Quantitative Diagnostic Imaging Procedures, by modality: those that its older versions have too, as validators do. */
const procedures: Readonly<Record<string, Code>> = {
  CT: loinc('25045-6', 'CT unspecified body region'),
  MR: loinc('25056-3', 'MRI unspecified body region'),
  PT: loinc('44136-0', 'PET unspecified body region'),
  NM: loinc('49118-3', 'NM unspecified body region'),
}

/**
 * The procedure that a report is about, of CID 100: TID 1500 asks for this group, and its validators fault every other code, the
 * study's own included. Those stand in Performed Procedure Code Sequence.
 */
export function procedureOf(modality: string | null): Code {
  return procedures[modality ?? ''] ?? imagingProcedure
}
