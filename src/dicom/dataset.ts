import type { DicomJson } from './dicom-json.ts'
import { tagOf } from './dictionary.ts'

/** The values of an element; an unknown keyword is a mistake of the caller and gives none. */
function valuesOf(d: DicomJson, keyword: string): readonly unknown[] {
  const tag = tagOf(keyword)
  return (tag === undefined ? undefined : d[tag]?.Value) ?? []
}

function asText(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  if (typeof value === 'object' && value !== null && 'Alphabetic' in value && typeof value.Alphabetic === 'string')
    return value.Alphabetic
  return null
}

/** The first value of an element as text, or null where it is absent or empty. A person name gives its alphabetic group. */
export function textOf(d: DicomJson, keyword: string): string | null {
  const text = asText(valuesOf(d, keyword)[0])
  return text === '' ? null : text
}

/** All values of an element as texts; empty values are empty strings, so that positions stay. */
export function textsOf(d: DicomJson, keyword: string): string[] {
  return valuesOf(d, keyword).map((value) => asText(value) ?? '')
}

function asNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'string' || value.trim() === '') return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

/** The first value of an element as a number, or null where it is absent, empty or not a number. */
export function numberOf(d: DicomJson, keyword: string): number | null {
  return asNumber(valuesOf(d, keyword)[0])
}

/** All values of an element as numbers; empty when one of them is not a number, so that no position is ever shifted. */
export function numbersOf(d: DicomJson, keyword: string): number[] {
  const numbers: number[] = []
  for (const value of valuesOf(d, keyword)) {
    const number = asNumber(value)
    if (number === null) return []
    numbers.push(number)
  }
  return numbers
}

/** The items of a sequence; empty when the sequence is absent or empty. */
export function itemsOf(d: DicomJson, keyword: string): DicomJson[] {
  return valuesOf(d, keyword).filter((item): item is DicomJson => typeof item === 'object' && item !== null)
}
