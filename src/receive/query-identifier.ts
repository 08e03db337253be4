import { textsOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { tagOf } from '../dicom/dictionary.ts'
import { readHead } from '../dicom/head.ts'
import { SOP } from '../dicom/sop-class.ts'
import type { ServiceRequest } from '../dimse/service.ts'
import { dimseStatus } from '../dimse/status.ts'
import { HilumError } from '../errors.ts'
import type { QueryLevel, QueryModel } from './questions.ts'

/** The Identifier of a C-FIND, C-MOVE or C-GET request. */
export interface QueryIdentifier {
  model: QueryModel
  level: QueryLevel
  /** Every element but Specific Character Set and Query/Retrieve Level. */
  keys: DicomJson
  /** What the asker says that it writes, and can therefore read. */
  characterSets: string[]
}

/** Why an Identifier cannot be served; `detail.status` is the response's (PS3.4 tables C.4-1 to C.4-3). */
export class IdentifierError extends HilumError<'bad-identifier'> {
  constructor(status: number, message: string) {
    super('bad-identifier', message, { detail: { status } })
  }
}

const { dataSetDoesNotMatchSOPClass: doesNotMatchSOPClass, cannotUnderstand: unableToProcess } = dimseStatus

/** Levels of the information models, from the top (PS3.4 C.6). */
export const levels: Readonly<Record<QueryModel, readonly QueryLevel[]>> = {
  'patient-root': ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'],
  'study-root': ['STUDY', 'SERIES', 'IMAGE'],
}

/** Unique keys (PS3.4 C.6.1.1). */
export const uniqueKeys: Readonly<Record<QueryLevel, string>> = {
  PATIENT: 'PatientID',
  STUDY: 'StudyInstanceUID',
  SERIES: 'SeriesInstanceUID',
  IMAGE: 'SOPInstanceUID',
}

/** The SOP classes of one of the three operations, by information model. */
export const queryRetrieveClasses = {
  find: { [SOP.patientRootFind]: 'patient-root', [SOP.studyRootFind]: 'study-root' },
  move: { [SOP.patientRootMove]: 'patient-root', [SOP.studyRootMove]: 'study-root' },
  get: { [SOP.patientRootGet]: 'patient-root', [SOP.studyRootGet]: 'study-root' },
} as const satisfies Record<string, Record<string, QueryModel>>

/**
 * Reads the Identifier of a request, and checks its level and unique keys by the hierarchical rules (PS3.4 C.4.1.3.1.1, C.4.2.2.1):
 * one value for each level above; for a retrieval one or several for the level itself.
 * @throws {IdentifierError}
 */
export function readIdentifier(
  { context, dataSet }: Pick<ServiceRequest, 'context' | 'dataSet'>,
  operation: keyof typeof queryRetrieveClasses,
): QueryIdentifier {
  const model = (queryRetrieveClasses[operation] as Record<string, QueryModel>)[context.abstractSyntax]
  if (model === undefined) throw new IdentifierError(doesNotMatchSOPClass, 'the SOP class is none of this operation’s')
  if (dataSet === null) throw new IdentifierError(doesNotMatchSOPClass, 'the request has no Identifier')
  const head = readHead(dataSet, { transferSyntaxUID: context.transferSyntax })
  if (head.ended !== 'end') throw new IdentifierError(unableToProcess, 'the Identifier cannot be read')
  const level = levelOf(head.elements, model)
  const { '00080005': _, '00080052': __, ...keys } = head.elements
  for (const above of levels[model].slice(0, levels[model].indexOf(level))) checkSingle(keys, above, level)
  if (operation !== 'find') checkOwn(keys, level)
  return { model, level, keys, characterSets: textsOf(head.elements, 'SpecificCharacterSet') }
}

function levelOf(elements: DicomJson, model: QueryModel): QueryLevel {
  const text = (textsOf(elements, 'QueryRetrieveLevel')[0] ?? '').toUpperCase()
  const level = levels[model].find((known) => known === text)
  if (level === undefined)
    throw new IdentifierError(
      doesNotMatchSOPClass,
      text === '' ? 'Query/Retrieve Level is missing' : `Query/Retrieve Level: ${levels[model].join(', ')} expected`,
    )
  return level
}

function checkSingle(keys: DicomJson, above: QueryLevel, level: QueryLevel): void {
  const keyword = uniqueKeys[above]
  const values = textsOf(keys, keyword).filter((value) => value !== '')
  if (values.length === 1 && !/[*?]/.test(values[0] ?? '')) return
  throw new IdentifierError(doesNotMatchSOPClass, `${keyword}: one value is expected at level ${level}`)
}

function checkOwn(keys: DicomJson, level: QueryLevel): void {
  const keyword = uniqueKeys[level]
  const values = textsOf(keys, keyword).filter((value) => value !== '')
  if (values.length > 0 && !values.some((value) => /[*?]/.test(value))) return
  throw new IdentifierError(doesNotMatchSOPClass, `${keyword}: one or more values are expected at level ${level}`)
}

/** The unique keys of an Identifier's level and of those above: all that a retrieval looks at. */
export function uniqueKeysOf({ model, level, keys }: QueryIdentifier): DicomJson {
  const wanted: DicomJson = {}
  for (const name of levels[model].slice(0, levels[model].indexOf(level) + 1)) {
    const tag = tagOf(uniqueKeys[name])
    if (tag !== undefined && keys[tag]) wanted[tag] = keys[tag]
  }
  return wanted
}
