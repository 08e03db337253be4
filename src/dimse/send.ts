import { open } from 'node:fs/promises'
import { SOP } from '../dicom/sop-class.ts'
import { TS } from '../dicom/transfer-syntax.ts'
import { messageOf, type RetryClass } from '../errors.ts'
import { commandField, encodeCommandSet, noDataSet } from './command-set.ts'
import { DimseError } from './error.ts'
import { encodeFragment } from './pdu.ts'
import { type Peer, ScuAssociation, type ScuOptions } from './scu-association.ts'
import { sendDataSet } from './send-data-set.ts'
import { type PlannedAssociation, type PlannedFile, planAssociations, readPlannedFile } from './send-plan.ts'
import { describeStatus, dimseStatus, isStored } from './status.ts'

/** What became of one file. */
export interface SentFile {
  path: string
  sopClassUID: string | null
  sopInstanceUID: string | null
  transferSyntaxUID: string | null
  /** The status of the peer's response (0 is Success, 0xB… a warning); null when there was none. */
  status: number | null
  /** Why it is not stored, or the warning; null after Success. */
  reason: string | null
  /** What may be done about it; null when it is stored. */
  retry: RetryClass | null
}

export interface SendReport {
  /** In the order of the files given. */
  files: SentFile[]
  /** Files that the peer keeps. */
  stored: number
}

export interface SendOptions extends ScuOptions {
  /** Paths of DICOM files (PS3.10). */
  files: readonly string[]
  /** Called after each file, whatever became of it. */
  onProgress?(sent: SentFile, progress: { done: number; total: number }): void
}

/**
 * Sends files by C-STORE, their data sets' bytes as they are: each SOP class is proposed with the transfer syntax that it is
 * stored in, and nothing is converted. Associations are opened one after the other, with at most 128 contexts each.
 * @returns one entry per file; what goes wrong with the network or the peer is said there, and never thrown
 */
export async function sendInstances(options: SendOptions): Promise<SendReport> {
  const sent = new Map<number, SentFile>()
  const settle = (index: number, file: SentFile): void => {
    sent.set(index, file)
    options.onProgress?.(file, { done: sent.size, total: options.files.length })
  }
  const planned: PlannedFile[] = []
  for (const [index, path] of options.files.entries()) {
    try {
      planned.push(await readPlannedFile(path, index))
    } catch (error) {
      settle(index, { ...unread(path), reason: messageOf(error), retry: 'permanent' })
    }
  }
  const plans = planAssociations(planned)
  for (const plan of plans) await sendPlanned(options, plan, settle)
  const files = options.files.map((path, index) => sent.get(index) ?? unread(path))
  return { files, stored: files.filter((file) => file.status !== null && isStored(file.status)).length }
}

type Settle = (index: number, file: SentFile) => void

/** Sends the files of one association; all of them are settled afterwards. */
async function sendPlanned(options: SendOptions, plan: PlannedAssociation, settle: Settle): Promise<void> {
  let association: ScuAssociation | null = null
  let failure: DimseError | null = null
  try {
    association = await ScuAssociation.open(options, plan.contexts)
  } catch (error) {
    failure = asDimseError(error)
  }
  let messageID = 0
  for (const file of plan.files) {
    if (association === null || failure !== null) {
      settle(file.index, notSent(file, failure))
      continue
    }
    messageID = (messageID % 0xffff) + 1
    try {
      settle(file.index, await sendFile(association, file, messageID))
    } catch (error) {
      failure = asDimseError(error)
      settle(file.index, { ...fieldsOf(file), status: null, reason: failure.message, retry: failure.retry })
    }
  }
  await association?.release()
}

