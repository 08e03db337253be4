import { type Code, codeItem } from '../dicom/codes.ts'
import { encodeDataSet } from '../dicom/data-set-writer.ts'
import { textOf } from '../dicom/dataset.ts'
import { encodeFileMeta } from '../dicom/part10.ts'
import { SOP } from '../dicom/sop-class.ts'
import { TS } from '../dicom/transfer-syntax.ts'
import { codingSchemes } from './coding-schemes.ts'
import { concept, english, procedureOf } from './concepts.ts'
import { dicomMoment } from './date-time.ts'
import type { EncodedObject } from './encoded.ts'
import type { EncodingInput } from './encoding-input.ts'
import { equipment } from './equipment.ts'
import { deviceUID, type Role, resultIdentity } from './identity.ts'
import { copied, type NaturalDataSet, patientAndStudy, timezoneOf } from './patient-study.ts'
import { hierarchicalReferences, type InstanceReference } from './references.ts'
import { type ContentItem, code, container, templateItem, text, uidref } from './sr-content.ts'

export interface Report {
  role: Role
  /** Document title (CID 7021). */
  title: Code
  /** What the Series Description says after the algorithm's title. */
  description: string
  /** Measurement groups, all of one template. */
  groups: readonly ContentItem[]
  /** Every instance that the content refers to. */
  evidence: readonly InstanceReference[]
}

/** A measurement report: Comprehensive 3D SR (PS3.3 A.35.13), root template TID 1500. Complete, unverified, preliminary. */
export function encodeReport(input: EncodingInput, report: Report): EncodedObject {
  const identity = resultIdentity(input, report.role)
  const dataSet = encodeDataSet(reportDataSet(input, report), TS.explicitVRLittleEndian)
  const meta = encodeFileMeta({
    mediaStorageSOPClassUID: SOP.comprehensive3DSR,
    mediaStorageSOPInstanceUID: identity.sopInstanceUID,
    transferSyntaxUID: TS.explicitVRLittleEndian,
  })
  return {
    role: report.role,
    sopClassUID: SOP.comprehensive3DSR,
    sopInstanceUID: identity.sopInstanceUID,
    seriesInstanceUID: identity.seriesInstanceUID,
    modality: 'SR',
    chunks: [meta, dataSet],
  }
}

function reportDataSet(input: EncodingInput, report: Report): NaturalDataSet {
  const { algorithm } = input
  const { header } = input.source
  const identity = resultIdentity(input, report.role)
  const moment = dicomMoment(input.at, timezoneOf(header))
  return {
    ...patientAndStudy(header, input.studyInstanceUID),
    ...codingSchemes(input.measurements.flatMap((m) => [m.code, ...(m.derivation ? [m.derivation] : [])])),
    ...equipment(algorithm, moment),
    SOPClassUID: SOP.comprehensive3DSR,
    SOPInstanceUID: identity.sopInstanceUID,
    InstanceCreationDate: moment.date,
    InstanceCreationTime: moment.time,
    Modality: 'SR',
    SeriesInstanceUID: identity.seriesInstanceUID,
    SeriesNumber: identity.seriesNumber,
    SeriesDescription: `${algorithm.title.slice(0, 62 - report.description.length)}: ${report.description}`,
    SeriesDate: moment.date,
    SeriesTime: moment.time,
    ReferencedPerformedProcedureStepSequence: [],
    InstanceNumber: 1,
    ContentDate: moment.date,
    ContentTime: moment.time,
    CompletionFlag: 'COMPLETE',
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'PRELIMINARY',
    // Type 2; the study's own codes of what was done (PS3.3 C.17.2).
    PerformedProcedureCodeSequence: copied(header, 'ProcedureCodeSequence') ?? [],
    CurrentRequestedProcedureEvidenceSequence: hierarchicalReferences(input.studyInstanceUID, report.evidence),
    ...predecessorDocuments(input, report.role),
    ValueType: 'CONTAINER',
    ConceptNameCodeSequence: [codeItem(report.title)],
    ContinuityOfContent: 'SEPARATE',
    ContentTemplateSequence: [templateItem('1500')],
    ContentSequence: [
      code('HAS CONCEPT MOD', concept.language, english),
      ...deviceObserver(input),
      code('HAS CONCEPT MOD', concept.procedureReported, procedureOf(textOf(header, 'Modality'))),
      container(concept.imagingMeasurements, report.groups),
    ],
  }
}

/** TID 1002 and 1004: the observer is the algorithm, not a person. */
function deviceObserver({ algorithm }: EncodingInput): ContentItem[] {
  return [
    code('HAS OBS CONTEXT', concept.observerType, concept.device),
    uidref('HAS OBS CONTEXT', concept.deviceObserverUID, deviceUID(algorithm.digest)),
    text('HAS OBS CONTEXT', concept.deviceObserverName, `${algorithm.title} (${algorithm.name} ${algorithm.version})`),
    text('HAS OBS CONTEXT', concept.deviceObserverManufacturer, algorithm.manufacturer),
    text('HAS OBS CONTEXT', concept.deviceObserverModelName, algorithm.name),
    text('HAS OBS CONTEXT', concept.deviceObserverSerialNumber, algorithm.digest),
  ]
}

/** The newest earlier revision's report in the same role: this one replaces it (PS3.3 C.17.2, Predecessor Documents Sequence). */
function predecessorDocuments(input: EncodingInput, role: Role): NaturalDataSet {
  const { sopInstanceUID } = resultIdentity(input, role)
  const earlier = input.predecessors.filter((p) => p.role === role && p.sopInstanceUID !== sopInstanceUID)
  return earlier.length > 0
    ? { PredecessorDocumentsSequence: hierarchicalReferences(input.studyInstanceUID, earlier) }
    : {}
}
