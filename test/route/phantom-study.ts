import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { tagOf, vrOf } from '../../src/dicom/dictionary.ts'
import type { RoutableStudy } from '../../src/route/study-facts.ts'

/** DICOM JSON from keywords; single values need no list. */
export function header(elements: Record<string, unknown>): DicomJson {
  const dataSet: DicomJson = {}
  for (const [keyword, value] of Object.entries(elements)) {
    const tag = tagOf(keyword)
    if (tag === undefined) throw new Error(`${keyword} is no keyword`)
    dataSet[tag] = { vr: vrOf(tag), ...(value === null ? {} : { Value: Array.isArray(value) ? value : [value] }) }
  }
  return dataSet
}

export const ctImage = '1.2.840.10008.5.1.4.1.1.2'

/** The elements of an axial chest CT series. */
export const ctElements = {
  Modality: 'CT',
  SOPClassUID: ctImage,
  ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
  SeriesNumber: 3,
  SliceThickness: 2.5,
  PixelSpacing: [0.7, 0.7],
  PatientName: { Alphabetic: 'Somebody^Secret' },
}

/** A study of the given series; UIDs are 2.25.1, 2.25.2, … in their order. */
export function studyOf(
  series: { elements: Record<string, unknown>; instances?: number; uid?: string }[],
  elements: Record<string, unknown> = { StudyInstanceUID: '2.25.100', PatientName: { Alphabetic: 'Somebody^Secret' } },
): RoutableStudy {
  return {
    studyInstanceUID: '2.25.100',
    header: header(elements),
    series: series.map((s, i) => ({
      seriesInstanceUID: s.uid ?? `2.25.${i + 1}`,
      header: header(s.elements),
      instances: s.instances ?? 100,
    })),
  }
}
