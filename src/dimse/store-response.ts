import { type CommandSet, commandField, encodeCommandSet, noDataSet, responseBit } from './command-set.ts'

/** What goes before the SOP Instance UID in a C-STORE-RSP: the same for all instances of a SOP class, but for three numbers. */
const beginnings = new Map<string, Buffer>()
const maximumBeginnings = 64

/**
 * The response to a C-STORE request that says a status and no more (PS3.7 9.3.1.2). It is what every instance ends with: put together
 * element by element, it would take as long as the examination of the instance.
 * @returns null for anything out of the ordinary
 */
export function encodeStoreResponse(request: CommandSet, status: number): Buffer | null {
  const { sopClassUID, sopInstanceUID, messageID, eventTypeID, actionTypeID } = request
  if (request.commandField !== commandField.cStoreRQ || eventTypeID !== null || actionTypeID !== null) return null
  if (sopClassUID === null || sopInstanceUID === null || messageID === null) return null
  if (sopClassUID.length > 64 || sopInstanceUID.length > 64) return null
  const beginning = beginningFor(sopClassUID)
  const length = sopInstanceUID.length + (sopInstanceUID.length % 2)
  const bytes = Buffer.allocUnsafe(beginning.length + 8 + length)
  beginning.copy(bytes)
  bytes.writeUInt32LE(bytes.length - 12, 8)
  bytes.writeUInt16LE(messageID, beginning.length - 22)
  bytes.writeUInt16LE(status, beginning.length - 2)
  bytes.writeUInt32LE(0x10000000, beginning.length)
  bytes.writeUInt32LE(length, beginning.length + 4)
  bytes[bytes.length - 1] = 0
  bytes.write(sopInstanceUID, beginning.length + 8, 'latin1')
  return bytes
}

function beginningFor(sopClassUID: string): Buffer {
  const known = beginnings.get(sopClassUID)
  if (known) return known
  const beginning = encodeCommandSet([
    [0x0002, sopClassUID],
    [0x0100, commandField.cStoreRQ | responseBit],
    [0x0120, 0],
    [0x0800, noDataSet],
    [0x0900, 0],
  ])
  if (beginnings.size >= maximumBeginnings) beginnings.clear()
  beginnings.set(sopClassUID, beginning)
  return beginning
}
