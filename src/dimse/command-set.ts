import { violation } from './error.ts'
import { abortReason } from './pdu.ts'

/** Command Field values (PS3.7 E.1). A response is its request's value with the highest bit set. */
export const commandField = {
  cStoreRQ: 0x0001,
  cGetRQ: 0x0010,
  cFindRQ: 0x0020,
  cMoveRQ: 0x0021,
  cEchoRQ: 0x0030,
  nEventReportRQ: 0x0100,
  nGetRQ: 0x0110,
  nSetRQ: 0x0120,
  nActionRQ: 0x0130,
  nCreateRQ: 0x0140,
  nDeleteRQ: 0x0150,
  cCancelRQ: 0x0fff,
} as const

/** Set in every response's Command Field. */
export const responseBit = 0x8000
/** Command Data Set Type: no data set follows (PS3.7 E.1). */
export const noDataSet = 0x0101

/** The elements of a command set that Hilum looks at (PS3.7 E.1); what is absent is null. */
export interface CommandSet {
  commandField: number
  messageID: number | null
  messageIDBeingRespondedTo: number | null
  /** Affected SOP Class UID, or Requested SOP Class UID where only that is there. */
  sopClassUID: string | null
  /** Affected SOP Instance UID, or Requested SOP Instance UID where only that is there. */
  sopInstanceUID: string | null
  hasDataSet: boolean
  status: number | null
  errorComment: string | null
  /** Move Destination (0000,0600): an AE title. */
  moveDestination: string | null
  /** Priority (0000,0700): 0 medium, 1 high, 2 low. */
  priority: number | null
  eventTypeID: number | null
  actionTypeID: number | null
  /** Attribute Identifier List (0000,1005): tags, as numbers of 32 bits. */
  attributeIdentifiers: readonly number[] | null
  moveOriginatorAETitle: string | null
  moveOriginatorMessageID: number | null
  /** Numbers of sub-operations (0000,1020 to 1023). */
  remaining: number | null
  completed: number | null
  failed: number | null
  warning: number | null
}

/** No value that two bytes can hold. */
const noField = -1

const nothing: CommandSet = {
  commandField: noField,
  messageID: null,
  messageIDBeingRespondedTo: null,
  sopClassUID: null,
  sopInstanceUID: null,
  hasDataSet: true,
  status: null,
  errorComment: null,
  moveDestination: null,
  priority: null,
  eventTypeID: null,
  actionTypeID: null,
  attributeIdentifiers: null,
  moveOriginatorAETitle: null,
  moveOriginatorMessageID: null,
  remaining: null,
  completed: null,
  failed: null,
  warning: null,
}

/**
 * Parses a command set: group 0000 in implicit VR little endian, whatever the context's transfer syntax (PS3.7 6.3.1).
 * @throws {DimseError} `protocol-violation` when it is cut short, leaves group 0000 or has no Command Field
 */
export function parseCommandSet(bytes: Buffer): CommandSet {
  const found: CommandSet = { ...nothing }
  let offset = 0
  while (offset < bytes.length) {
    if (offset + 8 > bytes.length) throw malformed(`ends inside an element's head at byte ${offset}`)
    const group = bytes.readUInt16LE(offset)
    const element = bytes.readUInt16LE(offset + 2)
    const length = bytes.readUInt32LE(offset + 4)
    if (group !== 0) throw malformed(`holds an element of group ${group.toString(16).padStart(4, '0')}`)
    offset += 8
    if (length > bytes.length - offset)
      throw malformed(`element 0000,${element.toString(16).padStart(4, '0')} of ${length} bytes leads beyond its end`)
    takeElement(found, element, bytes.subarray(offset, offset + length))
    offset += length
  }
  if (found.commandField === noField) throw malformed('has no Command Field (0000,0100)')
  return found
}

