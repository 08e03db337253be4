import { violation } from './error.ts'
import { abortReason } from './pdu.ts'

/** Walks items: type, reserved byte, length, value (PS3.8 9.3.2). Unknown ones are the caller's to skip (PS3.8 9.3.1). */
export function* itemsOf(bytes: Buffer, start: number): Generator<[type: number, value: Buffer]> {
  let offset = start
  while (offset < bytes.length) {
    if (offset + 4 > bytes.length) throw malformed(`ends inside an item's head at byte ${offset}`)
    const end = offset + 4 + bytes.readUInt16BE(offset + 2)
    if (end > bytes.length) throw malformed(`holds an item that leads beyond its end at byte ${offset}`)
    yield [bytes[offset] as number, bytes.subarray(offset + 4, end)]
    offset = end
  }
}

/** The error about an association PDU. */
export const malformed = (what: string) =>
  violation(abortReason.invalidPDUParameterValue, `the association PDU ${what}`)

/** Text of an item without its padding. */
export const uidOf = (value: Buffer): string => value.toString('latin1').replace(/[ \0]+$/, '')

/** An item of text, without padding (PS3.8 annex F). */
export const textItem = (type: number, text: string): Buffer => encodeItem(type, [Buffer.from(text, 'latin1')])

/** An item: type, reserved byte, length, value (PS3.8 9.3.2). */
export function encodeItem(type: number, parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts)
  const head = Buffer.alloc(4)
  head[0] = type
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value])
}
