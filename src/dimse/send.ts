import { messageOf } from '../errors.ts'
import { DimseError } from './error.ts'
import { ScuAssociation, type ScuOptions } from './scu-association.ts'
import { fieldsOf, type MoveOriginator, type SentFile, sendFile } from './send-file.ts'
import { type PlannedAssociation, type PlannedFile, planAssociations, readPlannedFile } from './send-plan.ts'
import { isStored } from './status.ts'

export { echo } from './echo.ts'
export type { MoveOriginator, SentFile } from './send-file.ts'

export interface SendReport {
  /** In the order of the files given. */
  files: SentFile[]
  /** Files that the peer keeps. */
  stored: number
}

export interface SendOptions extends ScuOptions {
  /** Paths of DICOM files (PS3.10). */
  files: readonly string[]
  /** Whose C-MOVE the files are sent for. */
  moveOriginator?: MoveOriginator | undefined
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
      settle(index, unreadable(path, error))
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
    association = await ScuAssociation.open(options, plan)
  } catch (error) {
    failure = asDimseError(error)
  }
  for (const file of plan.files) {
    if (association === null || failure !== null) {
      settle(file.index, notSent(file, failure))
      continue
    }
    try {
      settle(file.index, await sendFile(association, file, options))
    } catch (error) {
      failure = asDimseError(error)
      settle(file.index, interrupted(file, failure))
    }
  }
  await association?.release()
}

/** @returns what became of a file that cannot be read, or is no DICOM file */
export const unreadable = (path: string, error: unknown): SentFile => ({
  ...unread(path),
  reason: messageOf(error),
  retry: 'permanent',
})

const unread = (path: string): SentFile => ({
  path,
  sopClassUID: null,
  sopInstanceUID: null,
  transferSyntaxUID: null,
  status: null,
  reason: 'not sent',
  retry: 'transient',
})

/** Nothing of the file has left: doing it again is safe, unless the peer said that it never will take it. */
export function notSent(file: PlannedFile, failure: DimseError | null): SentFile {
  const retry = failure?.retry === 'permanent' ? 'permanent' : 'transient'
  return { ...fieldsOf(file), status: null, reason: `not sent: ${failure?.message ?? 'no association'}`, retry }
}

/** The association ended while the file was sent: nobody knows whether the peer keeps it. */
export const interrupted = (file: PlannedFile, failure: DimseError): SentFile => ({
  ...fieldsOf(file),
  status: null,
  reason: failure.message,
  retry: failure.retry,
})

/** Whatever was thrown, as what ended an association. */
export function asDimseError(error: unknown): DimseError {
  return error instanceof DimseError
    ? error
    : new DimseError('association-lost', messageOf(error), { retry: 'ambiguous', cause: error })
}
