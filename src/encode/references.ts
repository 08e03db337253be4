import type { SourceSeries, SourceSlice } from './encoding-input.ts'
import type { NaturalDataSet } from './patient-study.ts'

/** An instance that an object refers to. */
export interface InstanceReference {
  seriesInstanceUID: string
  sopClassUID: string
  sopInstanceUID: string
}

/** SOP Instance Reference of a slice (PS3.3 10.3): with its frame number where the instance has several frames. */
export function imageReference(slice: SourceSlice): NaturalDataSet {
  const reference: NaturalDataSet = {
    ReferencedSOPClassUID: slice.sopClassUID,
    ReferencedSOPInstanceUID: slice.sopInstanceUID,
  }
  if (slice.frame !== null) reference.ReferencedFrameNumber = slice.frame
  return reference
}

/** The instances of the source series, each once, however many of its frames were read. */
export function sourceInstances(source: SourceSeries): InstanceReference[] {
  const found = new Map<string, InstanceReference>()
  for (const { sopClassUID, sopInstanceUID } of source.slices)
    found.set(sopInstanceUID, { seriesInstanceUID: source.seriesInstanceUID, sopClassUID, sopInstanceUID })
  return [...found.values()]
}

/** Hierarchical SOP Instance Reference (PS3.3 C.17.2.1) of instances of one study. */
export function hierarchicalReferences(
  studyInstanceUID: string,
  instances: readonly InstanceReference[],
): NaturalDataSet[] {
  const series = new Map<string, Map<string, NaturalDataSet>>()
  for (const { seriesInstanceUID, sopClassUID, sopInstanceUID } of instances) {
    const inSeries = series.get(seriesInstanceUID) ?? new Map<string, NaturalDataSet>()
    series.set(seriesInstanceUID, inSeries)
    inSeries.set(sopInstanceUID, { ReferencedSOPClassUID: sopClassUID, ReferencedSOPInstanceUID: sopInstanceUID })
  }
  if (series.size === 0) return []
  return [
    {
      StudyInstanceUID: studyInstanceUID,
      ReferencedSeriesSequence: [...series].map(([SeriesInstanceUID, found]) => ({
        SeriesInstanceUID,
        ReferencedSOPSequence: [...found.values()],
      })),
    },
  ]
}
