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
  transferSyntaxNotSupported: 0xc122,
} as const

/** An instance of the request that was not kept. UIDs are null where it could not be read so far. */
export interface StoreFailure {
  reason: number
  sopClassUID: string | null
  sopInstanceUID: string | null
}

/** What the answer says of an instance that was kept. */
export type StoredReference = Pick<
  ReceivedInstance,
  'sopClassUID' | 'sopInstanceUID' | 'studyInstanceUID' | 'seriesInstanceUID'
> & {
  /** Warning Reason (PS3.18 10.5.3), or null. */
  warning: number | null
}

/** What became of one instance; what is kept still has to be indexed. */
export type PartOutcome =
  | { kind: 'kept'; reference: StoredReference; instance: ReceivedInstance }
  | { kind: 'refused'; code: string; sentence: string; failure: StoreFailure }

/** The outcome of an instance that is durable. */
export function keptOutcome(kept: { instance: ReceivedInstance; warnings: readonly number[] }): PartOutcome {
  const { sopClassUID, sopInstanceUID, studyInstanceUID, seriesInstanceUID } = kept.instance
  const warning = kept.warnings[0] ?? null
  return {
    kind: 'kept',
    instance: kept.instance,
    reference: { sopClassUID, sopInstanceUID, studyInstanceUID, seriesInstanceUID, warning },
  }
}

/** The one place where an error's code becomes a failure reason. */
export const reasonOfCode: Readonly<Record<string, number>> = {
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
  'invalid-value': failureReason.cannotUnderstand,
  'bulk-data-missing': failureReason.cannotUnderstand,
  'bulk-data-wrong': failureReason.cannotUnderstand,
  'bulk-data-unsupported': failureReason.transferSyntaxNotSupported,
  'unknown-transfer-syntax': failureReason.transferSyntaxNotSupported,
}

/** The failure reason of whatever was thrown. */
export function failureReasonOf(error: unknown): number {
  if (!(error instanceof HilumError)) return failureReason.processingFailure
  return reasonOfCode[error.code] ?? failureReason.processingFailure
}

/** What became of a request's instances, without what only the index needs. */
export interface StoreOutcome {
  stored: StoredReference[]
  failures: StoreFailure[]
}

/**
 * The Store Instances Response (PS3.18 10.5.3, PS3.3 C.12.1.23) with its HTTP status: 200 when all are kept, 202 when some are, or are
 * with a warning, 409 when none is.
 * @param base URL of the DICOMweb service
 * @param study Study Instance UID of the URL, where it names one
 */
export function storeResponse(
  { stored, failures }: StoreOutcome,
  { base, study }: { base: string; study: string | null },
): { status: 200 | 202 | 409; body: DicomJson } {
  const named = failures.filter((failure) => failure.sopInstanceUID !== null)
  const others = failures.filter((failure) => failure.sopInstanceUID === null)
  const studies = new Set(stored.map((instance) => instance.studyInstanceUID))
  const retrieve = study ?? (studies.size === 1 ? [...studies][0] : undefined)
  const body: DicomJson = {}
  if (retrieve !== undefined) body['00081190'] = { vr: 'UR', Value: [`${base}/studies/${retrieve}`] }
  if (named.length > 0) body['00081198'] = { vr: 'SQ', Value: named.map(failedItem) }
  if (stored.length > 0)
    body['00081199'] = { vr: 'SQ', Value: stored.map((instance) => referencedItem(instance, base)) }
  if (others.length > 0) {
    body['0008119A'] = { vr: 'SQ', Value: others.map(({ reason }) => ({ '00081197': { vr: 'US', Value: [reason] } })) }
  }
  const isClean = failures.length === 0 && stored.every(({ warning }) => warning === null)
  return { status: isClean ? 200 : stored.length > 0 ? 202 : 409, body }
}

function referencedItem(instance: StoredReference, base: string): DicomJson {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID, sopClassUID, warning } = instance
  const url = `${base}/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`
  return {
    '00081150': { vr: 'UI', Value: [sopClassUID] },
    '00081155': { vr: 'UI', Value: [sopInstanceUID] },
    '00081190': { vr: 'UR', Value: [url] },
    ...(warning === null ? {} : { '00081196': { vr: 'US', Value: [warning] } }),
  }
}

function failedItem({ reason, sopClassUID, sopInstanceUID }: StoreFailure): DicomJson {
  return {
    '00081150': sopClassUID === null ? { vr: 'UI' } : { vr: 'UI', Value: [sopClassUID] },
    '00081155': { vr: 'UI', Value: [sopInstanceUID] },
    '00081197': { vr: 'US', Value: [reason] },
  }
}
