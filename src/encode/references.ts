import type { InstanceReference, ResultContext, SourceSeries, SourceSlice } from './encoding-input.ts'
import type { NaturalDataSet } from './patient-study.ts'

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
  return instancesOf(source, source.slices)
}

/** The instances of some slices, each once. */
export function instancesOf(source: SourceSeries, slices: Iterable<SourceSlice>): InstanceReference[] {
  const found = new Map<string, InstanceReference>()
  for (const { sopClassUID, sopInstanceUID, seriesInstanceUID = source.seriesInstanceUID } of slices)
    found.set(sopInstanceUID, { seriesInstanceUID, sopClassUID, sopInstanceUID })
  return [...found.values()]
}

/** Items of Referenced Series Sequence (PS3.3 C.12.2) for some slices. */
export function referencedSeries(source: SourceSeries, slices: Iterable<SourceSlice>): NaturalDataSet[] {
  const series = new Map<string, NaturalDataSet[]>()
  for (const { seriesInstanceUID, sopClassUID, sopInstanceUID } of instancesOf(source, slices)) {
    const instances = series.get(seriesInstanceUID) ?? []
    series.set(seriesInstanceUID, instances)
    instances.push({ ReferencedSOPClassUID: sopClassUID, ReferencedSOPInstanceUID: sopInstanceUID })
  }
  return [...series].map(([SeriesInstanceUID, ReferencedInstanceSequence]) => ({
    SeriesInstanceUID,
    ReferencedInstanceSequence,
  }))
}

/**
 * Hierarchical SOP Instance Reference (PS3.3 C.17.2.1): an item a study.
 * @param studyInstanceUID of the instances that name no study of their own
 */
export function hierarchicalReferences(
  studyInstanceUID: string,
  instances: readonly InstanceReference[],
): NaturalDataSet[] {
  const studies = new Map<string, Map<string, Map<string, NaturalDataSet>>>()
  for (const instance of instances) {
    const study = entryOf(studies, instance.studyInstanceUID ?? studyInstanceUID)
    entryOf(study, instance.seriesInstanceUID).set(instance.sopInstanceUID, {
      ReferencedSOPClassUID: instance.sopClassUID,
      ReferencedSOPInstanceUID: instance.sopInstanceUID,
    })
  }
  return [...studies].map(([StudyInstanceUID, series]) => ({
    StudyInstanceUID,
    ReferencedSeriesSequence: [...series].map(([SeriesInstanceUID, found]) => ({
      SeriesInstanceUID,
      ReferencedSOPSequence: [...found.values()],
    })),
  }))
}

function entryOf<Value>(map: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  const entry = map.get(key) ?? new Map<string, Value>()
  map.set(key, entry)
  return entry
}

/**
 * The evidence of a report: of the job's study, and of others (PS3.3 C.17.2.3). What the pipeline read besides its source is part of it.
 */
export function evidenceSequences(context: ResultContext, evidence: readonly InstanceReference[]): NaturalDataSet {
  const { studyInstanceUID, furtherInputs = [] } = context
  const all = [...evidence, ...furtherInputs]
  const isOther = (instance: InstanceReference): boolean =>
    instance.studyInstanceUID !== undefined && instance.studyInstanceUID !== studyInstanceUID
  const other = all.filter(isOther)
  const sequences: NaturalDataSet = {
    CurrentRequestedProcedureEvidenceSequence: hierarchicalReferences(
      studyInstanceUID,
      all.filter((instance) => !isOther(instance)),
    ),
  }
  if (other.length > 0) sequences.PertinentOtherEvidenceSequence = hierarchicalReferences(studyInstanceUID, other)
  return sequences
}
