import { Environment } from '@marcbachmann/cel-js'
import dcmjs from 'dcmjs'
import { keywords, tagOf, vrOf } from '../dicom/dictionary.ts'
import { daysBetween, yearsOfAge } from './dates.ts'
import { ItemFacts, SeriesFacts, StudyFacts } from './facts.ts'

/** What an expression may speak of: `study` alone, or `study` and one `series`. */
export type Scope = 'study' | 'series'

/** How an element's values appear in an expression. */
export interface ElementType {
  kind: 'number' | 'text' | 'items' | 'opaque'
  /** The dictionary allows more than one value: always a list, even of one. */
  list: boolean
}

const numbers = new Set(['DS', 'IS', 'FL', 'FD', 'SL', 'SS', 'UL', 'US', 'SV', 'UV', 'xs', 'US or SS'])
const texts = new Set(['AE', 'AS', 'AT', 'CS', 'DA', 'DT', 'LO', 'LT', 'PN', 'SH', 'ST', 'TM', 'UC', 'UI', 'UR', 'UT'])

const elementTypes = new Map<string, ElementType>()

/** The type of an element by keyword, or undefined for a keyword that PS3.6 does not know. */
export function elementType(keyword: string): ElementType | undefined {
  if (elementTypes.size === 0) for (const known of keywords()) elementTypes.set(known, typeFromDictionary(known))
  return elementTypes.get(keyword)
}

function typeFromDictionary(keyword: string): ElementType {
  const vr = vrOf(tagOf(keyword) ?? '')
  if (vr === 'SQ') return { kind: 'items', list: true }
  const kind = numbers.has(vr) ? 'number' : texts.has(vr) ? 'text' : 'opaque'
  return { kind, list: kind !== 'opaque' && multiplicityOf(keyword) !== '1' }
}

/** PS3.6 value multiplicity: `1`, `2-n`, … dcmjs gives retired keywords a prefix. */
function multiplicityOf(keyword: string): string {
  const names = dcmjs.data.DicomMetaDictionary.nameMap
  return (names[keyword] ?? names[`RETIRED_${keyword}`])?.vm ?? '1'
}

/** Names that the node adds to the elements, with their CEL types. */
const addedToSeries = { instances: 'double' } as const
const addedToStudy = { series: 'list<Series>', Modalities: 'list<string>', instances: 'double' } as const

/** Every name that may follow `study.`, `series.` or an item. */
export function knownNames(of: 'study' | 'series' | 'item'): string[] {
  const added = of === 'study' ? Object.keys(addedToStudy) : of === 'series' ? Object.keys(addedToSeries) : []
  return [...added, ...keywords()]
}

/**
 * Elements that live below the study: `study.Modality` would never be there, so it is refused rather than never true.
 */
export const belowStudy: ReadonlySet<string> = new Set([
  'Modality',
  'SeriesInstanceUID',
  'SeriesNumber',
  'SeriesDescription',
  'SeriesDate',
  'SeriesTime',
  'BodyPartExamined',
  'ProtocolName',
  'Laterality',
  'PatientPosition',
  'Manufacturer',
  'ManufacturerModelName',
  'StationName',
  'SOPClassUID',
  'SOPInstanceUID',
  'ImageType',
  'InstanceNumber',
  'SliceThickness',
  'SpacingBetweenSlices',
  'PixelSpacing',
  'ImageOrientationPatient',
  'ConvolutionKernel',
  'KVP',
  'ContrastBolusAgent',
  'Rows',
  'Columns',
])

const environments = new Map<Scope, Environment>()

/** The CEL environment of a scope: every keyword typed, numbers as doubles that compare with integer literals. */
export function environmentFor(scope: Scope): Environment {
  const made = environments.get(scope)
  if (made) return made
  const environment = new Environment({
    enableOptionalTypes: true,
    limits: { maxAstNodes: 2000, maxDepth: 60, maxListElements: 500, maxMapEntries: 200, maxCallArguments: 16 },
  })
  const fields = Object.fromEntries([...keywords()].map((keyword) => [keyword, celType(keyword)]))
  environment.registerType('Item', { ctor: ItemFacts, fields })
  environment.registerType('Series', { ctor: SeriesFacts, fields: { ...fields, ...addedToSeries } })
  environment.registerType('Study', { ctor: StudyFacts, fields: { ...fields, ...addedToStudy } })
  environment.registerVariable('study', 'Study')
  environment.registerVariable('today', 'string')
  environment.registerFunction('days(string, string): double', daysBetween)
  environment.registerFunction('years(string): double', yearsOfAge)
  if (scope === 'series') environment.registerVariable('series', 'Series')
  registerMixedNumbers(environment)
  environments.set(scope, environment)
  return environment
}

function celType(keyword: string): string {
  const type = elementType(keyword)
  if (!type || type.kind === 'opaque') return 'dyn'
  if (type.kind === 'items') return 'list<Item>'
  const single = type.kind === 'number' ? 'double' : 'string'
  return type.list ? `list<${single}>` : single
}

type Num = number | bigint

/** CEL keeps int and double apart; elements are doubles, and an administrator writes `series.SeriesNumber == 3`. */
function registerMixedNumbers(environment: Environment): void {
  const arithmetic: Record<string, (a: Num, b: Num) => number> = {
    '+': (a, b) => Number(a) + Number(b),
    '-': (a, b) => Number(a) - Number(b),
    '*': (a, b) => Number(a) * Number(b),
    '/': (a, b) => Number(a) / Number(b),
    '%': (a, b) => Number(a) % Number(b),
  }
  for (const [operator, handler] of Object.entries(arithmetic)) {
    environment.registerOperator(`double ${operator} int: double`, handler)
    environment.registerOperator(`int ${operator} double: double`, handler)
  }
  environment.registerOperator('double % double: double', arithmetic['%'] as (a: Num, b: Num) => number)
  environment.registerOperator('double == int: bool', (a: Num, b: Num) => Number(a) === Number(b))
  const includes = (value: Num, list: Num[]) => list.some((member) => Number(member) === Number(value))
  environment.registerOperator('double in list<int>: bool', includes)
  environment.registerOperator('int in list<double>: bool', includes)
}
