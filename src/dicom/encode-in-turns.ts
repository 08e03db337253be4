import { setImmediate as nextTurn } from 'node:timers/promises'
import { encodeDataSet } from './data-set-writer.ts'
import { tagOf, vrOf } from './dictionary.ts'
import { transferSyntax } from './transfer-syntax.ts'

/** Items after which others have their turn. */
const itemsAtOnce = 500

/**
 * Writes a data set as `encodeDataSet` does, and lets others have their turn within long sequences. All of its text is plain ASCII, and
 * its keys are keywords.
 * @throws {DicomError} `invalid-value`; {RangeError} for a transfer syntax that is deflated or big endian
 */
export async function encodeInTurns(natural: Record<string, unknown>, transferSyntaxUID: string): Promise<Buffer> {
  const { deflated, littleEndian } = transferSyntax(transferSyntaxUID)
  if (deflated || !littleEndian) throw new RangeError(`nothing is written in turns in ${transferSyntaxUID}`)
  const parts: Buffer[] = []
  const keywords = Object.keys(natural).sort((a, b) => ((tagOf(a) ?? '') < (tagOf(b) ?? '') ? -1 : 1))
  for (const keyword of keywords) {
    const value = natural[keyword]
    if (Array.isArray(value) && value.length > itemsAtOnce && vrOf(tagOf(keyword) ?? '') === 'SQ')
      parts.push(...(await longSequence(keyword, value, transferSyntaxUID)))
    else parts.push(encodeDataSet({ [keyword]: value }, transferSyntaxUID))
  }
  return Buffer.concat(parts)
}

/** The items are written as short sequences, whose heads then give way to one with the length of all. */
async function longSequence(keyword: string, items: unknown[], transferSyntaxUID: string): Promise<Buffer[]> {
  const { explicitVR } = transferSyntax(transferSyntaxUID)
  const parts: Buffer[] = []
  let head = Buffer.alloc(0)
  let length = 0
  for (let start = 0; start < items.length; start += itemsAtOnce) {
    const bytes = encodeDataSet({ [keyword]: items.slice(start, start + itemsAtOnce) }, transferSyntaxUID)
    head = Buffer.from(bytes.subarray(0, explicitVR ? 12 : 8))
    parts.push(bytes.subarray(head.length))
    length += bytes.length - head.length
    await nextTurn()
  }
  head.writeUInt32LE(length, head.length - 4)
  return [head, ...parts]
}
