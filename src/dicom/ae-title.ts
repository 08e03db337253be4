import { DicomError } from './error.ts'

/** An Application Entity Title: 1 to 16 characters, without leading or trailing spaces (PS3.5 6.2, VR AE). */
export type AETitle = string & { readonly __aeTitle: unique symbol }

/**
 * Reads an AE title; spaces and NULs around it are not significant.
 * @throws {DicomError} `invalid-ae-title` when it is empty, longer than 16, or holds backslash, control or non-ASCII characters
 */
export function parseAETitle(text: string): AETitle {
  const trimmed = text.replace(/^ +|[ \0]+$/g, '')
  if (!/^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(trimmed))
    throw new DicomError(
      'invalid-ae-title',
      `AE title ${JSON.stringify(text.slice(0, 40))}: 1 to 16 printable ASCII characters without backslash are expected`,
    )
  return trimmed as AETitle
}
