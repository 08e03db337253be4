/**
 * A text as searches compare it: without regard to the case of letters, in every script, and to forms that only look different (half
 * width, full width, composed or not). Databases cannot do this alike: SQLite knows the case of ASCII letters only.
 */
export function searchKey(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase() // first, since ß and SS, ς and Σ meet there
    .toLowerCase()
    .normalize('NFC')
    .replaceAll('ς', 'σ')
    .replaceAll('i\u0307', 'i') // what İ becomes
}

/** A component group of a person name as searches compare it. Empty components at its end mean nothing (PS3.5 6.2.1.2). */
export function personNameKey(group: string): string {
  return searchKey(group)
    .trim()
    .replace(/[\s^]+$/, '')
}

/** The component groups of a person name (PS3.5 6.2.1.2); null where one is absent or empty. */
export interface PersonNameGroups {
  alphabetic: string | null
  ideographic: string | null
  phonetic: string | null
}

/** The groups of a person name as the DICOM JSON Model has it (PS3.18 F.2.2). */
export function personNameGroups(value: unknown): PersonNameGroups {
  const groups = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const group = (name: string) => {
    const text = groups[name]
    return typeof text === 'string' && text !== '' ? text : null
  }
  return {
    alphabetic: typeof value === 'string' && value !== '' ? value : group('Alphabetic'),
    ideographic: group('Ideographic'),
    phonetic: group('Phonetic'),
  }
}
