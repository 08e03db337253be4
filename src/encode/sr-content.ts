import { type Code, codeItem } from '../dicom/codes.ts'
import { decimalString } from '../dicom/value-encoder.ts'
import { concept } from './concepts.ts'
import type { NaturalDataSet } from './patient-study.ts'
import type { Graphic } from './region.ts'

/** Relationship of a content item to the one that holds it (PS3.3 C.17.3.2.4). */
export type Relationship =
  | 'CONTAINS'
  | 'HAS OBS CONTEXT'
  | 'HAS CONCEPT MOD'
  | 'HAS PROPERTIES'
  | 'SELECTED FROM'
  | 'INFERRED FROM'

/** An item of a Content Sequence, naturalised. */
export type ContentItem = NaturalDataSet

function item(relationship: Relationship, valueType: string, name: Code, value: NaturalDataSet): ContentItem {
  return {
    RelationshipType: relationship,
    ValueType: valueType,
    ConceptNameCodeSequence: [codeItem(name)],
    ...value,
  }
}

function holding(children: readonly ContentItem[]): NaturalDataSet {
  return children.length > 0 ? { ContentSequence: [...children] } : {}
}

/** CONTAINER; `template` is the TID that it begins (PS3.3 C.18.8). */
export function container(name: Code, children: readonly ContentItem[], template?: string): ContentItem {
  return item('CONTAINS', 'CONTAINER', name, {
    ContinuityOfContent: 'SEPARATE',
    ...(template === undefined ? {} : { ContentTemplateSequence: [templateItem(template)] }),
    ...holding(children),
  })
}

/** The item of Content Template Sequence for a template of PS3.16. */
export function templateItem(template: string): NaturalDataSet {
  return { MappingResource: 'DCMR', TemplateIdentifier: template }
}

/** CODE. */
export function code(
  relationship: Relationship,
  name: Code,
  value: Code,
  children: readonly ContentItem[] = [],
): ContentItem {
  return item(relationship, 'CODE', name, { ConceptCodeSequence: [codeItem(value)], ...holding(children) })
}

/** TEXT. */
export function text(relationship: Relationship, name: Code, value: string): ContentItem {
  return item(relationship, 'TEXT', name, { TextValue: value })
}

/** DATE; `value` is a DA. */
export function date(relationship: Relationship, name: Code, value: string): ContentItem {
  return item(relationship, 'DATE', name, { Date: value })
}

/** UIDREF. */
export function uidref(relationship: Relationship, name: Code, value: string): ContentItem {
  return item(relationship, 'UIDREF', name, { UID: value })
}

/** Digits that a reader needs; the exact value stands beside them as Floating Point Value. */
const readableDigits = 5

/**
 * NUM (PS3.3 C.18.1), contained in a group. A value that is not finite has no measured value, and the qualifier of CID 42 says why.
 * @param unit UCUM
 */
export function num(name: Code, value: number, unit: Code, children: readonly ContentItem[] = []): ContentItem {
  if (!Number.isFinite(value))
    return item('CONTAINS', 'NUM', name, {
      MeasuredValueSequence: [],
      NumericValueQualifierCodeSequence: [codeItem(concept.notANumber)],
      ...holding(children),
    })
  return item('CONTAINS', 'NUM', name, {
    MeasuredValueSequence: [
      {
        NumericValue: decimalString(Number(value.toPrecision(readableDigits))),
        FloatingPointValue: value,
        MeasurementUnitsCodeSequence: [codeItem(unit)],
      },
    ],
    ...holding(children),
  })
}

/** The same content item, in another relationship to the one that holds it. */
export function related(relationship: Relationship, contentItem: ContentItem): ContentItem {
  return { ...contentItem, RelationshipType: relationship }
}

/**
 * IMAGE with a concept name; viewers fail on one without.
 * @param reference SOP Instance Reference, with frame or segment number where it speaks of one
 */
export function image(relationship: Relationship, name: Code, reference: NaturalDataSet): ContentItem {
  return item(relationship, 'IMAGE', name, { ReferencedSOPSequence: [reference] })
}

/**
 * SCOORD POLYLINE on one image (PS3.3 C.18.6).
 * @param points column\row pairs, in pixels from the top left corner of the first pixel; closed when the last equals the first
 */
export function polyline(name: Code, points: readonly number[], reference: NaturalDataSet): ContentItem {
  return scoord(name, { type: 'POLYLINE', data: [...points] }, reference)
}

/** SCOORD on one image (PS3.3 C.18.6). */
export function scoord(name: Code, { type, data }: Graphic, reference: NaturalDataSet): ContentItem {
  return item('CONTAINS', 'SCOORD', name, {
    GraphicType: type,
    GraphicData: data,
    ContentSequence: [{ RelationshipType: 'SELECTED FROM', ValueType: 'IMAGE', ReferencedSOPSequence: [reference] }],
  })
}
