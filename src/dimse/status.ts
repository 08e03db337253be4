import { HilumError } from '../errors.ts'

/** DIMSE statuses that Hilum answers, and reasons that it reports (PS3.7 annex C, PS3.4 tables B.2-1, C.4-1 to C.4-3 and F.7.2-1). */
export const dimseStatus = {
  success: 0x0000,
  invalidAttributeValue: 0x0106,
  processingFailure: 0x0110,
  duplicateSOPInstance: 0x0111,
  noSuchObjectInstance: 0x0112,
  invalidArgumentValue: 0x0115,
  invalidObjectInstance: 0x0117,
  noSuchSOPClass: 0x0118,
  classInstanceConflict: 0x0119,
  missingAttribute: 0x0120,
  sopClassNotSupported: 0x0122,
  noSuchActionType: 0x0123,
  notAuthorized: 0x0124,
  duplicateInvocation: 0x0210,
  unrecognizedOperation: 0x0211,
  resourceLimitation: 0x0213,
  outOfResources: 0xa700,
  outOfResourcesForMatches: 0xa701,
  unableToPerformSubOperations: 0xa702,
  moveDestinationUnknown: 0xa801,
  dataSetDoesNotMatchSOPClass: 0xa900,
  subOperationsFailed: 0xb000,
  cannotUnderstand: 0xc000,
  cancelled: 0xfe00,
  pending: 0xff00,
  pendingWithWarning: 0xff01,
} as const

/** More responses follow (PS3.7 annex C.3). */
export const isPending = (status: number): boolean =>
  status === dimseStatus.pending || status === dimseStatus.pendingWithWarning

/** The one place where an error's code becomes a C-STORE status. */
export const statusOfCode: Readonly<Record<string, number>> = {
  'out-of-space': dimseStatus.outOfResources,
  'sop-class-not-supported': dimseStatus.sopClassNotSupported,
  'command-mismatch': dimseStatus.dataSetDoesNotMatchSOPClass,
  'unreadable-data-set': dimseStatus.cannotUnderstand,
  'missing-uid': dimseStatus.cannotUnderstand,
  'truncated-data-set': dimseStatus.cannotUnderstand,
  'no-data-set': dimseStatus.cannotUnderstand,
  truncated: dimseStatus.cannotUnderstand,
  unreadable: dimseStatus.cannotUnderstand,
  'not-part10': dimseStatus.cannotUnderstand,
  'invalid-uid': dimseStatus.cannotUnderstand,
}

/**
 * Translates an error to the status of a response: the one that it carries as `detail.status`, else its code's, and to its Error ID where it
 * carries one as `detail.errorID`. Errors that nobody foresaw are 0x0110, processing failure, and carry no
 * comment: their message may hold anything.
 */
export function statusOf(error: unknown): { status: number; comment?: string; errorID?: number } {
  if (!(error instanceof HilumError)) return { status: dimseStatus.processingFailure }
  const { status, errorID } = error.detail
  const named = typeof status === 'number' ? status : statusOfCode[error.code]
  const answer = { status: named ?? dimseStatus.processingFailure, comment: error.message }
  return typeof errorID === 'number' ? { ...answer, errorID } : answer
}

/** Success, or one of the warnings of C-STORE under which the instance is kept (PS3.4 table B.2-1). */
export function isStored(status: number): boolean {
  return status === dimseStatus.success || status === 0xb000 || status === 0xb006 || status === 0xb007
}

const names: Readonly<Record<number, string>> = {
  0x0000: 'Success',
  0x0105: 'No such attribute',
  0x0106: 'Invalid attribute value',
  0x0110: 'Processing failure',
  0x0111: 'Duplicate SOP instance',
  0x0112: 'No such object instance',
  0x0115: 'Invalid argument value',
  0x0117: 'Invalid object instance',
  0x0118: 'No such SOP class',
  0x0119: 'Class-instance conflict',
  0x0120: 'Missing attribute',
  0x0122: 'SOP class not supported',
  0x0123: 'No such action type',
  0x0124: 'Not authorized',
  0x0210: 'Duplicate invocation',
  0x0211: 'Unrecognized operation',
  0x0212: 'Mistyped argument',
  0x0213: 'Resource limitation',
  0xa801: 'Move destination unknown',
  0xfe00: 'Cancelled',
  0xff00: 'Pending',
  0xff01: 'Pending',
  0xb000: 'Warning: coercion of data elements',
  0xb006: 'Warning: elements discarded',
  0xb007: 'Warning: data set does not match SOP class',
}

/**
 * The status in words and digits, for reports.
 * @param others names of statuses that mean something else than in a response to C-STORE
 */
export function describeStatus(status: number, others: Readonly<Record<number, string>> = {}): string {
  const digits = `0x${status.toString(16).toUpperCase().padStart(4, '0')}`
  const family = status >> 8
  const name =
    others[status] ??
    names[status] ??
    (family === 0xa7
      ? 'Out of resources'
      : family === 0xa9
        ? 'Data set does not match SOP class'
        : family >> 4 === 0xc
          ? 'Cannot understand'
          : 'Unknown status')
  return `${name} (${digits})`
}
