import { type CharacterSet, characterSet } from './charset.ts'
import type { DicomJson, DicomJsonElement } from './dicom-json.ts'
import {
  type ElementHeader,
  type HeaderOptions,
  type HeaderSyntax,
  implicitVR,
  isPixelDataTag,
  itemDelimitationTag,
  itemTag,
  readElementHeader,
  sequenceDelimitationTag,
  tagKey,
  undefinedLength,
} from './element-header.ts'
import { binaryElement, inlineLimit, isBinaryVR, valueElement } from './values.ts'

/** Sequences within sequences beyond this are nobody's data: real ones stay below ten. */
export const maximumDepth = 32

const specificCharacterSet = 0x00080005
/** The tag of Pixel Representation, on which "US or SS" depends. */
export const pixelRepresentation = 0x00280103

/** Why reading stopped; `needed` is how many bytes from the start of the element would be enough to go on, as far as that is known. */
export class ReadStop extends Error {
  readonly kind: 'truncated' | 'malformed'
  readonly needed: number

  constructor(kind: 'truncated' | 'malformed', message: string, needed = 0) {
    super(message)
    this.kind = kind
    this.needed = needed
  }
}

/** What the elements of one data set (the outermost one, or an item) depend on; items inherit it. */
export interface Scope {
  syntax: HeaderSyntax
  charset: CharacterSet
  signed: boolean
  /** Tags of the outermost data set that are wanted; all of them when absent. */
  only?: ReadonlySet<number>
}

/** Reads elements of one buffer into the DICOM JSON Model. All lengths are checked against what surrounds them. */
export class ElementReader {
  readonly bytes: Buffer
  /** Added to an offset in `bytes` where a place is referred to. */
  readonly baseOffset: number
  /** The first oddity that was read over, or null. */
  note: string | null = null
  readonly #options: HeaderOptions = { explicitVR: true, littleEndian: true, signed: false, end: 0 }

  constructor(bytes: Buffer, baseOffset: number) {
    this.bytes = bytes
    this.baseOffset = baseOffset
  }

  /** Reads the header at an offset; false when the buffer ends inside it. */
  header(at: number, scope: Scope, end: number, header: ElementHeader): boolean {
    // One object for all calls: this runs for every element, and a new one each time would cost more than the reading.
    const options = this.#options
    options.explicitVR = scope.syntax.explicitVR
    options.littleEndian = scope.syntax.littleEndian
    options.signed = scope.signed
    options.end = end
    return readElementHeader(this.bytes, at, options, header)
  }

  /**
   * Reads the value that follows a header, and puts the element into `into`.
   * @param at offset of the value
   * @param bound the end of what surrounds the element, or of the bytes
   * @returns the offset after the element
   * @throws {ReadStop}
   */
  element(
    at: number,
    header: ElementHeader,
    place: { into: DicomJson; scope: Scope; bound: number; depth: number },
  ): number {
    const { into, scope, bound, depth } = place
    const { tag, length } = header
    let { vr } = header
    if (length === undefinedLength) return this.undefinedLengthElement(at, header, place)
    const end = at + length
    if (end > bound) throw this.beyond(header, at, bound)
    if (tag % 0x10000 === 0) return end // group lengths are left out (PS3.18 F.2.2)
    const littleEndian = scope.syntax.littleEndian
    // UN holds implicit VR little endian (PS3.5 6.2.2), so a tag that the dictionary knows can be read after all.
    const unknown = header.explicit === 'UN'
    if (unknown) vr = implicitVR(tag, scope.signed)
    const key = tagKey(tag)
    const syntax = unknown ? implicitLittleEndian : scope.syntax
    if (vr === 'SQ') {
      into[key] = this.sequence(at, end, { key, scope: { ...scope, syntax }, depth })
      return end
    }
    const field = { bytes: this.bytes, offset: at, length }
    const element = isBinaryVR(vr)
      ? binaryElement(vr, field, { littleEndian: littleEndian || unknown, absolute: this.baseOffset + at })
      : valueElement(vr, field, { littleEndian: littleEndian || unknown, charset: scope.charset })
    into[key] = element
    if (tag === specificCharacterSet) scope.charset = characterSet(texts(element))
    else if (tag === pixelRepresentation) scope.signed = element.Value?.[0] === 1
    return end
  }

  private undefinedLengthElement(
    at: number,
    header: ElementHeader,
    place: { into: DicomJson; scope: Scope; bound: number; depth: number },
  ): number {
    const { into, scope, bound, depth } = place
    const { vr, explicit } = header
    const key = tagKey(header.tag)
    if ((vr === 'OB' || vr === 'OW') && (explicit !== null || isPixelDataTag(header.tag))) {
      const end = this.skipFragments(at, bound, scope.syntax.littleEndian)
      into[key] = { vr: 'OB', BulkDataURI: `#${this.baseOffset + at},${end - at}` }
      return end
    }
    if (vr !== 'SQ' && vr !== 'UN' && explicit !== null)
      throw new ReadStop('malformed', `element ${key} of VR ${vr} has an undefined length`)
    // UN of undefined length is a sequence in implicit VR little endian (PS3.5 6.2.2).
    const syntax = explicit === 'UN' ? implicitLittleEndian : scope.syntax
    const items: DicomJson[] = []
    const end = this.items(at, { bound, delimited: true }, { items, scope: { ...scope, syntax }, depth: depth + 1 })
    into[key] = items.length === 0 ? { vr: 'SQ' } : { vr: 'SQ', Value: items }
    return end
  }

