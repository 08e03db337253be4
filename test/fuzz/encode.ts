/** A field whose announced length may differ from what follows. */
export interface Field {
  /** Announced instead of the true length. */
  announced?: number
}

/** A PDU (PS3.8 9.3.1). */
export function encodePDU(type: number, body: Uint8Array, announced?: number): Buffer {
  const head = Buffer.from([type, 0, 0, 0, 0, 0])
  head.writeUInt32BE(announced ?? body.length, 2)
  return Buffer.concat([head, body])
}

export const releaseRQ = encodePDU(5, new Uint8Array(4))
export const abortRQ = encodePDU(7, new Uint8Array(4))

/** A presentation data value (PS3.8 9.3.5.1, E.2). */
export interface Value extends Field {
  context: number
  command?: boolean
  last?: boolean
  /** The message control header, instead of the one that `command` and `last` make. */
  control?: number
  value: Uint8Array
}

export function encodeValue({ context, command, last, control, value, announced }: Value): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt32BE(announced ?? value.length + 2, 0)
  head[4] = context
  head[5] = control ?? (command ? 1 : 0) | (last ? 2 : 0)
  return Buffer.concat([head, value])
}

/** A P-DATA-TF of several values. */
export const dataPDU = (...values: Value[]): Buffer => encodePDU(4, Buffer.concat(values.map(encodeValue)))

/** An item of an association PDU (PS3.8 9.3.2): fixed bytes, then text or further items. */
export interface Item extends Field {
  type: number
  head?: Buffer
  value?: Buffer
  items?: Item[]
}

export function encodeItem(item: Item): Buffer {
  const value = Buffer.concat([
    item.head ?? Buffer.alloc(0),
    item.value ?? Buffer.alloc(0),
    ...(item.items ?? []).map(encodeItem),
  ])
  const head = Buffer.from([item.type, 0, 0, 0])
  head.writeUInt16BE((item.announced ?? value.length) & 0xffff, 2)
  return Buffer.concat([head, value])
}

export const textItem = (type: number, text: string): Item => ({ type, value: Buffer.from(text, 'latin1') })

/** An element of a command set (PS3.7 6.3.1): implicit VR little endian. */
export interface CommandElement extends Field {
  group?: number
  element: number
  value: Buffer
}

export function encodeCommandElement({ group = 0, element, value, announced }: CommandElement): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16LE(group, 0)
  head.writeUInt16LE(element, 2)
  head.writeUInt32LE(announced ?? value.length, 4)
  return Buffer.concat([head, value])
}

export const uint16 = (value: number): Buffer => Buffer.from([value & 0xff, (value >> 8) & 0xff])

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Text padded to even length: UIDs with NUL, the rest with a space (PS3.5 6.2). */
export function padded(text: string, pad: 0 | 0x20): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([pad])])
}

/** An element of a data set: a value, or items. */
export interface Element extends Field {
  tag: number
  vr: string
  value?: Buffer
  items?: Element[][]
  /** Sequence, items and their ends are marked by delimiters instead of lengths. */
  undefinedLength?: boolean
}

export interface Encoding {
  explicit: boolean
  littleEndian: boolean
}

const longVRs = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])
const undefinedLength = 0xffffffff

/** A data set (PS3.5 7.1). */
export function encodeDataSet(elements: readonly Element[], encoding: Encoding): Buffer {
  return Buffer.concat(elements.map((element) => encodeElement(element, encoding)))
}

export function encodeElement(element: Element, encoding: Encoding): Buffer {
  const value = element.items ? encodeItems(element.items, element.undefinedLength ?? false, encoding) : element.value
  const body = value ?? Buffer.alloc(0)
  const length = element.announced ?? (element.undefinedLength ? undefinedLength : body.length)
  const { tag, vr } = element
  const long = !encoding.explicit || longVRs.has(vr)
  const head = Buffer.alloc(!encoding.explicit ? 8 : long ? 12 : 8)
  writeTag(head, tag, encoding.littleEndian)
  if (encoding.explicit) head.write(vr, 4, 2, 'latin1')
  const at = head.length === 12 ? 8 : encoding.explicit ? 6 : 4
  const written = long ? length : length & 0xffff
  if (encoding.littleEndian) head.writeUIntLE(written, at, long ? 4 : 2)
  else head.writeUIntBE(written, at, long ? 4 : 2)
  return Buffer.concat([head, body])
}

function encodeItems(items: Element[][], undefinedLengths: boolean, encoding: Encoding): Buffer {
  const parts = items.flatMap((elements) => {
    const body = encodeDataSet(elements, encoding)
    const head = itemHeader(0xfffee000, undefinedLengths ? undefinedLength : body.length, encoding)
    return undefinedLengths ? [head, body, itemHeader(0xfffee00d, 0, encoding)] : [head, body]
  })
  if (undefinedLengths) parts.push(itemHeader(0xfffee0dd, 0, encoding))
  return Buffer.concat(parts)
}

/** The eight bytes before an item, or a delimiter (PS3.5 7.5). */
export function itemHeader(tag: number, length: number, encoding: Encoding): Buffer {
  const head = Buffer.alloc(8)
  writeTag(head, tag, encoding.littleEndian)
  if (encoding.littleEndian) head.writeUInt32LE(length, 4)
  else head.writeUInt32BE(length, 4)
  return head
}

function writeTag(head: Buffer, tag: number, littleEndian: boolean): void {
  const [group, element] = [tag >>> 16, tag & 0xffff]
  if (littleEndian) {
    head.writeUInt16LE(group, 0)
    head.writeUInt16LE(element, 2)
  } else {
    head.writeUInt16BE(group, 0)
    head.writeUInt16BE(element, 2)
  }
}
