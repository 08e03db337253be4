import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DicomJson } from './dicom-json.ts'
import {
  type ElementHeader,
  isPixelDataTag,
  itemDelimitationTag,
  itemTag,
  sequenceDelimitationTag,
  tagKey,
  undefinedLength,
} from './element-header.ts'
import { ElementReader, maximumDepth, ReadStop, type Scope } from './element-reader.ts'
import { type Head, readElements, readHead, startOf } from './head.ts'
import { transferSyntax } from './transfer-syntax.ts'

/** Bytes from which a data set, and a sequence or an item in it, is not read at one go. */
const longLength = 64 * 1024
/** ms of reading after which others have their turn. */
const turnMs = 5

/**
 * Reads a data set as `readHead` does, and lets others have their turn between the items of long sequences: ten thousand references to
 * instances take a busy process longer than it may keep everybody waiting.
 * @param options.only tags as numbers: the values of other elements of the outermost data set are passed over
 */
export async function readHeadInTurns(
  dataSet: Buffer,
  options: { transferSyntaxUID: string; only?: ReadonlySet<number> },
): Promise<Head> {
  const syntax = transferSyntax(options.transferSyntaxUID)
  if (dataSet.length < longLength || syntax.deflated || !syntax.littleEndian) return readHead(dataSet, options)
  const scope: Scope = { ...startOf(dataSet, syntax), ...(options.only && { only: options.only }) }
  const walk = new LongWalk(dataSet)
  const into: DicomJson = {}
  let from = 0
  let reached = 0
  try {
    for (let at = 0; at < dataSet.length; ) {
      const header = newHeader()
      if (!walk.reader.header(at, scope, dataSet.length, header)) break
      const value = at + header.size
      if (!isLong(header, value, dataSet.length)) {
        if (header.length === undefinedLength || isPixelDataTag(header.tag)) break
        at = value + header.length
        continue
      }
      // What stands before it depends on nothing that comes after it, and is short, or a value of one piece.
      if (readElements(dataSet.subarray(from, at), scope, from, into).head.ended !== 'end') break
      const items: DicomJson[] = []
      at = await walk.items(value, rangeOf(header, value, dataSet.length), { items, scope, depth: 1 })
      // As there, what has an undefined length has to be read in any case.
      if (header.length === undefinedLength || options.only?.has(header.tag) !== false)
        into[tagKey(header.tag)] = sequenceOf(items)
      from = at
      reached = header.tag
    }
  } catch (error) {
    if (!(error instanceof ReadStop)) throw error
    // The rest is read again, for what is broken in it to be said as always.
  }
  const { head } = readElements(dataSet.subarray(from), scope, from, into)
  return { ...head, reached: head.reached || reached }
}

interface Range {
  bound: number
  /** True where a delimiter ends it. */
  delimited: boolean
}

/** Walks long sequences and long items; what is short is read at one go. Little endian only. */
class LongWalk {
  readonly reader: ElementReader
  readonly #bytes: Buffer
  #since = performance.now()

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.reader = new ElementReader(bytes, 0)
  }

  /** Items up to the bound, or to the sequence delimitation item (PS3.5 7.5). @throws {ReadStop} */
  async items(
    at: number,
    { bound, delimited }: Range,
    context: { items: DicomJson[]; scope: Scope; depth: number },
  ): Promise<number> {
    if (context.depth > maximumDepth) throw new ReadStop('malformed', 'sequences are nested too deep')
    let pos = at
    while (delimited || pos < bound) {
      if (pos + 8 > bound) throw new ReadStop('truncated', 'the bytes end inside an item')
      const tag = this.#bytes.readUInt16LE(pos) * 0x10000 + this.#bytes.readUInt16LE(pos + 2)
      const length = this.#bytes.readUInt32LE(pos + 4)
      pos += 8
      if (tag === sequenceDelimitationTag && delimited) return pos
      if (tag === sequenceDelimitationTag) continue
      if (tag !== itemTag) throw new ReadStop('malformed', 'an item is expected')
      const range = length === undefinedLength ? { bound, delimited: true } : { bound: pos + length, delimited: false }
      if (range.bound > bound) throw new ReadStop('truncated', 'an item goes beyond what surrounds it')
      const item: DicomJson = {}
      context.items.push(item)
      const inside = { item, scope: { ...context.scope }, depth: context.depth }
      pos = length < longLength ? this.reader.item(pos, range, inside) : await this.#item(pos, range, inside)
      await this.#turn()
    }
    return pos
  }

  async #item(
    at: number,
    { bound, delimited }: Range,
    { item, scope, depth }: { item: DicomJson; scope: Scope; depth: number },
  ): Promise<number> {
    let pos = at
    while (delimited || pos < bound) {
      const header = newHeader()
      if (!this.reader.header(pos, scope, bound, header))
        throw new ReadStop('truncated', 'the bytes end inside an element')
      const value = pos + header.size
      if (header.tag === itemDelimitationTag && delimited) return pos + 8
      if (header.tag === sequenceDelimitationTag && delimited) return pos // the item's own delimiter is missing
      if (header.tag === itemDelimitationTag) pos += 8
      else if (isLong(header, value, bound)) {
        const items: DicomJson[] = []
        pos = await this.items(value, rangeOf(header, value, bound), { items, scope, depth: depth + 1 })
        item[tagKey(header.tag)] = sequenceOf(items)
      } else pos = this.reader.element(value, header, { into: item, scope, bound, depth })
    }
    return pos
  }

  async #turn(): Promise<void> {
    if (performance.now() - this.#since < turnMs) return
    await nextTurn()
    this.#since = performance.now()
  }
}

const newHeader = (): ElementHeader => ({ tag: 0, vr: '', explicit: null, size: 0, length: 0 })

/** Sequences of undefined length may be long. */
function isLong({ vr, explicit, length }: ElementHeader, value: number, bound: number): boolean {
  if (vr !== 'SQ' || explicit === 'UN') return false
  return length === undefinedLength || (length >= longLength && value + length <= bound)
}

const rangeOf = ({ length }: ElementHeader, value: number, bound: number): Range =>
  length === undefinedLength ? { bound, delimited: true } : { bound: value + length, delimited: false }

const sequenceOf = (items: DicomJson[]): DicomJson[string] =>
  items.length === 0 ? { vr: 'SQ' } : { vr: 'SQ', Value: items }
