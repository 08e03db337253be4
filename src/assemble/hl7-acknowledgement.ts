import { randomUUID } from 'node:crypto'
import type { Hl7Head } from './hl7-head.ts'

/** MSA-1 (table 0008): accepted, error in what the message says, rejected. */
export type AcknowledgementCode = 'AA' | 'AE' | 'AR'

/**
 * The answer to a message (HL7 v2, chapter 2: ACK), in the delimiters and the version of the message.
 * @param head of the message; null where it could not be read
 * @param text for MSA-3; without anything of the message
 */
export function acknowledge(head: Hl7Head | null, code: AcknowledgementCode, text: string, at: Date): Buffer {
  const separator = head?.fieldSeparator ?? '|'
  const encoding = head?.encodingCharacters ?? '^~\\&'
  const [application, facility, ourApplication, ourFacility] = head?.parties ?? ['', '', '', '']
  const trigger = head?.type.split('^')[1]
  const component = encoding.slice(0, 1)
  const fields = (values: readonly string[]): string => values.join(separator)
  const segments = [
    fields([
      'MSH',
      encoding,
      ourApplication,
      ourFacility,
      application,
      facility,
      at.toISOString().replace(/[-:T]/g, '').slice(0, 14),
      '',
      trigger === undefined ? 'ACK' : `ACK${component}${trigger}`,
      randomUUID().slice(0, 20),
      head?.processingID || 'P',
      head?.version || '2.3',
    ]),
    fields(['MSA', code, head?.controlID ?? '', escaped(text, separator, encoding)]),
  ]
  return Buffer.from(`${segments.join('\r')}\r`, 'latin1')
}

/** Our texts hold no delimiter of the usual ones but may hold one of the sender's: such a character becomes a space. */
function escaped(text: string, separator: string, encoding: string): string {
  let plain = text
  for (const delimiter of new Set(`${separator}${encoding}`)) plain = plain.replaceAll(delimiter, ' ')
  return plain
}
