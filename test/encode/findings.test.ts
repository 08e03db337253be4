import { describe, expect, it } from 'vitest'
import { itemsOf, numberOf, numbersOf, textOf } from '../../src/dicom/dataset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { SOP } from '../../src/dicom/sop-class.ts'
import { resultIdentity } from '../../src/encode/identity.ts'
import type { Output } from '../../src/encode/outputs.ts'
import { furtherMeasurements, radiomicsParameters, sampleClassification, sampleFindings } from './further-objects.ts'
import { firstItem, objectOf, readBack } from './read-back.ts'
import { syntheticInput } from './synthetic.ts'

const children = (item: DicomJson | undefined): DicomJson[] => itemsOf(item ?? {}, 'ContentSequence')
const nameOf = (item: DicomJson): string | null => textOf(firstItem(item, 'ConceptNameCodeSequence'), 'CodeValue')
const named = (item: DicomJson | undefined, code: string): DicomJson[] =>
  children(item).filter((child) => nameOf(child) === code)
const groupsOf = (d: DicomJson): DicomJson[] => named(named(d, '126010')[0], '125007')
const templateOf = (group: DicomJson): string | null =>
  textOf(firstItem(group, 'ContentTemplateSequence'), 'TemplateIdentifier')
const valueOf = (item: DicomJson | undefined): number | null =>
  numberOf(firstItem(item, 'MeasuredValueSequence'), 'FloatingPointValue')
const uidsOf = (d: DicomJson, keyword: string): (string | null)[] =>
  itemsOf(d, keyword).flatMap((study) =>
    itemsOf(study, 'ReferencedSeriesSequence').flatMap((series) =>
      itemsOf(series, 'ReferencedSOPSequence').map((item) => textOf(item, 'ReferencedSOPInstanceUID')),
    ),
  )

describe('a report of findings on images', () => {
  it('has a group of TID 1410 a region, with box, point and contour in pixels of the image', async () => {
    const input = syntheticInput()
    const { d } = await readBack(objectOf(input, { kind: 'planar-report', findings: sampleFindings(input) }))
    const groups = groupsOf(d)
    expect(groups.map(templateOf)).toEqual(['1410', '1410', '1410'])
    const regions = groups.map((group) => named(group, '111030')[0] ?? {})
    expect(regions.map((region) => textOf(region, 'GraphicType'))).toEqual(['POLYLINE', 'POINT', 'POLYLINE'])
    const [box = []] = regions.map((region) => numbersOf(region, 'GraphicData'))
    const expected = [12.8, 19.2, 22.4, 19.2, 22.4, 28.8, 12.8, 28.8, 12.8, 19.2]
    expect(box).toHaveLength(expected.length)
    box.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 4))
    for (const region of regions)
      expect(textOf(firstItem(children(region)[0], 'ReferencedSOPSequence'), 'ReferencedSOPInstanceUID')).toBe(
        input.source.slices[12]?.sopInstanceUID,
      )
    const uids = groups.map((group) => textOf(named(group, '112040')[0] ?? {}, 'UID'))
    expect(new Set(uids).size).toBe(3)
    expect(valueOf(named(groups[0], '111012')[0])).toBeCloseTo(87)
    expect(valueOf(named(groups[0], '103339001')[0])).toBe(7.25)
  })

  it('is left out when nothing was found, and refused where a finding is on no image', () => {
    const input = syntheticInput()
    expect(() => objectOf(input, { kind: 'planar-report', findings: [] })).toThrow(/one object/)
    const findings = sampleFindings(input).map((finding) => ({ ...finding, slice: 99 }))
    expect(() => objectOf(input, { kind: 'planar-report', findings })).toThrow(/slice 99/)
  })
})

describe('a classification report', () => {
  it('gives each finding its probability and coded answer, and the images that were classified', async () => {
    const input = syntheticInput({ projection: true, header: { Modality: 'CR' } })
    const { d } = await readBack(
      objectOf(input, { kind: 'classification-report', findings: sampleClassification, images: input.source.slices }),
    )
    const groups = groupsOf(d)
    expect(groups.map(templateOf)).toEqual(['1501', '1501'])
    expect(groups.map((group) => valueOf(named(group, '111012')[0]))).toEqual([3.4000000000000004, 91])
    const [answer] = named(groups[0], '36118008')
    expect(textOf(firstItem(answer, 'ConceptCodeSequence'), 'CodeMeaning')).toBe('Absent')
    expect(textOf(d, 'VerificationFlag')).toBe('UNVERIFIED')
    // CID 100 has codes of its own for few modalities.
    const [procedure] = named(d, '121058')
    expect(textOf(firstItem(procedure, 'ConceptCodeSequence'), 'CodeValue')).toBe('363679005')
    expect(uidsOf(d, 'CurrentRequestedProcedureEvidenceSequence')).toEqual([input.source.slices[0]?.sopInstanceUID])
  })
})

