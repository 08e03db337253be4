import { createHmac, randomBytes } from 'node:crypto'
import type { UID } from '../uid.ts'

/** Days of at least and at most that dates are moved into the past. */
const leastShift = 365
const mostShift = 3650

/**
 * Replacements of identifiers, by a keyed hash: the same for the same identifier as long as the key is the same, and without the key nobody can tell
 * which belongs to which. What was replaced is remembered here, in memory only, for the way back.
 */
export class Pseudonyms {
  readonly #key: Buffer
  readonly #originals = new Map<string, string>()

  /** @param key a secret; random when absent, so that no two jobs' replacements can be brought together */
  constructor(key: Uint8Array = randomBytes(32)) {
    this.#key = Buffer.from(key)
  }

  /** A UID in place of another (PS3.5 B.2). Those that the standard itself defines stay. */
  uid(original: string): string {
    if (original === '' || original.startsWith('1.2.840.10008.')) return original
    const hash = this.#hash('uid', original).subarray(0, 16)
    // A UUID of version 8, RFC 9562: bits of the maker's own choice.
    hash[6] = ((hash[6] as number) & 0x0f) | 0x80
    hash[8] = ((hash[8] as number) & 0x3f) | 0x80
    const replacement = `2.25.${BigInt(`0x${hash.toString('hex')}`)}` as UID
    this.#originals.set(replacement, original)
    return replacement
  }

  /** Sixteen characters for a patient. */
  patient(patientID: string): string {
    return this.#hash('patient', patientID).toString('hex', 0, 8).toUpperCase()
  }

  /** Days by which a patient's dates are moved into the past. */
  shift(patientID: string): number {
    return leastShift + (this.#hash('shift', patientID).readUInt32BE(0) % (mostShift - leastShift))
  }

  /** Remembers a replacement that is not a UID. */
  remember(replacement: string, original: string): void {
    this.#originals.set(replacement, original)
  }

  /** What a replacement stands for; undefined for what is none. */
  originalOf(replacement: string): string | undefined {
    return this.#originals.get(replacement)
  }

  #hash(kind: string, text: string): Buffer {
    return createHmac('sha256', this.#key).update(`${kind}\0${text}`, 'utf8').digest()
  }
}
