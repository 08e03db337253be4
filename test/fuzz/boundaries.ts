/**
 * Where the parts of a valid stream of PDUs begin: PDUs, their lengths, items, values, and the elements of command sets and of data
 * sets in explicit VR little endian. A stream that is cut there, or one byte beside, is cut where parsers look.
 */
export function boundariesOf(stream: Buffer): number[] {
  const found = new Set<number>()
  for (let at = 0; at + 6 <= stream.length; ) {
    const end = Math.min(stream.length, at + 6 + stream.readUInt32BE(at + 2))
    for (const offset of [at, at + 2, at + 6]) found.add(offset)
    if (stream[at] === 1) itemBoundaries(stream, at + 74, end, found)
    if (stream[at] === 4) valueBoundaries(stream, at + 6, end, found)
    at = end
  }
  found.add(stream.length)
  found.delete(0)
  return [...found]
}

function itemBoundaries(bytes: Buffer, from: number, end: number, found: Set<number>): void {
  for (let at = from; at + 4 <= end; ) {
    const next = at + 4 + bytes.readUInt16BE(at + 2)
    for (const offset of [at, at + 2, at + 4]) found.add(offset)
    if (bytes[at] === 0x20) itemBoundaries(bytes, at + 8, next, found)
    if (bytes[at] === 0x50) itemBoundaries(bytes, at + 4, next, found)
    at = next
  }
}

function valueBoundaries(bytes: Buffer, from: number, end: number, found: Set<number>): void {
  for (let at = from; at + 6 <= end; ) {
    const next = at + 4 + bytes.readUInt32BE(at)
    for (const offset of [at, at + 4, at + 6]) found.add(offset)
    elementBoundaries(bytes, { from: at + 6, end: next, command: ((bytes[at + 5] as number) & 1) !== 0 }, found)
    at = next
  }
}

function elementBoundaries(
  bytes: Buffer,
  { from, end, command }: { from: number; end: number; command: boolean },
  found: Set<number>,
): void {
  for (let at = from; at + 8 <= end; ) {
    for (const offset of [at, at + 4, at + 8]) found.add(offset)
    const long = /^(O[BWDFLV]|S[QV]|U[CNRTV])$/.test(bytes.toString('latin1', at + 4, at + 6))
    const length = command
      ? bytes.readUInt32LE(at + 4)
      : long && at + 12 <= end
        ? bytes.readUInt32LE(at + 8)
        : bytes.readUInt16LE(at + 6)
    at += (command || !long ? 8 : 12) + length
  }
}