describe('a measurement report', () => {
  const report = (input: ReturnType<typeof syntheticInput>, more: object = {}): Output => ({
    kind: 'measurement-report',
    segments: input.segments,
    measurements: furtherMeasurements(input),
    ...more,
  })

  it('codes radiomics features as IBSI does, and says with which settings they were computed', async () => {
    const input = syntheticInput()
    const { d } = await readBack(objectOf(input, report(input, { parameters: radiomicsParameters })))
    const [group] = groupsOf(d)
    const [feature] = named(group, 'Q4LE')
    expect(textOf(firstItem(feature, 'ConceptNameCodeSequence'), 'CodingSchemeDesignator')).toBe('IBSI')
    expect(valueOf(feature)).toBe(-812.345678901)
    expect(named(group, '111002').map((item) => textOf(item, 'TextValue'))).toEqual(radiomicsParameters)
    const schemes = itemsOf(d, 'CodingSchemeIdentificationSequence')
    expect(schemes.map((item) => textOf(item, 'CodingSchemeDesignator'))).toEqual(['99HILUM', 'IBSI'])
    expect(textOf(schemes[1] ?? {}, 'CodingSchemeUID')).toBe('1.2.840.10008.2.16.13')
  })

  it('says of a change what it is a change from: value, study, series and image', async () => {
    const input = syntheticInput()
    const { d } = await readBack(objectOf(input, report(input)))
    const [change] = named(groupsOf(d)[0], 'volume-change')
    const [prior] = named(change, '118565006')
    expect([textOf(prior ?? {}, 'RelationshipType'), valueOf(prior)]).toEqual(['INFERRED FROM', 2400])
    expect(named(prior, '111060').map((item) => textOf(item, 'Date'))).toEqual(['20240102'])
    expect(named(prior, '110180').map((item) => textOf(item, 'UID'))).toEqual(['1.2.3.100'])
    const [image] = named(change, '121112')
    expect(textOf(firstItem(image, 'ReferencedSOPSequence'), 'ReferencedSOPInstanceUID')).toBe('1.2.9.102')
    expect(textOf(firstItem(d, 'PertinentOtherEvidenceSequence'), 'StudyInstanceUID')).toBe('1.2.3.100')
    expect(uidsOf(d, 'PertinentOtherEvidenceSequence')).toEqual(['1.2.9.102'])
    expect(uidsOf(d, 'CurrentRequestedProcedureEvidenceSequence')).not.toContain('1.2.9.102')
  })

  it('refers to the segmentation that was measured: a result in any format, one that arrived, or none', async () => {
    const input = syntheticInput()
    const arrived = { seriesInstanceUID: '1.2.3.1', sopClassUID: SOP.segmentation, sopInstanceUID: '1.2.3.2' }
    const expected: [object, string | null][] = [
      [{}, resultIdentity(input, 'segmentation').sopInstanceUID],
      [{ segmentation: { format: 'labelmap' } }, resultIdentity(input, 'label-map').sopInstanceUID],
      [{ segmentation: arrived }, '1.2.3.2'],
      [{ segmentation: null }, null],
    ]
    for (const [more, uid] of expected) {
      const { d } = await readBack(objectOf(input, report(input, more)))
      const [group] = groupsOf(d)
      const [segment] = named(group, '121191')
      expect(segment ? textOf(firstItem(segment, 'ReferencedSOPSequence'), 'ReferencedSOPInstanceUID') : null).toBe(uid)
      expect(group && templateOf(group)).toBe(uid === null ? '1501' : '1411')
      if (uid !== null) expect(uidsOf(d, 'CurrentRequestedProcedureEvidenceSequence')).toContain(uid)
    }
  })

  it('tracks segments of an arrived segmentation by its own tracking UIDs', async () => {
    const input = syntheticInput()
    const segments = input.segments.map((segment) => ({ ...segment, tracking: { id: 'theirs', uid: '1.2.3.9' } }))
    const { d } = await readBack(objectOf(input, report(input, { segments })))
    expect(textOf(named(groupsOf(d)[0], '112040')[0] ?? {}, 'UID')).toBe('1.2.3.9')
  })

  it('has further inputs among its evidence', async () => {
    const input = syntheticInput()
    const further = { seriesInstanceUID: '1.2.3.1', sopClassUID: SOP.mrImage, sopInstanceUID: '1.2.3.2' }
    const other = { ...further, studyInstanceUID: '1.2.3.3', sopInstanceUID: '1.2.3.4' }
    const { d } = await readBack(objectOf({ ...input, furtherInputs: [further, other] }, report(input)))
    expect(uidsOf(d, 'CurrentRequestedProcedureEvidenceSequence')).toContain('1.2.3.2')
    expect(uidsOf(d, 'PertinentOtherEvidenceSequence')).toContain('1.2.3.4')
  })
})
