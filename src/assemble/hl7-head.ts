/** The message header (MSH), as far as answering needs it. */
export interface Hl7Head {
  /** MSH-1. */
  fieldSeparator: string
  /** MSH-2: component, repetition, escape, subcomponent. */
  encodingCharacters: string
  /** MSH-3 to MSH-6, encoded as they came: application and facility of the sender, then of the receiver. */
  parties: readonly [string, string, string, string]
  /** MSH-9: code and trigger event, as in `ORM^O01`, or the code alone. */
  type: string
  /** MSH-10, encoded as it came. */
  controlID: string
  /** MSH-11 and MSH-12. */
  processingID: string
  version: string
}

/** MSH-18 (table 0211) as the platform's decoders know them. What is not listed is read as ISO 8859-1: codes and numbers are ASCII. */
const encodings: Readonly<Record<string, string>> = {
  'UNICODE UTF-8': 'utf-8',
  'UTF-8': 'utf-8',
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9, 15].map((part) => [`8859/${part}`, `iso-8859-${part}`])),
}

/** The message header at the beginning of a message; null where there is none. */
export function readHl7Head(bytes: Buffer): Hl7Head | null {
  const line = firstLine(bytes)
  const match = /^MSH([^A-Za-z0-9\s])([^\s]{1,8}?)\1/.exec(line)
  if (!match) return null
  const [, fieldSeparator = '|', encodingCharacters = ''] = match
  const fields = line.split(fieldSeparator)
  const field = (number: number): string => (fields[number - 1] ?? '').slice(0, 199)
  const [code = '', trigger = ''] = field(9).split(encodingCharacters.slice(0, 1))
  return {
    fieldSeparator,
    encodingCharacters,
    parties: [field(3), field(4), field(5), field(6)],
    type: trigger === '' ? code : `${code}^${trigger}`,
    controlID: field(10),
    processingID: field(11),
    version: field(12),
  }
}

/** The message as text, in the character set that MSH-18 names first; whatever cannot be decoded is replaced. */
export function decodeHl7(bytes: Buffer, { fieldSeparator, encodingCharacters }: Hl7Head): string {
  const named = firstLine(bytes).split(fieldSeparator)[17] ?? ''
  const name = (named.split(encodingCharacters[1] ?? '~')[0] ?? '').trim().toUpperCase()
  return new TextDecoder(encodings[name] ?? 'latin1').decode(bytes)
}

/** Headers are some hundred bytes. */
function firstLine(bytes: Buffer): string {
  return bytes.toString('latin1', 0, 4096).split(/[\r\n]/, 1)[0] ?? ''
}
