import { open } from 'node:fs/promises'
import { convertDataSet } from '../dicom/convert-vr.ts'
import { messageOf, type RetryClass } from '../errors.ts'
import { type CommandValue, commandField, encodeCommandSet } from './command-set.ts'
import { withDataSet } from './response.ts'
import type { ScuAssociation } from './scu-association.ts'
import { sendConverted } from './send-converted.ts'
import { sendDataSet } from './send-data-set.ts'
import type { PlannedFile } from './send-plan.ts'
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

/** Whose C-MOVE an instance is sent for (PS3.7 9.3.1.1). */
export interface MoveOriginator {
  aeTitle: string
  messageID: number
}

/**
 * Sends a file's data set by C-STORE: its bytes as they are, or converted to the transfer syntax that is asked for.
 * @param options.moveOriginator whose C-MOVE it is sent for
 * @param options.as one of `syntaxesFor` the file's; it has to be that of the context
 * @throws {DimseError} what ended the association
 */
export async function sendFile(
  association: ScuAssociation,
  file: PlannedFile,
  options: { moveOriginator?: MoveOriginator | undefined; as?: string } = {},
): Promise<SentFile> {
  const context = association.contexts.get(file.contextID)
  const { as = file.transferSyntaxUID } = options
  if (context?.result !== 0 || context.transferSyntax !== as)
    return {
      ...fieldsOf(file),
      status: null,
      reason: noContext(file, context?.result === 0 ? 4 : context?.result),
      retry: 'permanent',
    }
  const command = encodeCommandSet([
    [0x0002, file.sopClassUID],
    [0x0100, commandField.cStoreRQ],
    [0x0110, association.nextMessageID()],
    [0x0700, 0], // medium priority
    [0x0800, withDataSet],
    [0x1000, file.sopInstanceUID],
    ...originatorElements(options.moveOriginator),
  ])
  const unsent = await write(association, file, { command, as })
  if (unsent !== null) return { ...fieldsOf(file), status: null, reason: unsent, retry: 'permanent' }
  const response = await association.response()
  const status = response.status ?? dimseStatus.processingFailure
  if (status === dimseStatus.success) return { ...fieldsOf(file), status, reason: null, retry: null }
  const comment = response.errorComment ? `: ${response.errorComment}` : ''
  const retry = isStored(status) ? null : status >> 8 === 0xa7 ? 'transient' : 'permanent'
  return { ...fieldsOf(file), status, reason: `${describeStatus(status)}${comment}`, retry }
}

/**
 * Writes the request.
 * @returns why the file cannot be sent: then nothing was written; null when it was
 */
async function write(
  association: ScuAssociation,
  file: PlannedFile,
  { command, as }: { command: Buffer; as: string },
): Promise<string | null> {
  const { path, transferSyntaxUID, contextID, dataSetOffset: offset } = file
  if (as !== transferSyntaxUID) {
    try {
      const produce = convertDataSet.bind(null, { path, transferSyntaxUID, offset }, as)
      await sendConverted(association, { command, contextID, produce })
      return null
    } catch (error) {
      // Nothing was written, else the association would have been aborted.
      if (association.isOpen) return `it cannot be converted: ${messageOf(error)}`
      throw error
    }
  }
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(path, 'r')
  } catch (error) {
    return messageOf(error)
  }
  try {
    await sendDataSet(association, { handle, command, contextID, offset })
    return null
  } finally {
    await handle.close()
  }
}

function originatorElements(originator: MoveOriginator | undefined): [number, CommandValue][] {
  if (originator === undefined) return []
  return [
    [0x1030, originator.aeTitle],
    [0x1031, originator.messageID],
  ]
}

/** What is known of a file that was read. */
export function fieldsOf(
  file: PlannedFile,
): Pick<SentFile, 'path' | 'sopClassUID' | 'sopInstanceUID' | 'transferSyntaxUID'> {
  const { path, sopClassUID, sopInstanceUID, transferSyntaxUID } = file
  return { path, sopClassUID, sopInstanceUID, transferSyntaxUID }
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
