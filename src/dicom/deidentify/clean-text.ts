import { textOf } from '../dataset.ts'
import type { DicomJson } from '../dicom-json.ts'
import { keywordOf } from '../dictionary.ts'
import { profileRow } from './profile-table.ts'

/** Attributes whose values identify, but which are too short or too common as words to be looked for. */
const notSoughtFor = /Sex|Age|Date|Time|Code|Sequence|Description|Modality|Laterality|Status/

/**
 * The words of a data set, at any depth, that say who it is about and where it was made: parts of names, numbers and addresses that the profile
 * removes.
 */
export function identifyingWords(dataSet: DicomJson): Set<string> {
  const words = new Set<string>()
  collect(dataSet, words)
  return words
}

function collect(dataSet: DicomJson, words: Set<string>): void {
  for (const [tag, { vr, Value = [] }] of Object.entries(dataSet)) {
    if (vr === 'SQ') {
      for (const item of Value) if (typeof item === 'object' && item !== null) collect(item as DicomJson, words)
      continue
    }
    const sought = vr === 'PN' || (['LO', 'SH'].includes(vr) && profileRow(tag) !== undefined)
    if (!sought || notSoughtFor.test(keywordOf(tag) ?? '')) continue
    for (const value of Value) for (const word of wordsOf(value)) words.add(word)
  }
}

function wordsOf(value: unknown): string[] {
  const texts = typeof value === 'object' && value !== null ? Object.values(value) : [value]
  return texts
    .filter((text) => typeof text === 'string')
    .flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u))
    .filter((word) => word.length >= 3)
}

/**
 * A description without the data set's identifying words, and without what looks like a number of a person or of an order, a date, an address of
 * mail, or a title with a name. What nobody can recognise by its form (a name that stands nowhere else) stays: whoever hands out
 * descriptions has to accept that.
 */
export function cleanText(text: string, words: ReadonlySet<string>): string {
  return text
    .replace(/\S+@\S+/g, ' ')
    .replace(/\b(dr|prof|mr|mrs|ms|herr|frau)\b\.?\s+[\p{L}'-]+/giu, ' ')
    .replace(/\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b/g, ' ')
    .replace(/[\p{L}]*\d{5,}[\p{L}\d]*/gu, ' ')
    .replace(/[\p{L}\p{N}]+/gu, (word) => (words.has(word.toLowerCase()) ? ' ' : word))
    .replace(/\s+/g, ' ')
    .trim()
}

/** Why pixels show who the patient is, by what the header says (PS3.3 C.7.6.1); null where it says nothing. Nothing here looks at them. */
export function pixelRisk(dataSet: DicomJson): string | null {
  if (textOf(dataSet, 'BurnedInAnnotation') === 'YES') return 'Burned In Annotation is YES'
  if (textOf(dataSet, 'RecognizableVisualFeatures') === 'YES') return 'Recognizable Visual Features is YES'
  return null
}
