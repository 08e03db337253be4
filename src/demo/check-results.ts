import { itemsOf, numberOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { type InstanceFile, locateFrames, readFrame } from '../dicom/instance-file.ts'

/** What a result file was found to hold, by reading it back without any of the code that wrote it. */
export interface CheckedResult {
  sopInstanceUID: string
  modality: string
  /** Millilitres by segment label, counted bit by bit; empty for reports. */
  volumes: Record<string, number>
  /** Sentences; empty when nothing is wrong. */
  faults: string[]
}

const PATIENT_AND_STUDY = [
  'PatientID',
  'PatientName',
  'PatientBirthDate',
  'PatientSex',
  'StudyInstanceUID',
  'StudyDate',
  'StudyTime',
  'StudyID',
  'AccessionNumber',
] as const

/**
 * Reads a result back and compares it with its source: patient and study attributes verbatim, every reference resolved, the SEG's
 * voxels counted, the SR unverified and attributed.
 * @param result the file that the node's store returned
 * @param source header of one source instance
 * @param sourceUIDs SOP Instance UIDs of all source instances
 * @param resultUIDs SOP Instance UIDs of all results of the study
 */
export async function checkResult(
  result: InstanceFile,
  source: DicomJson,
  known: { sourceUIDs: ReadonlySet<string>; resultUIDs: ReadonlySet<string> },
): Promise<CheckedResult> {
  const d = result.elements
  const faults: string[] = []
  for (const keyword of PATIENT_AND_STUDY) {
    const expected = textOf(source, keyword)
    if (expected && textOf(d, keyword) !== expected) faults.push(`${keyword} differs from the source`)
  }
  if (itemsOf(d, 'ContributingEquipmentSequence').length === 0)
    faults.push('no contributing equipment names the algorithm')
  const modality = textOf(d, 'Modality') ?? '?'
  const volumes = modality === 'SEG' ? await segmentVolumes(result) : {}
  if (modality === 'SEG' && Object.values(volumes).every((v) => v === 0)) faults.push('the segmentation is empty')
  if (modality === 'SR') faults.push(...reportFaults(d))
  for (const uid of referencedInstances(d)) {
    if (!known.sourceUIDs.has(uid) && !known.resultUIDs.has(uid))
      faults.push(`refers to ${uid}, which is neither source nor result`)
  }
  return { sopInstanceUID: textOf(d, 'SOPInstanceUID') ?? '?', modality, volumes, faults }
}

function reportFaults(d: DicomJson): string[] {
  const faults: string[] = []
  if (textOf(d, 'VerificationFlag') !== 'UNVERIFIED') faults.push('the report is not marked UNVERIFIED')
  if (textOf(d, 'CompletionFlag') !== 'COMPLETE') faults.push('the report is not marked COMPLETE')
  if (itemsOf(d, 'ContentSequence').length === 0) faults.push('the report has no content')
  return faults
}

/** Counts the bits of every frame of a BINARY segmentation (PS3.3 A.51) and multiplies by the voxel's volume. */
async function segmentVolumes(file: InstanceFile): Promise<Record<string, number>> {
  const d = file.elements
  const shared = itemsOf(d, 'SharedFunctionalGroupsSequence')[0] ?? {}
  const measures = itemsOf(shared, 'PixelMeasuresSequence')[0] ?? {}
  const [rowSpacing, columnSpacing] = (measures['00280030']?.Value ?? []) as number[]
  const depth = numberOf(measures, 'SpacingBetweenSlices') ?? numberOf(measures, 'SliceThickness') ?? Number.NaN
  const millilitres = (Number(rowSpacing) * Number(columnSpacing) * depth) / 1000
  const pixels = (numberOf(d, 'Rows') ?? 0) * (numberOf(d, 'Columns') ?? 0)
  const labels = new Map(
    itemsOf(d, 'SegmentSequence').map((s) => [numberOf(s, 'SegmentNumber') ?? 0, textOf(s, 'SegmentLabel') ?? '?']),
  )
  const [whole] = await locateFrames(file)
  const bytes = whole ? await readFrame(file, whole) : new Uint8Array()
  const volumes: Record<string, number> = {}
  itemsOf(d, 'PerFrameFunctionalGroupsSequence').forEach((frame, index) => {
    const segment = itemsOf(frame, 'SegmentIdentificationSequence')[0] ?? {}
    const label = labels.get(numberOf(segment, 'ReferencedSegmentNumber') ?? 0) ?? '?'
    let set = 0
    for (let bit = index * pixels; bit < (index + 1) * pixels; bit++) set += ((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1
    volumes[label] = (volumes[label] ?? 0) + set * millilitres
  })
  return volumes
}

/** Every Referenced SOP Instance UID in a data set, at any depth. */
function referencedInstances(d: DicomJson): Set<string> {
  const found = new Set<string>()
  const walk = (item: DicomJson): void => {
    for (const [tag, element] of Object.entries(item)) {
      if (tag === '00081155') for (const uid of element.Value ?? []) found.add(String(uid))
      else if (tag === '0040A121') continue
      else if (element.vr === 'SQ') for (const nested of element.Value ?? []) walk(nested as DicomJson)
    }
  }
  for (const [tag, element] of Object.entries(d)) {
    // The study's own references to procedure steps and requests are copies of the source's, not references of the result.
    if (element.vr !== 'SQ' || tag === '00081110' || tag === '00081111' || tag === '0040A370') continue
    for (const nested of element.Value ?? []) walk(nested as DicomJson)
  }
  return found
}
