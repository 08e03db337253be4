import { constants, deflateRawSync } from 'node:zlib'
import { type Element, type Encoding, encodeDataSet, itemHeader, padded, uint16 } from './encode.ts'
import type { Random } from './random.ts'
import { type Syntax, storage, syntax } from './uids.ts'

/** Stands in every data set as the patient's name: it must not come up in logs, reasons or comments. */
export const patientMarker = 'FUZZED^SECRET'

export const encodingOf = (transferSyntax: string): Encoding => ({
  explicit: transferSyntax !== syntax.implicit,
  littleEndian: transferSyntax !== syntax.bigEndian,
})

const text = (tag: number, vr: string, value: string): Element => ({
  tag,
  vr,
  value: padded(value, vr === 'UI' ? 0 : 0x20),
})

export interface InstanceNames {
  sopClass: string
  sopInstance: string
  study: string
  series: string
}

/** The elements of a valid image, in the order of their tags; pixel data is not among them. */
export function imageElements(random: Random, names: InstanceNames): Element[] {
  const number = (value: number): Buffer => uint16(value)
  return [
    text(0x00080005, 'CS', 'ISO_IR 100'),
    text(0x00080016, 'UI', names.sopClass),
    text(0x00080018, 'UI', names.sopInstance),
    text(0x00080060, 'CS', random.pick(['CT', 'MR', 'OT'])),
    ...(random.chance(0.3) ? [sequence(random, 0x00081140, random.between(1, 4))] : []),
    text(0x00100010, 'PN', patientMarker),
    text(0x00100020, 'LO', `P${random.between(1, 9)}`),
    ...(random.chance(0.3)
      ? [
          text(0x00190010, 'LO', 'FUZZER'),
          { tag: 0x00191010, vr: 'UN', value: random.bytes(2 * random.between(0, 400)) },
        ]
      : []),
    text(0x0020000d, 'UI', names.study),
    text(0x0020000e, 'UI', names.series),
    text(0x00200013, 'IS', String(random.between(1, 500))),
    { tag: 0x00280010, vr: 'US', value: number(16) },
    { tag: 0x00280011, vr: 'US', value: number(16) },
    { tag: 0x00280100, vr: 'US', value: number(16) },
    ...(random.chance(0.3) ? [sequence(random, 0x00400275, random.between(1, 3))] : []),
  ]
}

/** A sequence with items of its own kind inside, `depth` levels of it. */
export function sequence(random: Random, tag: number, depth: number): Element {
  const inner = depth > 1 ? [sequence(random, 0x0040a730, depth - 1)] : []
  const items = Array.from({ length: random.between(0, depth > 8 ? 1 : 2) }, () => [
    text(0x00081150, 'UI', storage.ct),
    text(0x00081155, 'UI', '1.2.3.4'),
    ...inner,
  ])
  return { tag, vr: 'SQ', items: items.length > 0 || depth <= 1 ? items : [inner], undefinedLength: random.chance(0.5) }
}

/** A whole data set in a transfer syntax, pixel data included. */
export function encodeImage(
  random: Random,
  elements: readonly Element[],
  options: { syntax: Syntax; pixels: number },
): Buffer {
  const encoding = encodingOf(options.syntax)
  const pixels = random.bytes(options.pixels)
  if (options.syntax === syntax.jpegLS) {
    const fragments = [Buffer.alloc(0), pixels.subarray(0, options.pixels >> 1), pixels.subarray(options.pixels >> 1)]
    const head = Buffer.from('e07f10004f420000ffffffff', 'hex')
    const items = fragments.flatMap((bytes) => {
      const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)])
      return [itemHeader(0xfffee000, even.length, encoding), even]
    })
    return Buffer.concat([encodeDataSet(elements, encoding), head, ...items, itemHeader(0xfffee0dd, 0, encoding)])
  }
  const whole = encodeDataSet([...elements, { tag: 0x7fe00010, vr: 'OW', value: pixels }], encoding)
  return options.syntax === syntax.deflated ? deflateRawSync(whole) : whole
}

