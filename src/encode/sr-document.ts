import { type Code, codeItem } from '../dicom/codes.ts'
import { textOf } from '../dicom/dataset.ts'
import { SOP } from '../dicom/sop-class.ts'
import { notForClinicalUse } from './caution.ts'
import { codesIn, codingSchemes } from './coding-schemes.ts'
import { concept, english, procedureOf } from './concepts.ts'
import type { EncodedObject } from './encoded.ts'
import type { InstanceReference, OutputName, ResultContext } from './encoding-input.ts'
import { deviceUID, type Role, resultIdentity, roleText } from './identity.ts'
import { copied, type NaturalDataSet } from './patient-study.ts'
import { evidenceSequences, hierarchicalReferences } from './references.ts'
import { encodeObject, momentOf } from './result-object.ts'
import { type ContentItem, code, container, templateItem, text, uidref } from './sr-content.ts'

export interface Report {
  role: Role
  output?: OutputName | undefined
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
export function encodeReport(input: ResultContext, report: Report): EncodedObject {
  const kind = {
    role: report.role,
    output: report.output,
    sopClassUID: SOP.comprehensive3DSR,
    modality: 'SR',
    description: report.description,
  }
  return encodeObject(input, kind, reportAttributes(input, report))
}

function reportAttributes(input: ResultContext, report: Report): NaturalDataSet {
  const { header } = input.source
  const moment = momentOf(input)
  return {
    ...codingSchemes(codesIn(report.groups)),
    ReferencedPerformedProcedureStepSequence: [],
    ContentDate: moment.date,
    ContentTime: moment.time,
    CompletionFlag: 'COMPLETE',
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'PRELIMINARY',
    // Type 2; the study's own codes of what was done (PS3.3 C.17.2).
    PerformedProcedureCodeSequence: copied(header, 'ProcedureCodeSequence') ?? [],
    ...evidenceSequences(input, report.evidence),
    ...predecessorDocuments(input, report),
    ValueType: 'CONTAINER',
    ConceptNameCodeSequence: [codeItem(report.title)],
    ContinuityOfContent: 'SEPARATE',
    ContentTemplateSequence: [templateItem('1500')],
    ContentSequence: [
      code('HAS CONCEPT MOD', concept.language, english),
      ...deviceObserver(input),
      code('HAS CONCEPT MOD', concept.procedureReported, procedureOf(textOf(header, 'Modality'))),
      container(concept.imagingMeasurements, report.groups),
      ...onTheWhole(input),
    ],
  }
}

/**
 * Where TID 1500 has room for words on the whole: Qualitative Evaluations. Critical findings are told by their category (CID 7035,
 * Actionable Finding Classification).
 */
function onTheWhole({ algorithm, urgent }: ResultContext): ContentItem[] {
  const items = [
    ...(urgent
      ? [
          code('CONTAINS', concept.finding, actionable[urgent.category]),
          text('CONTAINS', concept.comment, sentence(urgent.sentence)),
        ]
      : []),
    ...(algorithm.demonstrator ? [text('CONTAINS', concept.comment, sentence(notForClinicalUse))] : []),
  ]
  return items.length === 0 ? [] : [container(concept.qualitativeEvaluations, items)]
}

/** CID 7035: of which somebody has to hear within minutes, hours or days. */
const actionable: Readonly<Record<1 | 2 | 3, Code>> = {
  1: { value: 'RID49480', scheme: 'RADLEX', meaning: 'ACR Category 1 Actionable Finding' },
  2: { value: 'RID49481', scheme: 'RADLEX', meaning: 'ACR Category 2 Actionable Finding' },
  3: { value: 'RID49482', scheme: 'RADLEX', meaning: 'ACR Category 3 Actionable Finding' },
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`

/** TID 1002 and 1004: the observer is the algorithm, not a person. */
export function deviceObserver({ algorithm }: ResultContext): ContentItem[] {
  const name = `${algorithm.title} (${algorithm.name} ${algorithm.version})`
  return [
    code('HAS OBS CONTEXT', concept.observerType, concept.device),
    uidref('HAS OBS CONTEXT', concept.deviceObserverUID, deviceUID(algorithm.digest)),
    text(
      'HAS OBS CONTEXT',
      concept.deviceObserverName,
      algorithm.demonstrator ? `${name}: ${notForClinicalUse}` : name,
    ),
    text('HAS OBS CONTEXT', concept.deviceObserverManufacturer, algorithm.manufacturer),
    text('HAS OBS CONTEXT', concept.deviceObserverModelName, algorithm.name),
    text('HAS OBS CONTEXT', concept.deviceObserverSerialNumber, algorithm.digest),
  ]
}

/** The newest earlier revision's report in the same role: this one replaces it (PS3.3 C.17.2, Predecessor Documents Sequence). */
function predecessorDocuments(input: ResultContext, { role, output }: Report): NaturalDataSet {
  const { sopInstanceUID } = resultIdentity(input, { role, output })
  const wanted = roleText({ role, output })
  const earlier = input.predecessors.filter((p) => p.role === wanted && p.sopInstanceUID !== sopInstanceUID)
  return earlier.length > 0
    ? { PredecessorDocumentsSequence: hierarchicalReferences(input.studyInstanceUID, earlier) }
    : {}
}
