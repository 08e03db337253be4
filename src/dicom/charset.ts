import { TextDecoder } from 'node:util'
import { decodeISO2022, type GraphicSet, graphicSet, graphicSetTerms, type TextKind } from './iso-2022.ts'

/** Decodes the text of one data set; made from its Specific Character Set (0008,0005). */
export interface CharacterSet {
  /** The defined terms that it was made from. */
  readonly terms: readonly string[]
  /**
   * Decodes bytes; it never throws: what cannot be decoded becomes U+FFFD.
   * @param kind `name` for PN, `values` for SH, LO and UC, `text` for ST, LT and UT (backslash is no delimiter there)
   */
  decode(bytes: Uint8Array, kind: TextKind): string
}

type Decode = (bytes: Uint8Array, kind: TextKind) => string

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function by(label: string): Decode {
  const decoder = new TextDecoder(label, { ignoreBOM: true })
  return (bytes) => decoder.decode(bytes)
}

/** Sets that are complete in themselves: no code extensions, and a byte 5CH may be part of a character (PS3.3 C.12.1.1.2, table C.12-5). */
const whole: Record<string, () => Decode> = {
  'IR 192': () => by('utf-8'),
  'UTF 8': () => by('utf-8'),
  GB18030: () => by('gb18030'),
  GBK: () => by('gbk'),
}

/** Writings of one term differ in the field: `ISO_IR 100`, `ISO IR 100`, `ISO-IR_100`, `ISO 2022 IR 100` all give `IR 100`. */
function normalise(term: string): string {
  return term
    .trim()
    .toUpperCase()
    .replace(/[-_ ]+/g, ' ')
    .replace(/^ISO (2022 )?(IR ?)?(?=\d)/, 'IR ')
    .replace(/^ISO 2022 (?=GB)/, '')
}

const strictUTF8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

/** Text for which no set is named: Latin-1 that happens to be well-formed UTF-8 is hardly ever a name. */
function undeclared(bytes: Uint8Array): string {
  try {
    return strictUTF8.decode(bytes)
  } catch {
    return latin1(bytes)
  }
}

/** True for a defined term of Specific Character Set (PS3.3 tables C.12-2 to C.12-5), in any writing that is understood. */
export function isDefinedTerm(term: string): boolean {
  const normalised = normalise(term)
  return normalised === '' || normalised === 'IR 6' || normalised in whole || graphicSet(normalised) !== undefined
}

/**
 * Every defined term that is understood, as PS3.3 tables C.12-2 to C.12-5 write it: alone, with code extensions, or null where the
 * standard has none such.
 */
export function definedTerms(): { alone: string | null; extended: string | null }[] {
  const single = graphicSetTerms().map((term) => ({
    alone: graphicSet(term)?.width === 1 ? `ISO_${term}` : null,
    extended: `ISO 2022 ${term}`,
  }))
  const complete = ['ISO_IR 192', 'GB18030', 'GBK'].map((alone) => ({ alone, extended: null }))
  return [{ alone: 'ISO_IR 6', extended: 'ISO 2022 IR 6' }, ...single, ...complete]
}

const cache = new Map<string, CharacterSet>()

/** The default character repertoire, ISO IR 6 (PS3.5 6.1.2.1); bytes beyond it are no part of it, and are guessed at. */
export const defaultCharacterSet: CharacterSet = characterSet([])

/**
 * The character set that the values of Specific Character Set (0008,0005) name (PS3.3 C.12.1.1.2). All defined terms are understood.
 * Bytes beyond ASCII for which none is named, or an unknown one, are taken for UTF-8 where they are that, else for Latin-1.
 * @param terms the attribute's values; an empty one stands for ISO IR 6
 */
export function characterSet(terms: readonly string[]): CharacterSet {
  const key = terms.join('\\')
  const cached = cache.get(key)
  if (cached) return cached
  const made: CharacterSet = { terms: [...terms], decode: decoderOf(terms.map(normalise)) }
  // The terms come from files: the cache must not grow with what somebody writes there.
  if (cache.size < 200 && key.length < 200) cache.set(key, made)
  return made
}

function decoderOf(terms: string[]): Decode {
  const complete = whole[terms[0] ?? '']
  if (complete) return complete()
  const first = graphicSet(terms[0] ?? '')
  const others = terms.slice(1).map(graphicSet)
  const declared = [first, ...others].filter((set): set is GraphicSet => set !== undefined)
  const initial = { g0: first?.romaji ? 'romaji' : 'ascii', g1: initialG1(first, declared) } as const
  return (bytes, kind) => {
    if (isASCII(bytes)) return latin1(bytes)
    // Sets with one byte a character and no escape in sight are decoded at once.
    if (initial.g1?.label && initial.g1.width === 1 && !bytes.includes(0x1b)) return initial.g1.decode(bytes)
    if (!initial.g1 && !bytes.includes(0x1b)) return undeclared(bytes)
    return decodeISO2022(bytes, kind, initial)
  }
}

/**
 * The set in G1 at the start of every value. Where value 1 names none (or a set that lives in G0), but exactly one other set for G1 is
 * declared, that one is taken: writers forget to repeat its escape sequence after a delimiter.
 */
function initialG1(first: GraphicSet | undefined, declared: GraphicSet[]): GraphicSet | undefined {
  if (first?.where === 'g1') return first
  const candidates = declared.filter((set) => set.where === 'g1')
  return candidates.length === 1 ? candidates[0] : undefined
}

function isASCII(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (byte >= 0x80 || byte === 0x1b) return false
  }
  return true
}
