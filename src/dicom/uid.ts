import { createHash } from 'node:crypto'
import { DicomError } from './error.ts'

/** A DICOM Unique Identifier (PS3.5 section 9). */
export type UID = string & { readonly __uid: unique symbol }

/** Components without leading zeros, as PS3.5 9.1 wants them; at most 64 characters. */
const pattern = /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/

/** True for a valid UID (PS3.5 9.1); a trailing NUL or space must already be stripped. */
export function isUID(text: string): text is UID {
  return text.length <= 64 && pattern.test(text)
}

/**
 * Reads a UID.
 * @throws {DicomError} `invalid-uid`
 */
export function parseUID(text: string): UID {
  if (isUID(text)) return text
  throw new DicomError(
    'invalid-uid',
    `UID ${JSON.stringify(text.slice(0, 80))}: at most 64 digits and dots, without leading zeros, are expected`,
  )
}

/** Hilum's namespace for UUIDs of version 5 (RFC 9562 5.5), made once at random. It must never change. */
const namespace = Buffer.from('4c44553f7014411c9d70d18a2cf9ffda', 'hex')

/**
 * A UID that depends on nothing but its parts: a UUID of version 5 under Hilum's namespace, as `2.25.<decimal>` (PS3.5 B.2).
 * @param parts what identifies the thing, in order; `('ab', 'c')` and `('a', 'bc')` differ
 */
export function deriveUID(...parts: string[]): UID {
  const hash = createHash('sha1').update(namespace).update(parts.join('\0'), 'utf8').digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  return `2.25.${BigInt(`0x${hash.toString('hex', 0, 16)}`)}` as UID
}

/** Names this implementation in file meta information and associations (PS3.7 D.3.3.2); made once at random. */
export const implementationClassUID = '2.25.309583843155264671469763752582434030251' as UID

/** At most 16 characters (PS3.7 D.3.3.2.3). */
export const implementationVersionName = 'HILUM_0_1_0'
