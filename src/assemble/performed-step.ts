import { itemsOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { isUID } from '../dicom/uid.ts'
import type { HintSubject, ListedInstances } from './hint.ts'

/** Performed Procedure Step Status (0040,0252), PS3.3 C.4.14. */
export const stepStates = {
  'IN PROGRESS': 'in-progress',
  COMPLETED: 'completed',
  DISCONTINUED: 'discontinued',
} as const

/** What a performed procedure step says, as far as completeness goes (PS3.4 F.7). */
export interface PerformedStep {
  /** As sent; undefined where the message has none. */
  status: string | undefined
  /** The studies that its scheduled steps belong to. */
  subjects: HintSubject[]
  /** What its series list; null where the message has no Performed Series Sequence. */
  instances: ListedInstances | null
  /** The modality's own date and time, such as `2026-11-21 14:03:22`; null where it says none. */
  startedAt: string | null
}

/** Reads the attributes of an N-CREATE or N-SET of a performed procedure step. */
export function performedStepOf(attributes: DicomJson): PerformedStep {
  const studies = itemsOf(attributes, 'ScheduledStepAttributesSequence').map(
    (item) => textOf(item, 'StudyInstanceUID') ?? '',
  )
  const hasSeries = '00400340' in attributes
  return {
    status: textOf(attributes, 'PerformedProcedureStepStatus')?.trim(),
    subjects: [...new Set(studies)].filter(isUID).map((studyInstanceUID) => ({ studyInstanceUID })),
    instances: hasSeries ? performedInstances(itemsOf(attributes, 'PerformedSeriesSequence')) : null,
    startedAt: dateTime(
      textOf(attributes, 'PerformedProcedureStepStartDate'),
      textOf(attributes, 'PerformedProcedureStepStartTime'),
    ),
  }
}

function performedInstances(series: readonly DicomJson[]): ListedInstances {
  return listedIn(series, ['ReferencedImageSequence', 'ReferencedNonImageCompositeSOPInstanceSequence'], () => true)
}

/** What an availability notification says (PS3.4 R): the instances that can be had from the sender. */
export interface Availability {
  subjects: HintSubject[]
  instances: ListedInstances
}

/** Reads the attributes of an availability notification; what it calls UNAVAILABLE is not listed. */
export function availabilityOf(attributes: DicomJson): Availability {
  const study = textOf(attributes, 'StudyInstanceUID') ?? ''
  return {
    subjects: isUID(study) ? [{ studyInstanceUID: study }] : [],
    instances: listedIn(
      itemsOf(attributes, 'ReferencedSeriesSequence'),
      ['ReferencedSOPSequence'],
      (reference) => textOf(reference, 'InstanceAvailability') !== 'UNAVAILABLE',
    ),
  }
}

function listedIn(
  series: readonly DicomJson[],
  sequences: readonly string[],
  isListed: (reference: DicomJson) => boolean,
): ListedInstances {
  const listed: ListedInstances = {}
  for (const item of series) {
    const references = sequences.flatMap((keyword) => itemsOf(item, keyword)).filter(isListed)
    const uids = references.map((reference) => textOf(reference, 'ReferencedSOPInstanceUID') ?? '').filter(isUID)
    const seriesInstanceUID = textOf(item, 'SeriesInstanceUID') ?? ''
    if (isUID(seriesInstanceUID))
      listed[seriesInstanceUID] = [...new Set([...(listed[seriesInstanceUID] ?? []), ...uids])]
  }
  return listed
}

/** DA and TM (PS3.5 6.2) as people read them. */
function dateTime(date: string | null, time: string | null): string | null {
  const day = /^(\d{4})(\d\d)(\d\d)$/.exec(date ?? '')
  const clock = /^(\d\d)(\d\d)(\d\d)?/.exec(time ?? '')
  if (!day) return null
  return `${day.slice(1).join('-')}${clock ? ` ${clock.slice(1).filter(Boolean).join(':')}` : ''}`
}
