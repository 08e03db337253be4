import { TextDecoder } from 'node:util'

/** What a delimiter is, and therefore where code extensions are reset, depends on the kind of text (PS3.5 6.1.2.5.3). */
export type TextKind = 'name' | 'values' | 'text'

/** One graphic character set that code extensions can designate (PS3.3 tables C.12-3 and C.12-4). */
export interface GraphicSet {
  /** The code element that it is designated to: G0 for bytes below 80H, G1 for bytes above. */
  where: 'g0' | 'g1'
  /** Bytes a character. */
  width: 1 | 2
  label: string
  /** JIS X 0201: its G0 half is the Japanese variant of ASCII. */
  romaji?: true
  /** Decodes bytes as they stand in the value. */
  decode(bytes: Uint8Array): string
}

const decoders = new Map<string, TextDecoder>()

/** Decoders of the WHATWG Encoding Standard; Node carries full ICU data. */
function decodeBy(label: string, bytes: Uint8Array): string {
  let decoder = decoders.get(label)
  if (!decoder) {
    decoder = new TextDecoder(label, { ignoreBOM: true })
    decoders.set(label, decoder)
  }
  return decoder.decode(bytes)
}

function single(label: string): GraphicSet {
  // The Encoding Standard's iso-8859-1 is windows-1252, whose bytes 80H to 9FH are other characters.
  const decode =
    label === 'latin1'
      ? (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
      : (bytes: Uint8Array) => decodeBy(label, bytes)
  return { where: 'g1', width: 1, label, decode }
}

/** Sets of two bytes in G0 (94 x 94, bytes 21H to 7EH) decode as EUC, which has them with the high bit set. */
function doubleInG0(prefix: number | undefined): GraphicSet {
  return {
    where: 'g0',
    width: 2,
    label: 'euc-jp',
    decode(bytes) {
      const euc: number[] = []
      for (let i = 0; i < bytes.length; i += 2) {
        if (prefix !== undefined) euc.push(prefix)
        euc.push((bytes[i] as number) | 0x80)
        if (i + 1 < bytes.length) euc.push((bytes[i + 1] as number) | 0x80)
      }
      return decodeBy('euc-jp', Uint8Array.from(euc))
    },
  }
}

function doubleInG1(label: string): GraphicSet {
  return { where: 'g1', width: 2, label, decode: (bytes) => decodeBy(label, bytes) }
}

const jisX0201: GraphicSet = { ...single('shift_jis'), romaji: true }
const jisX0208 = doubleInG0(undefined)

const sets: Record<string, GraphicSet> = {
  'IR 100': single('latin1'),
  'IR 101': single('iso-8859-2'),
  'IR 109': single('iso-8859-3'),
  'IR 110': single('iso-8859-4'),
  'IR 144': single('iso-8859-5'),
  'IR 127': single('iso-8859-6'),
  'IR 126': single('iso-8859-7'),
  'IR 138': single('iso-8859-8'),
  'IR 148': single('iso-8859-9'),
  'IR 203': single('iso-8859-15'),
  'IR 166': single('windows-874'),
  'IR 13': jisX0201,
  'IR 87': jisX0208,
  'IR 159': doubleInG0(0x8f), // single shift 3 of EUC-JP selects JIS X 0212
  'IR 149': doubleInG1('euc-kr'),
  'IR 58': doubleInG1('gbk'),
}

/** Normalised defined terms of all sets, such as `IR 100`. */
export const graphicSetTerms = (): string[] => Object.keys(sets)

/** The set of a normalised defined term such as `IR 100`; undefined for ISO IR 6 and for terms that are unknown. */
export function graphicSet(term: string): GraphicSet | undefined {
  return sets[term]
}

interface Designation {
  element: 'g0' | 'g1'
  set: GraphicSet | 'ascii' | 'romaji'
}

/** Escape sequences, without ESC itself (PS3.3 tables C.12-3 and C.12-4). */
const designations: [bytes: string, designation: Designation][] = [
  ['(B', { element: 'g0', set: 'ascii' }],
  ['(J', { element: 'g0', set: 'romaji' }],
  [')I', { element: 'g1', set: jisX0201 }],
  ['-A', { element: 'g1', set: sets['IR 100'] as GraphicSet }],
  ['-B', { element: 'g1', set: sets['IR 101'] as GraphicSet }],
  ['-C', { element: 'g1', set: sets['IR 109'] as GraphicSet }],
  ['-D', { element: 'g1', set: sets['IR 110'] as GraphicSet }],
  ['-L', { element: 'g1', set: sets['IR 144'] as GraphicSet }],
  ['-G', { element: 'g1', set: sets['IR 127'] as GraphicSet }],
  ['-F', { element: 'g1', set: sets['IR 126'] as GraphicSet }],
  ['-H', { element: 'g1', set: sets['IR 138'] as GraphicSet }],
  ['-M', { element: 'g1', set: sets['IR 148'] as GraphicSet }],
  ['-b', { element: 'g1', set: sets['IR 203'] as GraphicSet }],
  ['-T', { element: 'g1', set: sets['IR 166'] as GraphicSet }],
  ['$B', { element: 'g0', set: jisX0208 }],
  ['$@', { element: 'g0', set: jisX0208 }], // the edition of 1978, which old consoles still name
  ['$(D', { element: 'g0', set: sets['IR 159'] as GraphicSet }],
  ['$)C', { element: 'g1', set: sets['IR 149'] as GraphicSet }],
  ['$)A', { element: 'g1', set: sets['IR 58'] as GraphicSet }],
]

function designationAt(bytes: Uint8Array, at: number): { length: number; designation: Designation } | undefined {
  for (const [text, designation] of designations) {
    let matches = true
    for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) matches = false
    if (matches) return { length: text.length, designation }
  }
  return undefined
}

