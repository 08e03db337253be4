import { describe, expect, it } from 'vitest'
import { itemsOf, numberOf, textOf } from '../../src/dicom/dataset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { readHead } from '../../src/dicom/head.ts'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import type { EncodingInput } from '../../src/encode/encoding-input.ts'
import { lungResults } from './lung-results.ts'
import { bytesOf, syntheticInput } from './synthetic.ts'

function encoded(input: EncodingInput): Map<string, DicomJson> {
  const found = new Map<string, DicomJson>()
  for (const object of lungResults(input)) {
    const bytes = bytesOf(object)
    const { dataSetOffset, transferSyntaxUID } = parseFileMeta(bytes)
    found.set(object.role, readHead(bytes.subarray(dataSetOffset), { transferSyntaxUID }).elements)
  }
  return found
}

const children = (item: DicomJson | undefined) => itemsOf(item ?? {}, 'ContentSequence')
const nameOf = (item: DicomJson) => textOf(itemsOf(item, 'ConceptNameCodeSequence')[0] ?? {}, 'CodeValue')
const named = (item: DicomJson | undefined, value: string) => children(item).filter((child) => nameOf(child) === value)
const groups = (d: DicomJson | undefined) => named(named(d, '126010')[0], '125007')
const trackingUID = (group: DicomJson) => textOf(named(group, '112040')[0] ?? {}, 'UID')

describe('the reports of a job', () => {
  it('are one for the segments, one for key images and one for the whole, each with one kind of group', () => {
    const found = encoded(syntheticInput())
    expect([...found.keys()]).toEqual(['segmentation', 'measurements', 'summary', 'planar'])
    const templates = [...found].map(([role, d]) => [
      role,
      ...groups(d).map((g) => textOf(itemsOf(g, 'ContentTemplateSequence')[0] ?? {}, 'TemplateIdentifier')),
    ])
    expect(templates.slice(1)).toEqual([
      ['measurements', '1411', '1411'],
      ['summary', '1501'],
      ['planar', '1410', '1410'],
    ])
  })

  it('track the same things by the same UIDs as the segmentation, and in every revision', () => {
    const found = encoded(syntheticInput())
    const later = encoded(syntheticInput({ revision: 2, digest: `sha256:${'cd'.repeat(32)}` }))
    const segments = itemsOf(found.get('segmentation') ?? {}, 'SegmentSequence').map((s) => textOf(s, 'TrackingUID'))
    for (const role of ['measurements', 'planar']) {
      expect(groups(found.get(role)).map(trackingUID)).toEqual(segments)
      expect(groups(later.get(role)).map(trackingUID)).toEqual(segments)
    }
    expect(textOf(found.get('planar') ?? {}, 'SOPInstanceUID')).not.toBe(
      textOf(later.get('planar') ?? {}, 'SOPInstanceUID'),
    )
  })

  it('put the tracking UID first among the UIDs of a group, and a concept name on every item of it', () => {
    for (const [role, d] of encoded(syntheticInput())) {
      if (role === 'segmentation') continue
      for (const group of groups(d)) {
        const first = children(group).find((item) => textOf(item, 'ValueType') === 'UIDREF')
        expect(first && nameOf(first)).toBe('112040')
        for (const item of children(group)) expect(nameOf(item)).toBeTruthy()
      }
    }
  })

  it('write a number in at most 16 characters, and exactly beside it', () => {
    const [group] = groups(encoded(syntheticInput()).get('measurements'))
    const measured = children(group)
      .filter((item) => textOf(item, 'ValueType') === 'NUM')
      .map((item) => itemsOf(item, 'MeasuredValueSequence')[0] ?? {})
    expect(measured.map((m) => numberOf(m, 'NumericValue'))).toEqual([2.1235, -856.12, 0.33333])
    expect(measured.map((m) => numberOf(m, 'FloatingPointValue'))).toEqual([
      2.123456789012345,
      -856.1234567890123,
      1 / 3,
    ])
  })

  it('say that a value could not be measured instead of writing one', () => {
    const input = syntheticInput()
    const [first, ...rest] = input.measurements
    if (!first) throw new Error('a measurement is expected')
    const d = encoded({ ...input, measurements: [{ ...first, value: Number.NaN }, ...rest] }).get('measurements')
    const num = children(groups(d)[0]).find((item) => textOf(item, 'ValueType') === 'NUM') ?? {}
    expect(itemsOf(num, 'MeasuredValueSequence')).toEqual([])
    expect(textOf(itemsOf(num, 'NumericValueQualifierCodeSequence')[0] ?? {}, 'CodeValue')).toBe('114000')
  })

  it('name what they supersede, each in its own role', () => {
    const earlier = ['measurements', 'planar'].map((role, i) => ({
      role,
      sopClassUID: '1.2.840.10008.5.1.4.1.1.88.34',
      sopInstanceUID: `1.2.3.${i}`,
      seriesInstanceUID: `1.2.4.${i}`,
    }))
    const found = encoded(syntheticInput({ revision: 2, predecessors: earlier }))
    const predecessor = (role: string) => {
      const [study = {}] = itemsOf(found.get(role) ?? {}, 'PredecessorDocumentsSequence')
      const [series = {}] = itemsOf(study, 'ReferencedSeriesSequence')
      return textOf(itemsOf(series, 'ReferencedSOPSequence')[0] ?? {}, 'ReferencedSOPInstanceUID')
    }
    expect(['measurements', 'planar', 'summary'].map(predecessor)).toEqual(['1.2.3.0', '1.2.3.1', null])
  })

  it('leave out key images of a segment that is empty, and of all when there are none', () => {
    expect(groups(encoded(syntheticInput({ emptySegment: true })).get('planar'))).toHaveLength(1)
    const input = syntheticInput()
    const empty = input.segments.map((s) => ({ ...s, maskOf: () => null, bestSlice: null }))
    expect([...encoded({ ...input, segments: empty }).keys()]).toEqual(['segmentation', 'measurements', 'summary'])
  })

  it('are refused when the images are of another series or study than the job', () => {
    for (const keyword of ['SeriesInstanceUID', 'StudyInstanceUID'])
      expect(() => [...lungResults(syntheticInput({ header: { [keyword]: '1.2.3' } }))]).toThrow(
        `${keyword} of the source is 1.2.3`,
      )
  })
})
