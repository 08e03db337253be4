import { isDefinedTerm } from './charset.ts'
import type { DicomJson, DicomJsonElement } from './dicom-json.ts'

/** VRs whose values are in the data set's character set (PS3.5 6.1.2.2). */
const textVRs = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT'])

/**
 * What is to be said of the character set of a data set that was read: one sentence where text was guessed at, or could not be read; null
 * where all is as the standard has it. The sentence holds nothing of the text itself.
 */
export function characterSetRemark(elements: DicomJson): string | null {
  const terms = (elements['00080005']?.Value ?? []).map((term) => (typeof term === 'string' ? term : ''))
  const texts = textsIn(elements)
  const unknown = terms.filter((term) => !isDefinedTerm(term))
  if (texts.some((text) => text.includes('\ufffd')))
    return `Some text is not in the character set that Specific Character Set names (${named(terms)}): what cannot be read of it is shown as \ufffd`
  if (texts.some(isBeyondASCII)) {
    const guess = 'text beyond ASCII is taken for UTF-8 where it is that, else for Latin-1'
    if (unknown.length > 0) return `Specific Character Set names ${named(unknown)}, which is no defined term: ${guess}`
    if (terms.every((term) => term === '' || /^ISO.{1,6}IR 6$/.test(term)))
      return `Specific Character Set is missing: ${guess}`
  }
  return remarkOnItems(elements)
}

/** Items may have a character set of their own, and else have that of the data set around them. */
function remarkOnItems(elements: DicomJson): string | null {
  for (const { vr, Value } of Object.values(elements)) {
    if (vr !== 'SQ') continue
    for (const item of (Value ?? []) as DicomJson[]) {
      const remark = item['00080005'] ? characterSetRemark(item) : null
      if (remark !== null) return remark
    }
  }
  return null
}

function textsIn(elements: DicomJson): string[] {
  return Object.values(elements).flatMap((element) => {
    if (element.vr === 'SQ')
      return ((element.Value ?? []) as DicomJson[]).flatMap((item) => (item['00080005'] ? [] : textsIn(item)))
    return textVRs.has(element.vr) ? textsOf(element) : []
  })
}

function textsOf({ Value }: DicomJsonElement): string[] {
  return (Value ?? []).flatMap((value) => {
    if (typeof value === 'string') return [value]
    return typeof value === 'object' && value !== null ? Object.values(value as Record<string, string>) : []
  })
}

function isBeyondASCII(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return true
  return false
}

/** The terms as far as they can be terms at all: whatever else a device wrote there is not repeated. */
function named(terms: readonly string[]): string {
  const shown = terms.map((term) => (/^[A-Z0-9_. -]{1,16}$/.test(term) ? term : '?')).join('\\')
  return shown === '' ? 'none' : shown
}