  /** A sequence of defined length. One that is broken inside is kept as bytes: what follows it can still be read. */
  private sequence(at: number, end: number, context: { key: string; scope: Scope; depth: number }): DicomJsonElement {
    const items: DicomJson[] = []
    try {
      this.items(at, { bound: end, delimited: false }, { items, scope: context.scope, depth: context.depth + 1 })
    } catch (error) {
      if (!(error instanceof ReadStop)) throw error
      this.note ??= `sequence ${context.key}: ${error.message}`
      const field = { bytes: this.bytes, offset: at, length: end - at }
      return binaryElement('UN', field, { littleEndian: true, absolute: this.baseOffset + at })
    }
    return items.length === 0 ? { vr: 'SQ' } : { vr: 'SQ', Value: items }
  }

  /** Items up to the bound, or to the sequence delimitation item (PS3.5 7.5). */
  private items(
    at: number,
    range: { bound: number; delimited: boolean },
    context: { items: DicomJson[]; scope: Scope; depth: number },
  ): number {
    if (context.depth > maximumDepth)
      throw new ReadStop('malformed', `sequences are nested deeper than ${maximumDepth} levels`)
    const { bound, delimited } = range
    const { littleEndian } = context.scope.syntax
    let pos = at
    while (delimited || pos < bound) {
      if (pos + 8 > bound) throw this.short(bound, 'an item')
      const tag = this.tag(pos, littleEndian)
      const length = littleEndian ? this.bytes.readUInt32LE(pos + 4) : this.bytes.readUInt32BE(pos + 4)
      pos += 8
      if (tag === sequenceDelimitationTag) {
        if (delimited) return pos
        continue
      }
      if (tag !== itemTag) throw new ReadStop('malformed', `an item is expected, ${tagKey(tag)} stands there`)
      const item: DicomJson = {}
      context.items.push(item)
      const scope = { ...context.scope }
      if (length === undefinedLength)
        pos = this.item(pos, { bound, delimited: true }, { item, scope, depth: context.depth })
      else {
        if (pos + length > bound) throw this.short(bound, `an item of ${length} bytes`)
        pos = this.item(pos, { bound: pos + length, delimited: false }, { item, scope, depth: context.depth })
      }
    }
    return pos
  }

  /** Reads the elements of an item. @returns the offset behind it @throws {ReadStop} */
  item(
    at: number,
    range: { bound: number; delimited: boolean },
    context: { item: DicomJson; scope: Scope; depth: number },
  ): number {
    const { bound, delimited } = range
    const header: ElementHeader = { tag: 0, vr: '', explicit: null, size: 0, length: 0 }
    let pos = at
    while (delimited || pos < bound) {
      if (!this.header(pos, context.scope, bound, header)) throw this.short(bound, 'an element')
      if (header.tag === itemDelimitationTag) {
        pos += 8
        if (delimited) return pos
        continue
      }
      if (header.tag === sequenceDelimitationTag && delimited) return pos // the item's own delimiter is missing
      const place = { into: context.item, scope: context.scope, bound, depth: context.depth }
      pos = this.element(pos + header.size, header, place)
    }
    return pos
  }

  /** Walks the fragments of encapsulated pixel data within an item (PS3.5 A.4); returns the offset after the delimiter. */
  private skipFragments(at: number, bound: number, littleEndian: boolean): number {
    let pos = at
    for (;;) {
      if (pos + 8 > bound) throw this.short(bound, 'a fragment')
      const tag = this.tag(pos, littleEndian)
      const length = littleEndian ? this.bytes.readUInt32LE(pos + 4) : this.bytes.readUInt32BE(pos + 4)
      pos += 8
      if (tag === sequenceDelimitationTag) return pos
      if (tag !== itemTag) throw new ReadStop('malformed', `a fragment is expected, ${tagKey(tag)} stands there`)
      if (pos + length > bound) throw this.short(bound, `a fragment of ${length} bytes`)
      pos += length
    }
  }

  private tag(at: number, littleEndian: boolean): number {
    return littleEndian
      ? this.bytes.readUInt16LE(at) * 0x10000 + this.bytes.readUInt16LE(at + 2)
      : this.bytes.readUInt32BE(at)
  }

  private beyond(header: ElementHeader, at: number, bound: number): ReadStop {
    const sentence = `element ${tagKey(header.tag)} announces ${header.length} bytes, ${Math.max(0, bound - at)} follow`
    if (bound < this.bytes.length) return new ReadStop('malformed', sentence)
    return new ReadStop('truncated', sentence, header.size + header.length)
  }

  private short(bound: number, what: string): ReadStop {
    return bound < this.bytes.length
      ? new ReadStop('malformed', `${what} goes beyond what surrounds it`)
      : new ReadStop('truncated', `the bytes end inside ${what}`)
  }
}

const implicitLittleEndian: HeaderSyntax = { explicitVR: false, littleEndian: true }

function texts(element: DicomJsonElement): string[] {
  return (element.Value ?? []).map((value) => (typeof value === 'string' ? value : ''))
}

/** A long binary value that lies beyond the bytes at hand can be referred to without reading it. */
export function isSkippable(header: ElementHeader): boolean {
  const vr = header.explicit === 'UN' ? implicitVR(header.tag, false) : header.vr
  return isBinaryVR(vr) && header.length !== undefinedLength && header.length > inlineLimit
}
