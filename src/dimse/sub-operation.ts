import { convertDataSet, syntaxesFor } from '../dicom/convert-vr.ts'
import type { Association } from './association.ts'
import { commandField, encodeCommandSet, noDataSet } from './command-set.ts'
import type { AcceptedContext } from './context-negotiation.ts'
import type { MessageWriter } from './message-writer.ts'
import type { OutgoingRequests } from './outgoing-requests.ts'
import { withDataSet } from './response.ts'
import { readPlannedFile } from './send-plan.ts'
import { dimseStatus } from './status.ts'

/** An instance that lies in a file. */
export interface FileToStore {
  path: string
  sopClassUID: string
  sopInstanceUID: string
  transferSyntaxUID: string
}

/** Where our own requests on an association go. */
interface Requesting {
  writer: MessageWriter
  outgoing: OutgoingRequests
}

/**
 * Sends an instance to the requestor of an association (the C-STORE sub-operation of C-GET, PS3.4 C.4.3): the bytes of the
 * file's data set as they are, or converted where only a context of another uncompressed transfer syntax was accepted.
 * @returns the status of its response; null where no accepted context fits
 * @throws {DimseError} `association-lost`; {DicomError} a data set that cannot be converted; and what the file says
 */
export async function storeOn(association: Association, file: FileToStore, to: Requesting): Promise<number | null> {
  const context = contextFor(association, file)
  if (context === null) return null
  const { dataSetOffset: offset } = await readPlannedFile(file.path, 0)
  const response = await to.outgoing.request((messageID) => {
    const command = encodeCommandSet([
      [0x0002, file.sopClassUID],
      [0x0100, commandField.cStoreRQ],
      [0x0110, messageID],
      [0x0700, 0], // medium priority
      [0x0800, withDataSet],
      [0x1000, file.sopInstanceUID],
    ])
    const { path, transferSyntaxUID } = file
    if (context.transferSyntax === transferSyntaxUID) return to.writer.sendFile(context.id, command, { path, offset })
    const stored = { path, transferSyntaxUID, offset }
    return to.writer.sendConverted(context.id, command, (write) =>
      convertDataSet(stored, context.transferSyntax, write),
    )
  })
  return response.status ?? dimseStatus.processingFailure
}

function contextFor(association: Association, file: FileToStore): AcceptedContext | null {
  const contexts = [...association.contexts.values()].filter(
    ({ roles, abstractSyntax }) => roles?.scp === true && abstractSyntax === file.sopClassUID,
  )
  for (const syntax of syntaxesFor(file.transferSyntaxUID)) {
    const context = contexts.find(({ transferSyntax }) => transferSyntax === syntax)
    if (context !== undefined) return context
  }
  return null
}

/** An event that the SCP of a service tells its SCU (PS3.7 10.3.1). */
export interface EventReport {
  sopClassUID: string
  sopInstanceUID: string
  eventTypeID: number
  /** Encodes the event information in the transfer syntax that is given; absent: none is sent. */
  encode?(transferSyntaxUID: string): Buffer | Promise<Buffer>
}

/**
 * Sends N-EVENT-REPORT to the requestor of an association.
 * @returns the status of its response; null where no accepted context fits
 * @throws {DimseError} `association-lost`
 */
export async function reportOn(association: Association, event: EventReport, to: Requesting): Promise<number | null> {
  const context = [...association.contexts.values()].find(
    ({ abstractSyntax, roles }) => abstractSyntax === event.sopClassUID && roles?.scu !== false,
  )
  if (context === undefined) return null
  const dataSet = await event.encode?.(context.transferSyntax)
  const response = await to.outgoing.request((messageID) =>
    to.writer.send(context.id, encodeEventReport(event, messageID, dataSet !== undefined), dataSet),
  )
  return response.status ?? dimseStatus.processingFailure
}

/** The command set of an N-EVENT-REPORT-RQ (PS3.7 10.3.1). */
export function encodeEventReport(event: EventReport, messageID: number, hasDataSet: boolean): Buffer {
  return encodeCommandSet([
    [0x0002, event.sopClassUID],
    [0x0100, commandField.nEventReportRQ],
    [0x0110, messageID],
    [0x0800, hasDataSet ? withDataSet : noDataSet],
    [0x1000, event.sopInstanceUID],
    [0x1002, event.eventTypeID],
  ])
}