/** Breaks one element, at any depth. Some of what comes out is still a data set that can be kept. */
export function breakElements(random: Random, elements: Element[]): void {
  const at = random.between(0, elements.length - 1)
  const element = elements[at] as Element
  const inner = element.items?.find((item) => item.length > 0)
  if (inner && random.chance(0.5)) return breakElements(random, inner)
  switch (random.between(0, 8)) {
    case 0:
      element.announced = random.evilLength(element.value?.length ?? 8, 32)
      return
    case 1:
      element.vr = random.pick(['SQ', 'OB', 'UN', 'UI', 'XX', 'ZZ', '\0\0', '??', 'US', 'FD', 'UT'])
      return
    case 2:
      elements.splice(at, 1)
      return
    case 3:
      elements.splice(random.between(0, elements.length), 0, element)
      return
    case 4:
      elements.sort(() => random.between(-1, 1))
      return
    case 5:
      element.value = random.bytes(random.pick([0, 1, 2, 3, 65, 66, 1000]))
      delete element.items
      return
    case 6:
      element.announced = 0xffffffff
      return
    case 7:
      element.tag = random.pick([
        0x00000000, 0x00020010, 0x00080000, 0x7fe00010, 0xfffee000, 0xfffee00d, 0xfffee0dd, 0xffffffff,
      ])
      return
    default:
      elements.splice(at, 0, sequence(random, 0x00081199, random.pick([3, 31, 33, 40])))
  }
}

/** Sequences within sequences of undefined length, thousands of levels, without their ends: what recursion dies of. */
export function nestedDataSet(names: InstanceNames, depth: number, transferSyntax: Syntax): Buffer {
  const encoding = encodingOf(transferSyntax)
  const head = encodeDataSet(
    [text(0x00080016, 'UI', names.sopClass), text(0x00080018, 'UI', names.sopInstance)],
    encoding,
  )
  const level = Buffer.concat([
    encoding.explicit ? Buffer.from('400030a753510000ffffffff', 'hex') : Buffer.from('400030a7ffffffff', 'hex'),
    itemHeader(0xfffee000, 0xffffffff, encoding),
  ])
  return Buffer.concat([head, ...Array.from({ length: depth }, () => level)])
}

/**
 * A deflated data set of some megabytes that inflates to gigabytes of zeros. Made of one compressed block, repeated.
 * @param gibibytes of what it inflates to
 * @param place where the zeros lie: in a value before the UIDs that the index needs, in the pixel data, or behind everything
 */
export function deflateBomb(names: InstanceNames, gibibytes: number, place: 'head' | 'pixels' | 'behind'): Buffer {
  const encoding = encodingOf(syntax.explicit)
  const [first, rest] = [
    [text(0x00080016, 'UI', names.sopClass), text(0x00080018, 'UI', names.sopInstance)],
    [text(0x0020000d, 'UI', names.study), text(0x0020000e, 'UI', names.series)],
  ]
  const length = Math.min(0xfffffffe, gibibytes * 1024 ** 3)
  const long = (tag: number) => encodeDataSet([{ tag, vr: 'OB', announced: length, value: Buffer.alloc(0) }], encoding)
  const before =
    place === 'head'
      ? [encodeDataSet(first, encoding), long(0x00091010)]
      : [encodeDataSet([...first, ...rest], encoding), place === 'pixels' ? long(0x7fe00010) : Buffer.alloc(0)]
  const flush = { finishFlush: constants.Z_FULL_FLUSH, level: 9 }
  const block = deflateRawSync(Buffer.alloc(16 * 1024 * 1024), flush)
  const behind = place === 'head' ? deflateRawSync(encodeDataSet(rest, encoding)) : deflateRawSync(Buffer.alloc(0))
  return Buffer.concat([
    deflateRawSync(Buffer.concat(before), flush),
    ...Array.from({ length: gibibytes * 64 }, () => block),
    behind,
  ])
}
