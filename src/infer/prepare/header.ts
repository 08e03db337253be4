import { itemsOf } from '../../dicom/dataset.ts'
import type { DicomJson, DicomJsonElement } from '../../dicom/dicom-json.ts'
import { tagOf } from '../../dicom/dictionary.ts'

/**
 * The data sets that may hold a macro's attributes, the most particular first: the functional groups of the first frame, the shared ones,
 * the instance itself (PS3.3 C.7.6.16).
 * @param macro keyword of the functional group's sequence
 */
export function groupsOf(header: DicomJson, macro: string): DicomJson[] {
  const frame = itemsOf(header, 'PerFrameFunctionalGroupsSequence')[0] ?? {}
  const shared = itemsOf(header, 'SharedFunctionalGroupsSequence')[0] ?? {}
  return [...itemsOf(frame, macro).slice(0, 1), ...itemsOf(shared, macro).slice(0, 1), header]
}

/** The items of a sequence of a functional group, or of the instance; of all its items, not the first alone. */
export function macroItems(header: DicomJson, macro: string): DicomJson[] {
  const frame = itemsOf(header, 'PerFrameFunctionalGroupsSequence')[0] ?? {}
  const shared = itemsOf(header, 'SharedFunctionalGroupsSequence')[0] ?? {}
  return [frame, shared, header].map((holder) => itemsOf(holder, macro)).find((items) => items.length > 0) ?? []
}

/**
 * A private element by its block's creator (PS3.5 7.8.1), as text.
 * @param group four hexadecimal digits
 * @param element two hexadecimal digits, those after the block's
 */
export function privateText(header: DicomJson, group: string, creator: string, element: string): string | null {
  for (let block = 0x10; block <= 0xff; block++) {
    const digits = block.toString(16).padStart(2, '0').toUpperCase()
    const name = header[`${group}00${digits}`]
    if (name && elementText(name)?.trim() === creator) {
      const found = header[`${group}${digits}${element}`]
      const text = found ? elementText(found)?.trim() : null
      if (text) return text
    }
  }
  return null
}

/** Elements whose VR was not known carry bytes. */
function elementText({ Value, InlineBinary }: DicomJsonElement): string | null {
  const [first] = Value ?? []
  if (typeof first === 'string' || typeof first === 'number') return String(first)
  return InlineBinary === undefined
    ? null
    : Buffer.from(InlineBinary, 'base64')
        .toString('latin1')
        .replace(/[\0 ]+$/, '')
}

/**
 * The entries of a lookup table, as numbers or as little-endian bytes (US, SS or OW; FD where an entry has more than 16 bits).
 * @returns null where the element is absent, or too long to stand in the header
 */
export function tableEntries(
  holder: DicomJson,
  keyword: string,
  { count, bits }: { count: number; bits: number },
): Float64Array | null {
  const element = holder[tagOf(keyword) ?? '']
  if (!element) return null
  if (element.InlineBinary !== undefined) {
    const bytes = Buffer.from(element.InlineBinary, 'base64')
    if (bits <= 8 && bytes.length < 2 * count)
      return bytes.length < count ? null : Float64Array.from(bytes.subarray(0, count))
    const width = bits > 16 ? 8 : 2
    if (bytes.length < width * count) return null
    const read = width === 8 ? (at: number) => bytes.readDoubleLE(at) : (at: number) => bytes.readUInt16LE(at)
    return Float64Array.from({ length: count }, (_, i) => read(width * i))
  }
  const values = element.Value ?? []
  return values.length < count ? null : Float64Array.from(values.slice(0, count), Number)
}
