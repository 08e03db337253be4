import { tagOf, vrOf } from '../dicom/dictionary.ts'
import { type ElementType, elementType, knownNames } from './vocabulary.ts'

/** A field that a condition may speak of. */
export interface RouteField {
  /** `series.Modality`. */
  path: string
  /** DICOM keyword, or the name of a computed field. */
  keyword: string
  /** The keyword in words. */
  label: string
  /** PS3.5 6.2; of a computed field that of a like element. */
  vr: string
  /** It may have several values, and is always a list. */
  list: boolean
  level: 'study' | 'series'
  /** Not an element, but counted or gathered by the node. */
  computed: boolean
  description: string | null
}

const computed: RouteField[] = [
  field('series', 'instances', 'IS', false, 'Number of instances of the series'),
  field('study', 'instances', 'IS', false, 'Number of instances of the study'),
  field('study', 'Modalities', 'CS', true, 'The modalities of its series'),
]

function field(level: 'study' | 'series', keyword: string, vr: string, list: boolean, description: string): RouteField {
  return { path: `${level}.${keyword}`, keyword, label: description, vr, list, level, computed: true, description }
}

/** What conditions most often speak of, the likeliest first; offered also where no traffic has been seen. */
const usual = [
  'series.Modality',
  'series.BodyPartExamined',
  'series.SeriesDescription',
  'series.ProtocolName',
  'series.ImageType',
  'series.SliceThickness',
  'series.SOPClassUID',
  'series.ConvolutionKernel',
  'series.ContrastBolusAgent',
  'series.Manufacturer',
  'series.ManufacturerModelName',
  'series.StationName',
  'series.KVP',
  'series.MagneticFieldStrength',
  'series.ScanningSequence',
  'series.PixelSpacing',
  'series.SpacingBetweenSlices',
  'series.ImageOrientationPatient',
  'series.Laterality',
  'series.ViewPosition',
  'series.SeriesNumber',
  'series.Rows',
  'series.Columns',
  'study.StudyDescription',
  'study.StudyDate',
  'study.PatientAge',
  'study.PatientSex',
  'study.InstitutionName',
  'study.ReferringPhysicianName',
  'study.RequestedProcedureDescription',
]

let all: Map<string, RouteField> | undefined

/** Every field that the builder offers by path, the usual ones first: of an element both on the study and on its series. */
export function routeFields(): ReadonlyMap<string, RouteField> {
  all ??= new Map(
    [...computed, ...usual.map(fieldAt), ...everyField()].flatMap((one) => (one ? [[one.path, one]] : [])),
  )
  return all
}

/** What a study has of elements: its own and its patient's. Others of the dictionary stand on its series. */
const ofStudies = [
  'StudyInstanceUID',
  'StudyID',
  'StudyTime',
  'AccessionNumber',
  'PhysiciansOfRecord',
  'NameOfPhysiciansReadingStudy',
  'ProcedureCodeSequence',
  'ReasonForVisit',
  'TimezoneOffsetFromUTC',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'TypeOfPatientID',
  'PatientBirthDate',
  'PatientSize',
  'PatientWeight',
  'EthnicGroup',
  'PatientComments',
  'PatientIdentityRemoved',
  'DeidentificationMethod',
  'PatientSpeciesDescription',
  'OtherPatientIDs',
  'AdmissionID',
]

function* everyField(): Iterable<RouteField | null> {
  for (const name of ofStudies) yield fieldAt(`study.${name}`)
  for (const name of knownNames('series')) yield fieldAt(`series.${name}`)
}

/** null for what is no element, or whose values no condition can look at. */
function fieldAt(path: string): RouteField | null {
  const known = computed.find((one) => one.path === path)
  if (known) return known
  const [level, keyword = ''] = path.split('.')
  const type: ElementType | undefined = elementType(keyword)
  if (!type || type.kind === 'opaque' || (level !== 'study' && level !== 'series')) return null
  const vr = vrOf(tagOf(keyword) ?? '')
  return { path, keyword, label: labelOf(keyword), vr, list: type.list, level, computed: false, description: null }
}

/** `SOPClassUID` is "SOP Class UID". */
function labelOf(keyword: string): string {
  return keyword.replaceAll(/[a-z0-9](?=[A-Z])|[A-Z](?=[A-Z][a-z])/g, '$& ')
}

/** How many fields stand first because they are usual. */
export const usualFields = computed.length + usual.length

/** VRs of texts that people may have typed: their values are offered only where several studies share them. */
export const sharedTexts: ReadonlySet<string> = new Set(['LO', 'SH', 'UC'])

/** Texts that devices write. */
export const technicalTexts: ReadonlySet<string> = new Set([
  'Manufacturer',
  'ManufacturerModelName',
  'ProtocolName',
  'ConvolutionKernel',
  'SequenceName',
  'ContrastBolusAgent',
  'StationName',
  'SoftwareVersions',
])

/** Descriptions that conditions often look at. A name may stand in them, as in every free text. */
export const freeTexts: ReadonlySet<string> = new Set([
  'SeriesDescription',
  'StudyDescription',
  'RequestedProcedureDescription',
  'PerformedProcedureStepDescription',
])
