import { characterSet } from '../dicom/charset.ts'

/** Defined terms of character sets with one byte a character (PS3.3 table C.12-2), by the number of their ISO registration. */
export const singleByteTerms = ['100', '101', '109', '110', '144', '127', '126', '138', '148', '203', '13', '166']

/** Writes text in a character set of one byte a character. */
export interface SingleByteText {
  /** For Specific Character Set (0008,0005). */
  term: string
  /** null where the set lacks a character. */
  encode(text: string): Buffer | null
}

const known = new Map<string, SingleByteText>()

/**
 * The single-byte set that the values of Specific Character Set name first.
 * @param terms the attribute's values; none, or an empty one, is the default repertoire
 * @returns null where they name none, a set of several bytes, or one that is unknown
 */
export function singleByteText(terms: readonly string[]): SingleByteText | null {
  // `ISO 2022 IR 100` allows code extensions, but its first value is in force without any escape sequence.
  const number = /IR[ _]?(\d+)$/.exec(terms[0]?.trim().toUpperCase() ?? '')?.[1]
  if (number === undefined || !singleByteTerms.includes(number)) return null
  const term = `ISO_IR ${number}`
  const text = known.get(term) ?? { term, encode: encoderOf(term) }
  known.set(term, text)
  return text
}

function encoderOf(term: string): SingleByteText['encode'] {
  const set = characterSet([term])
  const bytes = new Map<string, number>()
  for (let byte = 0x00; byte <= 0xff; byte++) {
    const character = byte < 0x80 ? String.fromCharCode(byte) : set.decode(Uint8Array.of(byte), 'text')
    if (character.length === 1 && character !== '\ufffd' && !isControl(character)) bytes.set(character, byte)
  }
  for (const control of ['\n', '\r', '\t', '\f']) bytes.set(control, control.charCodeAt(0))
  return (text) => {
    const encoded = Buffer.alloc(text.length)
    for (let at = 0; at < text.length; at++) {
      const byte = bytes.get(text.charAt(at))
      if (byte === undefined) return null
      encoded[at] = byte
    }
    return encoded
  }
}

function isControl(character: string): boolean {
  const code = character.charCodeAt(0)
  return code < 0x20 || (code >= 0x7f && code < 0xa0)
}
