import type { DicomJson } from '../dicom/dicom-json.ts'
import type { RetryClass } from '../errors.ts'

/** What a STOW-RS server said of one object. */
export type StoreOutcome =
  | { sopInstanceUID: string; kind: 'stored'; warning: string | null }
  | { sopInstanceUID: string; kind: 'failed'; retry: RetryClass; reason: string; status: number | null }

/** Keyword to tag of the STOW-RS Instances Response Module (PS3.3 C.12.1.23, PS3.18 10.5.3): read by tag, whatever the dictionary says. */
const tags = {
  referencedSOPSequence: '00081199',
  failedSOPSequence: '00081198',
  otherFailuresSequence: '0008119A',
  referencedSOPInstanceUID: '00081155',
  failureReason: '00081197',
  warningReason: '00081196',
} as const

/** Store Instances Response Failure Reason values (PS3.18 table 10.5.3-1, PS3.4 B.2.3), by the highest digits that name them. */
const reasons: { test: (code: number) => boolean; words: string; retry: RetryClass }[] = [
  { test: (c) => c >= 0xa700 && c <= 0xa7ff, words: 'out of resources', retry: 'transient' },
  { test: (c) => c >= 0xa900 && c <= 0xa9ff, words: 'the data set does not match its SOP class', retry: 'permanent' },
  { test: (c) => c === 0xc122, words: 'the transfer syntax is not supported', retry: 'permanent' },
  { test: (c) => c >= 0xc000 && c <= 0xcfff, words: 'the server cannot understand the object', retry: 'permanent' },
  { test: (c) => c === 0x0110, words: 'the server failed while processing it', retry: 'transient' },
  // It is there already: whether it is the same object is for the proof to say.
  {
    test: (c) => c === 0x0111,
    words: 'the server holds an object with this SOP Instance UID already',
    retry: 'ambiguous',
  },
  { test: (c) => c === 0x0122, words: 'the SOP class is not supported', retry: 'permanent' },
  { test: (c) => c === 0x0124, words: 'not authorized', retry: 'permanent' },
  { test: (c) => c === 0x0117, words: 'the SOP Instance UID is not valid', retry: 'permanent' },
]

const warnings: Record<number, string> = {
  0xb000: 'the server coerced data elements',
  0xb006: 'the server discarded elements',
  0xb007: 'the data set does not match its SOP class',
}

/** A failure reason in words with its code, and what may be done about it. */
export function explainFailure(code: number | null): { words: string; retry: RetryClass } {
  if (code === null) return { words: 'the server gave no reason', retry: 'permanent' }
  const known = reasons.find((reason) => reason.test(code))
  return { words: `${known?.words ?? 'unknown reason'} (${hex(code)})`, retry: known?.retry ?? 'permanent' }
}

/**
 * Reads what a server answered to a Store transaction, for each object that was sent. dicomweb-client leaves this answer unread, and
 * resolves 202 (some failed) like 200.
 * @param status the HTTP status: 200, 202 or 409
 * @param answer the body, parsed: the Store Instances Response Module as DICOM JSON; null where it could not be parsed
 */
export function readStoreAnswer(
  sopInstanceUIDs: readonly string[],
  status: number,
  answer: DicomJson | null,
): StoreOutcome[] {
  const stored = answer ? byInstance(answer, tags.referencedSOPSequence) : new Map<string, DicomJson>()
  const failed = answer ? byInstance(answer, tags.failedSOPSequence) : new Map<string, DicomJson>()
  const others = answer ? items(answer, tags.otherFailuresSequence) : []
  return sopInstanceUIDs.map((sopInstanceUID): StoreOutcome => {
    const failure = failed.get(sopInstanceUID)
    if (failure) {
      const { words, retry } = explainFailure(number(failure, tags.failureReason))
      return { sopInstanceUID, kind: 'failed', retry, reason: `refused by STOW-RS: ${words}`, status }
    }
    const item = stored.get(sopInstanceUID)
    if (item) {
      const warning = number(item, tags.warningReason)
      return { sopInstanceUID, kind: 'stored', warning: warning === null ? null : explainWarning(warning) }
    }
    return { sopInstanceUID, ...unmentioned(status, answer, others) }
  })
}

function unmentioned(
  status: number,
  answer: DicomJson | null,
  others: DicomJson[],
): Omit<StoreOutcome & { kind: 'failed' }, 'sopInstanceUID'> {
  if (others.length > 0) {
    const { words, retry } = explainFailure(number(others[0] as DicomJson, tags.failureReason))
    return { kind: 'failed', retry, reason: `refused by STOW-RS: ${words}`, status }
  }
  if (status === 409)
    return { kind: 'failed', retry: 'permanent', reason: 'refused by STOW-RS: HTTP 409 without a reason', status }
  const what = answer === null ? 'is not a STOW-RS answer' : 'does not mention the object'
  // A success that says nothing of the object is no success: only reading it back can tell.
  return {
    kind: 'failed',
    retry: 'ambiguous',
    reason: `STOW-RS answered HTTP ${status}, but the answer ${what}`,
    status,
  }
}

function explainWarning(code: number): string {
  return `${warnings[code] ?? 'the server gave a warning'} (${hex(code)})`
}

function hex(code: number): string {
  return `0x${code.toString(16).toUpperCase().padStart(4, '0')}`
}

function items(dataSet: DicomJson, tag: string): DicomJson[] {
  const value: unknown = dataSet[tag]?.Value
  return Array.isArray(value)
    ? value.filter((item): item is DicomJson => typeof item === 'object' && item !== null)
    : []
}

function byInstance(answer: DicomJson, tag: string): Map<string, DicomJson> {
  const found = new Map<string, DicomJson>()
  for (const item of items(answer, tag)) {
    const uid = item[tags.referencedSOPInstanceUID]?.Value?.[0]
    if (typeof uid === 'string') found.set(uid, item)
  }
  return found
}

function number(dataSet: DicomJson, tag: string): number | null {
  const value = dataSet[tag]?.Value?.[0]
  const parsed = typeof value === 'string' ? Number(value) : value
  return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : null
}
