import { describe, expect, it } from 'vitest'
import { characterSetRemark } from '../../src/dicom/charset-remark.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'

const text = (value: string) => ({ '00081030': { vr: 'LO', Value: [value] } })
const named = (...terms: (string | null)[]) => ({ '00080005': { vr: 'CS', Value: terms } })
const name = (groups: Record<string, string>) => ({ '00100010': { vr: 'PN', Value: [groups] } })

describe('the remark on a character set', () => {
  it.each<[string, DicomJson]>([
    ['ASCII without a set', text('Thorax')],
    ['a set that is named', { ...named('ISO_IR 100'), ...text('Schädel') }],
    ['code extensions', { ...named(null, 'ISO 2022 IR 87'), ...name({ Ideographic: '山田' }) }],
    ['writings from the field', { ...named('ISO-IR 100', 'iso_ir 100'), ...text('Schädel') }],
    ['ASCII with an unknown term', { ...named('ISO_IR 999'), ...text('Thorax') }],
    ['what is no text', { '00080060': { vr: 'CS', Value: ['\u00e9'] } }],
  ])('is none for %s', (_, elements) => {
    expect(characterSetRemark(elements)).toBeNull()
  })

  it('says what was guessed, and what cannot be read', () => {
    expect(characterSetRemark(text('Schädel'))).toContain('Specific Character Set is missing')
    expect(characterSetRemark({ ...named('ISO 2022 IR 6'), ...text('Schädel') })).toContain('is missing')
    expect(characterSetRemark({ ...named('', 'ISO_IR 999'), ...text('Schädel') })).toContain('names ISO_IR 999, which')
    expect(characterSetRemark({ ...named('ISO_IR 192'), ...name({ Phonetic: 'M\ufffdller' }) })).toContain(
      '(ISO_IR 192)',
    )
  })

  it('repeats no free text that stands where a term should', () => {
    expect(characterSetRemark({ ...named('Müller^Jürgen 1970'), ...text('Schädel') })).toContain('names ?, which')
  })

  it('looks at items by their own set, or that of what is around them', () => {
    const item = (elements: DicomJson): DicomJson => ({ '00400275': { vr: 'SQ', Value: [elements] } })
    expect(characterSetRemark({ ...named('ISO_IR 100'), ...item(text('Schädel')) })).toBeNull()
    expect(characterSetRemark(item(text('Schädel')))).toContain('is missing')
    expect(characterSetRemark(item({ ...named('ISO_IR 100'), ...text('Schädel') }))).toBeNull()
    expect(characterSetRemark({ ...named('ISO_IR 100'), ...item({ ...named('X'), ...text('Schädel') }) })).toContain(
      'names X',
    )
  })
})