async function sendFile(association: ScuAssociation, file: PlannedFile, messageID: number): Promise<SentFile> {
  const context = association.contexts.get(file.contextID)
  if (context?.result !== 0)
    return { ...fieldsOf(file), status: null, reason: noContext(file, context?.result), retry: 'permanent' }
  const command = encodeCommandSet([
    [0x0002, file.sopClassUID],
    [0x0100, commandField.cStoreRQ],
    [0x0110, messageID],
    [0x0700, 0], // medium priority
    [0x0800, 1], // anything but 0x0101: a data set follows
    [0x1000, file.sopInstanceUID],
  ])
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(file.path, 'r')
  } catch (error) {
    return { ...fieldsOf(file), status: null, reason: messageOf(error), retry: 'permanent' }
  }
  try {
    await sendDataSet(association, { handle, command, contextID: file.contextID, offset: file.dataSetOffset })
  } finally {
    await handle.close()
  }
  const response = await association.response()
  const status = response.status ?? dimseStatus.processingFailure
  if (status === dimseStatus.success) return { ...fieldsOf(file), status, reason: null, retry: null }
  const comment = response.errorComment ? `: ${response.errorComment}` : ''
  const retry = isStored(status) ? null : status >> 8 === 0xa7 ? 'transient' : 'permanent'
  return { ...fieldsOf(file), status, reason: `${describeStatus(status)}${comment}`, retry }
}

const unread = (path: string): SentFile => ({
  path,
  sopClassUID: null,
  sopInstanceUID: null,
  transferSyntaxUID: null,
  status: null,
  reason: 'not sent',
  retry: 'transient',
})

function fieldsOf(file: PlannedFile): Pick<SentFile, 'path' | 'sopClassUID' | 'sopInstanceUID' | 'transferSyntaxUID'> {
  const { path, sopClassUID, sopInstanceUID, transferSyntaxUID } = file
  return { path, sopClassUID, sopInstanceUID, transferSyntaxUID }
}

/** Nothing of the file has left: doing it again is safe, unless the peer said that it never will take it. */
function notSent(file: PlannedFile, failure: DimseError | null): SentFile {
  const retry = failure?.retry === 'permanent' ? 'permanent' : 'transient'
  return { ...fieldsOf(file), status: null, reason: `not sent: ${failure?.message ?? 'no association'}`, retry }
}

function noContext(file: PlannedFile, result: number | undefined): string {
  const why =
    result === 3
      ? 'abstract syntax not supported'
      : result === 4
        ? 'transfer syntax not supported'
        : `presentation context not accepted (result ${result ?? 'none'})`
  return `the peer takes no SOP class ${file.sopClassUID} in transfer syntax ${file.transferSyntaxUID}: ${why}`
}

function asDimseError(error: unknown): DimseError {
  return error instanceof DimseError
    ? error
    : new DimseError('association-lost', messageOf(error), { retry: 'ambiguous', cause: error })
}

/**
 * C-ECHO: does the peer answer?
 * @returns the response's status (0 is Success) and the time that it took, association included, in ms
 * @throws {DimseError} `connection-failed`, `association-rejected`, `association-lost`, `time-out`, `cancelled`
 */
export async function echo(
  options: Peer & { timeoutMs?: number; signal?: AbortSignal },
): Promise<{ status: number; ms: number }> {
  const began = performance.now()
  const context = { id: 1, abstractSyntax: SOP.verification, transferSyntaxes: [TS.implicitVRLittleEndian] }
  const association = await ScuAssociation.open(options, [context])
  try {
    if (association.contexts.get(1)?.result !== 0)
      throw new DimseError('association-rejected', `${options.calledAETitle} does not support Verification`)
    const value = encodeCommandSet([
      [0x0002, SOP.verification],
      [0x0100, commandField.cEchoRQ],
      [0x0110, 1],
      [0x0800, noDataSet],
    ])
    const response = association.response()
    await association.write(encodeFragment({ contextID: 1, command: true, last: true, value }))
    const { status } = await response
    return { status: status ?? dimseStatus.processingFailure, ms: performance.now() - began }
  } finally {
    await association.release()
  }
}
