import { describe, expect, it } from 'vitest'
import { personNameGroups, personNameKey, searchKey } from '../../src/dicom/search-key.ts'

describe('text as searches compare it', () => {
  it.each([
    ['Müller', 'MÜLLER'],
    ['Weiß', 'WEISS'],
    ['Διονύσιος', 'ΔΙΟΝΎΣΙΟΣ'],
    ['Люксембург', 'ЛЮКСЕМБУРГ'],
    ['İpek', 'ipek'],
    ['ﾔﾏﾀﾞ', 'ヤマダ'],
    ['Ｙａｍａｄａ', 'yamada'],
    ['Jérôme', 'JE\u0301RO\u0302ME'],
    ['홍길동', '홍길동'.normalize('NFD')],
  ])('is the same for %s and %s', (one, other) => {
    expect(searchKey(one)).toBe(searchKey(other))
    expect(searchKey(searchKey(one))).toBe(searchKey(one))
  })

  it('keeps letters apart that only look related', () => {
    expect(searchKey('Muller')).not.toBe(searchKey('Müller'))
    expect(searchKey('は')).not.toBe(searchKey('ば'))
  })

  it('leaves out what means nothing at the end of a name', () => {
    expect(personNameKey(' Doe^Jane^^ ')).toBe('doe^jane')
    expect(personNameKey('^^^^')).toBe('')
    expect(personNameKey('^Jane')).toBe('^jane')
  })

  it('takes names as they stand in DICOM JSON', () => {
    expect(personNameGroups({ Alphabetic: '', Ideographic: '王' })).toEqual({
      alphabetic: null,
      ideographic: '王',
      phonetic: null,
    })
    expect(personNameGroups(undefined)).toEqual({ alphabetic: null, ideographic: null, phonetic: null })
  })
})
