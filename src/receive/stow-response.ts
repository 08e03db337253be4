import type { DicomJson } from '../dicom/dicom-json.ts'
import { HilumError } from '../errors.ts'
import type { ReceivedInstance } from './received.ts'

/** Failure reasons of the Store Instances Response (PS3.18 table 10.5.3-1, with the meanings of PS3.4 B.2.3). */
export const failureReason = {
  processingFailure: 0x0110,
  sopClassNotSupported: 0x0122,
  outOfResources: 0xa700,
  dataSetDoesNotMatch: 0xa900,
  cannotUnderstand: 0xc000,
} as const

/** A part of the request that was not kept. UIDs are null where the part could not be read so far. */
export interface StoreFailure {
  reason: number
  sopClassUID: string | null
  sopInstanceUID: string | null
}

/** What became of one part. */
export type PartOutcome = { kind: 'kept'; instance: ReceivedInstance } | { kind: 'refused'; failure: StoreFailure }

const reasonOfCode: Readonly<Record<string, number>> = {
  'study-mismatch': failureReason.dataSetDoesNotMatch,
  'command-mismatch': failureReason.dataSetDoesNotMatch,
  'sop-class-not-supported': failureReason.sopClassNotSupported,
  'part-too-large': failureReason.outOfResources,
  'out-of-space': failureReason.outOfResources,
  'not-part10': failureReason.cannotUnderstand,
  'missing-uid': failureReason.cannotUnderstand,
  'unreadable-data-set': failureReason.cannotUnderstand,
  'truncated-data-set': failureReason.cannotUnderstand,
  truncated: failureReason.cannotUnderstand,
  unreadable: failureReason.cannotUnderstand,
}

/** The one place where an error's code becomes a failure reason of STOW-RS. */
export function failureReasonOf(error: unknown): number {
  if (!(error instanceof HilumError)) return failureReason.processingFailure
  return reasonOfCode[error.code] ?? failureReason.processingFailure
}

/**
 * The Store Instances Response (PS3.18 10.5.3, PS3.3 C.12.1.23) with its HTTP status: 200 when all are kept, 202 when some are, 409 when none is.
 * @param base URL of the DICOMweb service
 * @param study Study Instance UID of the URL, where it names one
 */
export function storeResponse(
  outcomes: readonly PartOutcome[],
  { base, study }: { base: string; study: string | null },
): { status: 200 | 202 | 409; body: DicomJson } {
  const kept = outcomes.flatMap((outcome) => (outcome.kind === 'kept' ? [outcome.instance] : []))
  const failures = outcomes.flatMap((outcome) => (outcome.kind === 'refused' ? [outcome.failure] : []))
  const named = failures.filter((failure) => failure.sopInstanceUID !== null)
  const others = failures.filter((failure) => failure.sopInstanceUID === null)
  const studies = new Set(kept.map((instance) => instance.studyInstanceUID))
  const retrieve = study ?? (studies.size === 1 ? [...studies][0] : undefined)
  const body: DicomJson = {}
  if (retrieve !== undefined) body['00081190'] = { vr: 'UR', Value: [`${base}/studies/${retrieve}`] }
  if (named.length > 0) body['00081198'] = { vr: 'SQ', Value: named.map(failedItem) }
  if (kept.length > 0) body['00081199'] = { vr: 'SQ', Value: kept.map((instance) => referencedItem(instance, base)) }
  if (others.length > 0) {
    body['0008119A'] = { vr: 'SQ', Value: others.map(({ reason }) => ({ '00081197': { vr: 'US', Value: [reason] } })) }
  }
  return { status: failures.length === 0 ? 200 : kept.length > 0 ? 202 : 409, body }
}

function referencedItem(instance: ReceivedInstance, base: string): DicomJson {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID, sopClassUID } = instance
  const url = `${base}/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`
  return {
    '00081150': { vr: 'UI', Value: [sopClassUID] },
    '00081155': { vr: 'UI', Value: [sopInstanceUID] },
    '00081190': { vr: 'UR', Value: [url] },
  }
}

function failedItem({ reason, sopClassUID, sopInstanceUID }: StoreFailure): DicomJson {
  return {
    '00081150': sopClassUID === null ? { vr: 'UI' } : { vr: 'UI', Value: [sopClassUID] },
    '00081155': { vr: 'UI', Value: [sopInstanceUID] },
    '00081197': { vr: 'US', Value: [reason] },
  }
}
