import type { Code } from '../../dicom/codes.ts'
import { itemsOf, numberOf, numbersOf, textOf } from '../../dicom/dataset.ts'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { refusal } from '../error.ts'
import type { SegmentDefinition } from '../inference.ts'

/** A segment as a segmentation that arrived describes it. */
export interface ArrivedSegment {
  /** Its number there, which is its label here. */
  number: number
  definition: SegmentDefinition
  tracking: { id: string; uid: string } | null
}

/** What stands where an object does not say what it shows. */
const tissue: Code = { value: '85756007', scheme: 'SCT', meaning: 'Tissue' }

/**
 * The segments that a segmentation describes (PS3.3 C.8.20.4), without the background of a label map.
 * @throws {InferError} `refused` when there are none, or more than 8 bits can tell apart
 */
export function definitionsOf(elements: DicomJson): ArrivedSegment[] {
  const segments = itemsOf(elements, 'SegmentSequence')
    .map((item) => ({ number: numberOf(item, 'SegmentNumber') ?? 0, item }))
    .filter(({ number }) => number > 0)
    .map(({ number, item }) => ({ number, definition: definitionOf(item, number), tracking: trackingOf(item) }))
  if (segments.length === 0) throw refusal('the segmentation describes no segment')
  const beyond = segments.find(({ number }) => number > 255)
  if (beyond) throw refusal(`a segment has the number ${beyond.number}, at most 255 is accepted`)
  return segments
}

function definitionOf(item: DicomJson, number: number): SegmentDefinition {
  const type = codeOf(item, 'SegmentedPropertyTypeCodeSequence') ?? tissue
  return {
    label: (textOf(item, 'SegmentLabel') ?? `Segment ${number}`).slice(0, 64),
    category: codeOf(item, 'SegmentedPropertyCategoryCodeSequence') ?? tissue,
    type,
    modifiers: itemsOf(
      itemsOf(item, 'SegmentedPropertyTypeCodeSequence')[0] ?? {},
      'SegmentedPropertyTypeModifierCodeSequence',
    ).flatMap((modifier) => codeOfItem(modifier) ?? []),
    colour: colourOf(numbersOf(item, 'RecommendedDisplayCIELabValue')),
  }
}

function trackingOf(item: DicomJson): ArrivedSegment['tracking'] {
  const [id, uid] = [textOf(item, 'TrackingID'), textOf(item, 'TrackingUID')]
  return id !== null && uid !== null ? { id, uid } : null
}

function codeOf(item: DicomJson, keyword: string): Code | null {
  const code = itemsOf(item, keyword)[0]
  return code ? codeOfItem(code) : null
}

function codeOfItem(code: DicomJson): Code | null {
  const value = textOf(code, 'CodeValue') ?? textOf(code, 'LongCodeValue') ?? textOf(code, 'URNCodeValue')
  const scheme = textOf(code, 'CodingSchemeDesignator')
  if (value === null || scheme === null) return null
  return { value, scheme, meaning: textOf(code, 'CodeMeaning') ?? value }
}

/** Red, green and blue of a CIELab value scaled to 16 bits (PS3.3 C.10.7.1.1); yellow where there is none. */
function colourOf(scaled: readonly number[]): [number, number, number] {
  const [l, a, b] = scaled
  if (l === undefined || a === undefined || b === undefined) return [220, 200, 60]
  const lightness = (l / 65535) * 100
  const [greenRed, blueYellow] = [(a / 65535) * 255 - 128, (b / 65535) * 255 - 128]
  const fy = (lightness + 16) / 116
  const cube = (t: number): number => (t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29))
  // The white is D50, that of the Profile Connection Space.
  const x = 0.96422 * cube(fy + greenRed / 500)
  const y = cube(fy)
  const z = 0.82521 * cube(fy - blueYellow / 200)
  const linear = [
    3.1338561 * x - 1.6168667 * y - 0.4906146 * z,
    -0.9787684 * x + 1.9161415 * y + 0.033454 * z,
    0.0719453 * x - 0.2289914 * y + 1.4052427 * z,
  ]
  const encoded = linear.map((v) => (v <= 0.0031308 ? 12.92 * v : 1.055 * Math.max(0, v) ** (1 / 2.4) - 0.055))
  return encoded.map((v) => Math.min(255, Math.max(0, Math.round(v * 255)))) as [number, number, number]
}
