import { HilumError } from '../errors.ts'

/** DIMSE statuses that Hilum answers (PS3.7 annex C, PS3.4 table B.2-1). */
export const dimseStatus = {
  success: 0x0000,
  processingFailure: 0x0110,
  sopClassNotSupported: 0x0122,
  unrecognizedOperation: 0x0211,
  outOfResources: 0xa700,
  dataSetDoesNotMatchSOPClass: 0xa900,
  cannotUnderstand: 0xc000,
} as const

/** The one place where an error's code becomes a C-STORE status. */
const statusOfCode: Readonly<Record<string, number>> = {
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
 * Translates an error to the status of a response. Errors that nobody foresaw are 0x0110, processing failure, and carry no
 * comment: their message may hold anything.
 */
export function statusOf(error: unknown): { status: number; comment?: string } {
  if (!(error instanceof HilumError)) return { status: dimseStatus.processingFailure }
  return { status: statusOfCode[error.code] ?? dimseStatus.processingFailure, comment: error.message }
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
  0x0117: 'Invalid object instance',
  0x0118: 'No such SOP class',
  0x0122: 'SOP class not supported',
  0x0124: 'Not authorized',
  0x0210: 'Duplicate invocation',
  0x0211: 'Unrecognized operation',
  0x0212: 'Mistyped argument',
  0xb000: 'Warning: coercion of data elements',
  0xb006: 'Warning: elements discarded',
  0xb007: 'Warning: data set does not match SOP class',
}

/** The status in words and digits, for reports. */
export function describeStatus(status: number): string {
  const digits = `0x${status.toString(16).toUpperCase().padStart(4, '0')}`
  const family = status >> 8
  const name =
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