/** Where the initial sets are active again (PS3.5 6.1.2.5.3): line ends, tabs, and the delimiters of the kind of text. */
function isReset(byte: number, kind: TextKind): boolean {
  if (byte === 0x0d || byte === 0x0a || byte === 0x0c || byte === 0x09) return true
  if (kind === 'text') return false
  if (byte === 0x5c) return true
  return kind === 'name' && (byte === 0x5e || byte === 0x3d)
}

/**
 * Decodes text with code extensions (PS3.5 6.1.2.5, ISO/IEC 2022): escape sequences designate sets to G0 and G1.
 * @param initial the sets at the start of each value; without a G1, bytes above 7FH become U+FFFD until one is designated
 */
export function decodeISO2022(
  bytes: Uint8Array,
  kind: TextKind,
  initial: { g0: 'ascii' | 'romaji'; g1: GraphicSet | undefined },
): string {
  let g0: GraphicSet | 'ascii' | 'romaji' = initial.g0
  let g1 = initial.g1
  let text = ''
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at] as number
    if (byte === 0x1b) {
      const found = designationAt(bytes, at + 1)
      if (!found) {
        text += '\ufffd'
        at += 1
        continue
      }
      const { element, set } = found.designation
      if (element === 'g0') g0 = set
      else if (typeof set === 'object') g1 = set
      at += 1 + found.length
      continue
    }
    const inG0 = byte < 0x80
    // Within a set of two bytes in G0 the delimiters' codes are parts of characters.
    const double = inG0 && typeof g0 === 'object' && byte > 0x20 && byte < 0x7f
    const delimiter = inG0 && !double && isReset(byte, kind)
    let end = at + 1
    if (double) while (end < bytes.length && isPart(bytes[end] as number)) end++
    else if (!inG0) while (end < bytes.length && (bytes[end] as number) >= 0x80) end++
    else if (!delimiter && typeof g0 === 'string')
      while (end < bytes.length && isPlain(bytes[end] as number, kind)) end++
    const run = bytes.subarray(at, end)
    if (double) text += (g0 as GraphicSet).decode(run)
    else if (inG0) text += Buffer.from(run).toString('latin1')
    else text += g1 ? g1.decode(run) : '\ufffd'.repeat(run.length)
    if (delimiter) {
      g0 = initial.g0
      g1 = initial.g1
    }
    at = end
  }
  return text
}

/** A byte of a character of two bytes in G0. */
function isPart(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f
}

/** A byte of one of the sets with one byte a character in G0, which neither escapes nor delimits. */
function isPlain(byte: number, kind: TextKind): boolean {
  return byte < 0x80 && byte !== 0x1b && !isReset(byte, kind)
}
