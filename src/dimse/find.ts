import { encodeDataSet } from '../dicom/data-set-writer.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { headError, readHead } from '../dicom/head.ts'
import { SOP } from '../dicom/sop-class.ts'
import { commandField, encodeCommandSet, noDataSet } from './command-set.ts'
import { DimseError } from './error.ts'
import { readableSyntaxes } from './readable-syntaxes.ts'
import { withDataSet } from './response.ts'
import { ScuAssociation, type ScuOptions } from './scu-association.ts'
import { describeStatus, dimseStatus, isPending } from './status.ts'

/** Query/Retrieve information models (PS3.4 C.6). */
export type QueryModel = 'study' | 'patient'
export type QueryLevel = 'PATIENT' | 'STUDY' | 'SERIES' | 'IMAGE'

export interface FindRequest {
  model: QueryModel
  level: QueryLevel
  /** Matching and return keys; Query/Retrieve Level is added. */
  keys: DicomJson
  /** Matches at most: then the query is cancelled. */
  limit?: number
  signal?: AbortSignal
}

const findClass = { study: SOP.studyRootFind, patient: SOP.patientRootFind } as const

/**
 * C-FIND: the matches as they come, none of them kept (PS3.4 C.4.1). Ending the loop cancels the query; raising the signal
 * aborts the association.
 * @throws {DimseError} what ended the association; `refused` when the peer answers with a failure, with `detail.status`, and with
 * its Error Comment as `detail.comment`: free text, which stays out of the message for it may name a patient
 * @throws {DicomError} a match that cannot be read
 */
export async function* findMatches(peer: ScuOptions, request: FindRequest): AsyncGenerator<DicomJson, void, undefined> {
  const { model, level, keys, limit = Infinity, signal } = request
  const abstractSyntax = findClass[model]
  const contexts = [{ id: 1, abstractSyntax, transferSyntaxes: readableSyntaxes }]
  const association = await ScuAssociation.open({ ...peer, signal: signal ?? peer.signal }, { contexts })
  let finished = false
  let messageID = 0
  try {
    const { id, transferSyntax } = association.contextFor(abstractSyntax)
    messageID = association.nextMessageID()
    const identifier = encodeDataSet({ ...keys, QueryRetrieveLevel: level }, transferSyntax)
    await association.writeMessage(id, encodeFind(abstractSyntax, messageID), identifier)
    let found = 0
    for (;;) {
      const { command, dataSet } = await association.next()
      const status = command.status ?? dimseStatus.processingFailure
      finished = !isPending(status)
      if (finished) return checkLast(status, command.errorComment)
      if (dataSet === null) continue
      if (found === limit) return
      yield readMatch(dataSet, transferSyntax)
      if (++found === limit) return
    }
  } finally {
    if (!finished && association.isOpen && messageID > 0) await cancel(association, messageID)
    await association.release()
  }
}

function encodeFind(sopClassUID: string, messageID: number): Buffer {
  return encodeCommandSet([
    [0x0002, sopClassUID],
    [0x0100, commandField.cFindRQ],
    [0x0110, messageID],
    [0x0700, 0], // medium priority
    [0x0800, withDataSet],
  ])
}

function readMatch(dataSet: Buffer, transferSyntaxUID: string): DicomJson {
  const head = readHead(dataSet, { transferSyntaxUID })
  if (head.ended !== 'end') throw headError(head)
  return head.elements
}

function checkLast(status: number, comment: string | null): void {
  if (status === dimseStatus.success || status === dimseStatus.cancelled) return
  throw new DimseError('refused', `the peer refused the query: ${describeStatus(status)}`, {
    detail: { status, comment },
  })
}

/** Cancels the query and reads over what comes until its last response. */
async function cancel(association: ScuAssociation, messageID: number): Promise<void> {
  const command = encodeCommandSet([
    [0x0100, commandField.cCancelRQ],
    [0x0120, messageID],
    [0x0800, noDataSet],
  ])
  const [id = 1] = association.contexts.keys()
  try {
    await association.writeMessage(id, command)
    while (isPending((await association.response()).status ?? 0)) continue
  } catch {
    // The association has ended instead.
  }
}
