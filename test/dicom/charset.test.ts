import { describe, expect, it } from 'vitest'
import { characterSet } from '../../src/dicom/charset.ts'
import type { DicomJson } from '../../src/dicom/dicom-json.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { sharedData } from '../support/data.ts'
import { available } from '../support/programs.ts'

function decode(terms: string[], bytes: string, kind: 'name' | 'values' | 'text' = 'values'): string {
  return characterSet(terms).decode(Buffer.from(bytes, 'latin1'), kind)
}

describe('Specific Character Set', () => {
  it.each([
    ['ISO_IR 100', '\xc4neas^R\xfcdiger', 'Äneas^Rüdiger'],
    ['ISO_IR 101', '\xa3\xf3d\xbc', 'Łódź'],
    ['ISO_IR 109', '\xa1\xd8', 'ĦĜ'],
    ['ISO_IR 110', '\xa1\xa5', 'ĄĨ'],
    ['ISO_IR 144', '\xbb\xee\xdace\xdc\xd1yp\xd3', 'Люкceмбypг'],
    ['ISO_IR 127', '\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1', 'قباني^لنزار'],
    ['ISO_IR 126', '\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2', 'Διονυσιος'],
    ['ISO_IR 138', '\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4', 'שרון^דבורה'],
    ['ISO_IR 148', '\xc7\xd0\xdd', 'ÇĞİ'],
    ['ISO_IR 166', '\xa1\xd2', 'กา'],
    ['ISO_IR 203', '\xa4\xbd', '€œ'],
    ['ISO_IR 13', '\xd4\xcf\xc0\xde^\xc0\xdb\xb3', 'ﾔﾏﾀﾞ^ﾀﾛｳ'],
    ['ISO_IR 192', '\xe7\x8e\x8b^\xe5\xb0\x8f', '王^小'],
    ['GB18030', '\xcd\xf5^\xd0\xa1\xb6\xab', '王^小东'],
    ['GBK', '\xcd\xf5^\xd0\xa1\xb6\xab', '王^小东'],
  ])('decodes %s', (term, bytes, expected) => {
    expect(decode([term], bytes, 'name')).toBe(expected)
  })

  it.each([
    [
      'IR 87 in an ASCII name',
      ['', 'ISO 2022 IR 87'],
      'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B',
      'Yamada^Tarou=山田^太郎',
    ],
    [
      'IR 13 with IR 87',
      ['ISO 2022 IR 13', 'ISO 2022 IR 87'],
      '\xd4\xcf\xc0\xde=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J',
      'ﾔﾏﾀﾞ=山田^太郎',
    ],
    ['IR 149', ['', 'ISO 2022 IR 149'], 'Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7', 'Hong=洪^吉洞'],
    ['IR 58', ['', 'ISO 2022 IR 58'], 'Zhang=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab', 'Zhang=张^小东'],
    ['IR 159', ['', 'ISO 2022 IR 159'], '\x1b$(D0!\x1b(B', '丂'],
    ['IR 100 with IR 144', ['ISO 2022 IR 100', 'ISO 2022 IR 144'], 'R\xfcdiger=\x1b-L\xbb\xee\xda', 'Rüdiger=Люк'],
    ['IR 100 designated explicitly', ['', 'ISO 2022 IR 100'], '\x1b-A\xe9', 'é'],
  ])('decodes code extensions: %s', (_, terms, bytes, expected) => {
    expect(decode(terms, bytes, 'name')).toBe(expected)
  })

  it('falls back to the initial sets at delimiters', () => {
    const terms = ['ISO 2022 IR 100', 'ISO 2022 IR 144']
    expect(decode(terms, '\x1b-L\xbb^\xe9', 'name')).toBe('Л^é')
    expect(decode(terms, '\x1b-L\xbb\\\xe9', 'values')).toBe('Л\\é')
    expect(decode(terms, '\x1b-L\xbb\r\n\xe9', 'text')).toBe('Л\r\né')
  })

  it('does not take codes of delimiters for delimiters where they are none', () => {
    const terms = ['ISO 2022 IR 100', 'ISO 2022 IR 144']
    expect(decode(terms, '\x1b-L\xbb\\\xbb', 'text')).toBe('Л\\Л')
    expect(decode(terms, '\x1b-L\xbb^\xbb', 'values')).toBe('Л^Л')
    // 5CH is the second byte of a character of GBK, and part of one of JIS X 0208
    expect(decode(['GBK'], '\x81\x5c')).toBe('乗')
    expect(decode(['', 'ISO 2022 IR 87'], '\x1b$B\x25\x5c\x1b(B', 'name')).toBe('ボ')
  })

  it('decodes Korean whose escape sequence is not repeated after a delimiter', () => {
    expect(decode(['', 'ISO 2022 IR 149'], '\x1b$)C\xfb\xf3^\xd1\xce\xd4\xd7', 'name')).toBe('洪^吉洞')
  })

  it('understands the writings of terms that occur in the field', () => {
    for (const term of ['ISO IR 100', 'ISO-IR 100', 'ISO_IR_100', 'iso_ir 100', 'ISO 2022 IR 100', ' ISO_IR 100'])
      expect(decode([term], '\xe9')).toBe('é')
    expect(decode(['UTF-8'], '\xc3\xa9')).toBe('é')
  })

  it('never throws: for unknown terms UTF-8 or Latin-1 is taken, and what cannot be decoded becomes U+FFFD', () => {
    expect(decode(['ISO_IR 999'], '\xe9')).toBe('é')
    expect(decode([], '\xe9')).toBe('é')
    // Where no set is named, UTF-8 is known by its form
    expect(decode([], 'M\xc3\xbcller')).toBe('Müller')
    expect(decode(['ISO_IR 999'], 'M\xc3\xbcller')).toBe('Müller')
    expect(decode(['ISO_IR 100'], 'M\xc3\xbcller')).toBe('MÃ¼ller')
    expect(decode(['ISO_IR 192'], 'a\xff')).toBe('a\ufffd')
    expect(decode(['', 'ISO 2022 IR 87'], '\x1b$B;')).toBe('\ufffd')
    expect(decode(['', 'ISO 2022 IR 87'], 'a\x1bzb')).toBe('a\ufffdzb')
    expect(decode(['', 'ISO 2022 IR 87'], '\xe9\x1b(B')).toBe('\ufffd')
    expect(decode(['ISO_IR 100'], '\x1b')).toBe('\ufffd')
  })
})