function takeElement(found: CommandSet, element: number, value: Buffer): void {
  switch (element) {
    case 0x0002:
      found.sopClassUID = textOf(value)
      break
    case 0x0003:
      found.sopClassUID ??= textOf(value)
      break
    case 0x0100:
      found.commandField = numberOf(value, element)
      break
    case 0x0110:
      found.messageID = numberOf(value, element)
      break
    case 0x0120:
      found.messageIDBeingRespondedTo = numberOf(value, element)
      break
    case 0x0600:
      found.moveDestination = textOf(value).trimStart()
      break
    case 0x0700:
      found.priority = numberOf(value, element)
      break
    case 0x0800:
      found.hasDataSet = numberOf(value, element) !== noDataSet
      break
    case 0x0900:
      found.status = numberOf(value, element)
      break
    case 0x0902:
      found.errorComment = textOf(value)
      break
    case 0x1000:
      found.sopInstanceUID = textOf(value)
      break
    case 0x1001:
      found.sopInstanceUID ??= textOf(value)
      break
    case 0x1002:
      found.eventTypeID = numberOf(value, element)
      break
    case 0x1005:
      found.attributeIdentifiers = tagsOf(value)
      break
    case 0x1008:
      found.actionTypeID = numberOf(value, element)
      break
    case 0x1020:
      found.remaining = numberOf(value, element)
      break
    case 0x1021:
      found.completed = numberOf(value, element)
      break
    case 0x1022:
      found.failed = numberOf(value, element)
      break
    case 0x1023:
      found.warning = numberOf(value, element)
      break
    case 0x1030:
      found.moveOriginatorAETitle = textOf(value).trimStart()
      break
    case 0x1031:
      found.moveOriginatorMessageID = numberOf(value, element)
      break
  }
}

const malformed = (what: string) => violation(abortReason.invalidPDUParameterValue, `a command set ${what}`)

function numberOf(value: Buffer, element: number): number {
  if (value.length < 2) throw malformed(`element 0000,${element.toString(16).padStart(4, '0')} has no value`)
  return value.readUInt16LE(0)
}

/** Attribute tags in little endian: group, then element. */
function tagsOf(value: Buffer): number[] {
  const tags: number[] = []
  for (let offset = 0; offset + 4 <= value.length; offset += 4)
    tags.push(value.readUInt16LE(offset) * 0x10000 + value.readUInt16LE(offset + 2))
  return tags
}

function textOf(value: Buffer): string {
  let end = value.length
  while (end > 0 && (value[end - 1] === 0 || value[end - 1] === 0x20)) end--
  return value.toString('latin1', 0, end)
}

/** A value of a command set: text is padded to even length, numbers are US. */
export type CommandValue = string | number

/**
 * Encodes a command set in implicit VR little endian, with its group length (PS3.7 6.3.1).
 * @param elements element numbers of group 0000, ascending, with their values; UIDs are padded with NUL, other text with space
 */
export function encodeCommandSet(elements: readonly (readonly [element: number, value: CommandValue])[]): Buffer {
  let length = 12
  for (const [, value] of elements) length += 8 + evenLength(value)
  const bytes = Buffer.alloc(length)
  let offset = putHead(bytes, 0, 0x0000, 4)
  bytes.writeUInt32LE(length - 12, offset)
  offset += 4
  for (const [element, value] of elements) {
    const size = evenLength(value)
    offset = putHead(bytes, offset, element, size)
    if (typeof value === 'number') bytes.writeUInt16LE(value, offset)
    else {
      bytes.write(value, offset, 'latin1')
      if (value.length % 2 === 1 && !isUIDElement(element)) bytes[offset + value.length] = 0x20
    }
    offset += size
  }
  return bytes
}

const evenLength = (value: CommandValue): number => (typeof value === 'number' ? 2 : value.length + (value.length % 2))
const isUIDElement = (element: number): boolean => element <= 0x0003 || (element >= 0x1000 && element <= 0x1001)

function putHead(bytes: Buffer, offset: number, element: number, length: number): number {
  bytes.writeUInt16LE(0, offset)
  bytes.writeUInt16LE(element, offset + 2)
  bytes.writeUInt32LE(length, offset + 4)
  return offset + 8
}
