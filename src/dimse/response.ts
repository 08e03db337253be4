import {
  type CommandSet,
  type CommandValue,
  commandField,
  encodeCommandSet,
  noDataSet,
  responseBit,
} from './command-set.ts'
import type { ServiceResponse } from './service.ts'
import { encodeStoreResponse } from './store-response.ts'

/** Command Data Set Type of a message with a data set: anything but 0x0101 (PS3.7 E.1). */
export const withDataSet = 0x0001

/**
 * The response to a request (PS3.7 9.3 and 10.3), without its data set: the same SOP class and message ID, and the instance,
 * event type and action type where the request has them.
 */
export function encodeServiceResponse(request: CommandSet, response: ServiceResponse): Buffer {
  const { status, comment, errorID, dataSet, subOperations } = response
  const instance = response.affectedSOPInstanceUID ?? (namesInstance(request) ? request.sopInstanceUID : null)
  const eventTypeID = response.eventTypeID ?? request.eventTypeID
  const actionTypeID = response.actionTypeID ?? request.actionTypeID
  const elements: [number, CommandValue][] = []
  const add = (element: number, value: CommandValue | null | undefined): void => {
    if (value !== null && value !== undefined) elements.push([element, value])
  }
  add(0x0002, shortText(request.sopClassUID))
  add(0x0100, request.commandField | responseBit)
  add(0x0120, request.messageID ?? 0)
  add(0x0800, dataSet === undefined ? noDataSet : withDataSet)
  add(0x0900, status)
  add(0x0902, comment === undefined ? undefined : commentOf(comment))
  add(0x0903, errorID)
  add(0x1000, shortText(instance))
  add(0x1002, eventTypeID)
  add(0x1008, actionTypeID)
  add(0x1020, count(subOperations?.remaining))
  add(0x1021, count(subOperations?.completed))
  add(0x1022, count(subOperations?.failed))
  add(0x1023, count(subOperations?.warning))
  return encodeCommandSet(elements)
}

/**
 * The response to a request that says a status and no more.
 * @param comment Error Comment (0000,0902), cut to the 64 characters of an LO; without patient data
 */
export function encodeResponse(request: CommandSet, status: number, comment?: string): Buffer {
  const quick = comment === undefined ? encodeStoreResponse(request, status) : null
  return quick ?? encodeServiceResponse(request, comment === undefined ? { status } : { status, comment })
}

/** Queries and retrieves are about no single instance: their responses name none (PS3.7 9.3.2 to 9.3.4). */
function namesInstance(request: CommandSet): boolean {
  const { cFindRQ, cGetRQ, cMoveRQ } = commandField
  return request.commandField !== cFindRQ && request.commandField !== cGetRQ && request.commandField !== cMoveRQ
}

/** As LO has it (PS3.5 6.2): 64 characters, no control characters, no backslash; ASCII, since a command set names no character set. */
const commentOf = (text: string): string => text.slice(0, 64).replace(/[^ -[\]-~]/g, '?')

/** What is echoed back has to fit the smallest PDU: text beyond a UID's length is not. */
const shortText = (text: string | null): string | null => (text !== null && text.length <= 64 ? text : null)

/** Numbers of sub-operations are US: a larger retrieve says the largest that there is. */
const count = (value: number | undefined): number | undefined => value && Math.min(value, 0xffff)