const folder = sharedData('syntaxes', 'pydicom', 'charset_files')

/** Patient names as pydicom 2.3 decodes them: alphabetic, ideographic, phonetic. */
const names: Record<string, string[]> = {
  'chrArab.dcm': ['قباني^لنزار'],
  'chrFren.dcm': ['Buc^Jérôme'],
  'chrGerm.dcm': ['Äneas^Rüdiger'],
  'chrGreek.dcm': ['Διονυσιος'],
  'chrH31.dcm': ['Yamada^Tarou', '山田^太郎', 'やまだ^たろう'],
  'chrH32.dcm': ['ﾔﾏﾀﾞ^ﾀﾛｳ', '山田^太郎', 'やまだ^たろう'],
  'chrHbrw.dcm': ['שרון^דבורה'],
  'chrI2.dcm': ['Hong^Gildong', '洪^吉洞', '홍^길동'],
  'chrJapMulti.dcm': ['やまだ^たろう'],
  'chrJapMultiExplicitIR6.dcm': ['やまだ^たろう'],
  'chrKoreanMulti.dcm': ['김희중'],
  'chrRuss.dcm': ['Люкceмбypг'],
  'chrX1.dcm': ['Wang^XiaoDong', '王^小東'],
  'chrX2.dcm': ['Wang^XiaoDong', '王^小东'],
}

describe.skipIf(!available(folder))("pydicom's files", () => {
  it.each(Object.entries(names))('gives the name of %s', async (file, expected) => {
    const { elements } = await readInstanceFile(`${folder}/${file}`)
    const [alphabetic, ideographic, phonetic] = expected
    expect(elements['00100010']?.Value).toEqual([
      {
        Alphabetic: alphabetic,
        ...(ideographic && { Ideographic: ideographic }),
        ...(phonetic && { Phonetic: phonetic }),
      },
    ])
  })

  it('splits several names, and decodes text', async () => {
    const french = await readInstanceFile(`${folder}/chrFrenMulti.dcm`)
    expect(french.elements['00101001']?.Value).toEqual([{ Alphabetic: 'Buc^Jérôme' }, { Alphabetic: 'Buc^Jérôme' }])
    const japanese = await readInstanceFile(`${folder}/chrJapMulti.dcm`)
    expect(japanese.elements['001021B0']?.Value).toEqual(['たろう'])
  })

  it.each(['chrSQEncoding.dcm', 'chrSQEncoding1.dcm'])(
    'lets items of %s have or inherit a character set',
    async (file) => {
      const { elements } = await readInstanceFile(`${folder}/${file}`)
      const item = elements['00321064']?.Value?.[0] as DicomJson
      expect(item['00100010']?.Value).toEqual([
        { Alphabetic: 'ﾔﾏﾀﾞ^ﾀﾛｳ', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' },
      ])
    },
  )
})
