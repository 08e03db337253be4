import { setImmediate as nextTurn } from 'node:timers/promises'
import { itemsOf, textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { readHeadInTurns } from '../dicom/head-in-turns.ts'
import { SOP } from '../dicom/sop-class.ts'
import { commandField } from '../dimse/command-set.ts'
import type { Responder, ServiceProvider, ServiceRequest } from '../dimse/service.ts'
import { dimseStatus } from '../dimse/status.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { expectAnswer } from './asking.ts'
import { senderOf } from './c-store.ts'
import type { Ask, CommitmentOutcome, ReferencedInstance } from './questions.ts'

export interface CommitmentProviderOptions {
  ask: Ask
  /**
   * Reports the outcome on an association that may be gone.
   * @returns true when the peer took the report
   */
  report(association: string, transactionUID: string, outcome: CommitmentOutcome): Promise<boolean>
  log: Log
  /** ms after the response until the report: who wants it elsewhere has released the association by then. */
  reportAfterMs?: number
}

const { noSuchObjectInstance, invalidArgumentValue, noSuchActionType } = dimseStatus
/** Action Type ID of a request for storage commitment (PS3.4 J.3.2). */
const requestStorageCommitment = 1

/**
 * Storage Commitment Push Model as SCP (PS3.4 J.3): the request is written down by the node before it is answered, so that the report is
 * owed whatever happens; it is given on the same association where that is still open a moment later, else the node opens one.
 */
export function commitmentProvider(options: CommitmentProviderOptions): ServiceProvider {
  return {
    abstractSyntaxes: [SOP.storageCommitmentPushModel],
    permission: 'store',
    commandFields: [commandField.nActionRQ],
    provide: (request, responder) => commit(request, responder, options),
  }
}

async function commit(
  request: ServiceRequest,
  responder: Responder,
  options: CommitmentProviderOptions,
): Promise<void> {
  const { transactionUID, references } = await readRequest(request)
  const { association } = request
  const sender = senderOf(association)
  expectAnswer(await options.ask({ about: 'commit', transactionUID, sender, references }), 'done')
  await responder.respond({ status: dimseStatus.success })
  const timer = setTimeout(() => {
    reportOutcome({ association: association.id, transactionUID, sender }, options).catch((error: unknown) => {
      // The node owes the report, and gives it later.
      const reason = messageOf(error)
      options.log.warn('storage commitment not reported on its association', { association: association.id, reason })
    })
  }, options.reportAfterMs ?? 500)
  timer.unref()
}

async function reportOutcome(
  of: { association: string; transactionUID: string; sender: ReturnType<typeof senderOf> },
  { ask, report }: CommitmentProviderOptions,
): Promise<void> {
  const { association, transactionUID, sender } = of
  const question = { about: 'commitment-outcome', transactionUID, sender } as const
  const { outcome } = expectAnswer(await ask(question), 'commitment-outcome')
  const reported = await report(association, transactionUID, outcome).catch(() => false)
  expectAnswer(await ask({ about: 'commitment-reported', transactionUID, sender, reported }), 'done')
}

class CommitmentError extends HilumError<'bad-commitment-request'> {
  constructor(status: number, message: string) {
    super('bad-commitment-request', message, { detail: { status } })
  }
}

/** @throws {CommitmentError} */
async function readRequest({ command, context, dataSet }: ServiceRequest): Promise<{
  transactionUID: string
  references: ReferencedInstance[]
}> {
  if (command.sopInstanceUID !== SOP.storageCommitmentPushModelInstance)
    throw new CommitmentError(noSuchObjectInstance, 'the well-known SOP instance is expected')
  if (command.actionTypeID !== requestStorageCommitment)
    throw new CommitmentError(noSuchActionType, `action type 1 is expected`)
  const head = await readHeadInTurns(dataSet ?? Buffer.alloc(0), { transferSyntaxUID: context.transferSyntax })
  const transactionUID = textOf(head.elements, 'TransactionUID') ?? ''
  if (head.ended !== 'end' || !isUIDText(transactionUID))
    throw new CommitmentError(invalidArgumentValue, 'a Transaction UID is expected')
  await nextTurn()
  const references = itemsOf(head.elements, 'ReferencedSOPSequence').map(referenceOf)
  if (references.length === 0) throw new CommitmentError(invalidArgumentValue, 'Referenced SOP Sequence is empty')
  await nextTurn()
  return { transactionUID, references }
}

function referenceOf(item: DicomJson): ReferencedInstance {
  const sopClassUID = textOf(item, 'ReferencedSOPClassUID') ?? ''
  const sopInstanceUID = textOf(item, 'ReferencedSOPInstanceUID') ?? ''
  if (isUIDText(sopClassUID) && isUIDText(sopInstanceUID)) return { sopClassUID, sopInstanceUID }
  throw new CommitmentError(invalidArgumentValue, 'a reference without SOP Class or Instance UID')
}

/** Leading zeros are let through, as when instances are received. */
const isUIDText = (text: string): boolean => /^\d[\d.]{0,63}$/.test(text)
