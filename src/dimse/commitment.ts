import { setTimeout as wait } from 'node:timers/promises'
import { encodeDataSet } from '../dicom/data-set-writer.ts'
import { itemsOf, numberOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { readHead } from '../dicom/head.ts'
import { SOP } from '../dicom/sop-class.ts'
import { commandField, encodeCommandSet } from './command-set.ts'
import { readableSyntaxes } from './readable-syntaxes.ts'
import { withDataSet } from './response.ts'
import type { Message } from './scu-messages.ts'
import type { ScuOptions } from './scu-options.ts'
import { dimseStatus } from './status.ts'
import { withAssociation } from './with-association.ts'

/** An instance, by its UIDs. */
export interface InstanceReference {
  sopClassUID: string
  sopInstanceUID: string
}

/** What the peer says in the end about instances that it was to commit itself to (PS3.4 table J.3-2). */
export interface CommitmentReport {
  transactionUID: string
  committed: InstanceReference[]
  /** With Failure Reason (0008,1197), null where it is absent. */
  failed: (InstanceReference & { failureReason: number | null })[]
}

export interface CommitmentRequest {
  transactionUID: string
  instances: readonly InstanceReference[]
  /** ms to wait on the same association for the report; a peer may also give it on another one. */
  waitMs?: number
}

/**
 * Requests storage commitment (PS3.4 J.3.2).
 * @returns the status of the request, and the report where it came on the same association in time
 * @throws {DimseError} what ended the association before the response
 */
export async function requestCommitment(
  peer: ScuOptions,
  request: CommitmentRequest,
): Promise<{ status: number; report: CommitmentReport | null }> {
  const abstractSyntax = SOP.storageCommitmentPushModel
  let onReport: (report: CommitmentReport) => void = () => undefined
  const reported = new Promise<CommitmentReport>((resolve) => {
    onReport = resolve
  })
  const proposal = {
    contexts: [{ id: 1, abstractSyntax, transferSyntaxes: readableSyntaxes }],
    onRequest: async ({ command, context, dataSet }: Message): Promise<number> => {
      if (command.commandField !== commandField.nEventReportRQ || dataSet === null)
        return dimseStatus.unrecognizedOperation
      const report = readCommitmentReport(dataSet, context.transferSyntax)
      if (report.transactionUID === request.transactionUID) onReport(report)
      return dimseStatus.success
    },
  }
  return await withAssociation(peer, proposal, async (association) => {
    const { id, transferSyntax } = association.contextFor(abstractSyntax)
    const command = encodeCommandSet([
      [0x0003, abstractSyntax],
      [0x0100, commandField.nActionRQ],
      [0x0110, association.nextMessageID()],
      [0x0800, withDataSet],
      [0x1001, SOP.storageCommitmentPushModelInstance],
      [0x1008, 1],
    ])
    await association.writeMessage(id, command, encodeDataSet(actionInformation(request), transferSyntax))
    const status = (await association.response()).status ?? dimseStatus.processingFailure
    if (status !== dimseStatus.success || request.waitMs === undefined) return { status, report: null }
    const timer = new AbortController()
    const report = await Promise.race([
      reported,
      association.closed.then(() => null),
      wait(request.waitMs, null, { signal: timer.signal }).catch(() => null),
    ])
    timer.abort()
    return { status, report }
  })
}

function actionInformation({ transactionUID, instances }: CommitmentRequest): Record<string, unknown> {
  return {
    TransactionUID: transactionUID,
    ReferencedSOPSequence: instances.map(({ sopClassUID, sopInstanceUID }) => ({
      ReferencedSOPClassUID: sopClassUID,
      ReferencedSOPInstanceUID: sopInstanceUID,
    })),
  }
}

/** Reads the event information of a storage commitment's N-EVENT-REPORT (PS3.4 table J.3-2). */
export function readCommitmentReport(dataSet: Buffer, transferSyntaxUID: string): CommitmentReport {
  const { elements } = readHead(dataSet, { transferSyntaxUID })
  return {
    transactionUID: textOf(elements, 'TransactionUID') ?? '',
    committed: itemsOf(elements, 'ReferencedSOPSequence').map(referenceOf),
    failed: itemsOf(elements, 'FailedSOPSequence').map((item) => ({
      ...referenceOf(item),
      failureReason: numberOf(item, 'FailureReason'),
    })),
  }
}

const referenceOf = (item: DicomJson): InstanceReference => ({
  sopClassUID: textOf(item, 'ReferencedSOPClassUID') ?? '',
  sopInstanceUID: textOf(item, 'ReferencedSOPInstanceUID') ?? '',
})
