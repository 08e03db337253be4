import { describe, expect, it } from 'vitest'
import { isWithin, parseAccept, parseMediaType } from '../../src/dicomweb/media-type.ts'

describe('media types', () => {
  it('parses parameters, quoted and unquoted', () => {
    const found = parseMediaType('Multipart/Related; TYPE="application/dicom"; boundary="a;\\"b" ; x=y')
    expect(found?.type).toBe('multipart/related')
    expect(Object.fromEntries(found?.parameters ?? [])).toEqual({ type: 'application/dicom', boundary: 'a;"b', x: 'y' })
    expect(parseMediaType('nonsense')).toBeNull()
  })

  it('reads what OHIF and dicomweb-client send', () => {
    expect(parseAccept('multipart/related; type=application/octet-stream; transfer-syntax=*')).toEqual([
      { multipart: true, type: 'application/octet-stream', transferSyntax: '*', quality: 1 },
    ])
    expect(parseAccept('multipart/related; type="application/dicom"')).toEqual([
      { multipart: true, type: 'application/dicom', transferSyntax: null, quality: 1 },
    ])
    expect(
      parseAccept(
        'application/dicom+json, multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.80',
      ),
    ).toHaveLength(2)
  })

  it('sorts by quality and leaves out what is refused', () => {
    const types = parseAccept('a/b;q=0.1, c/d;q=0, e/f, */*;q=0.5').map((accepted) => accepted.type)
    expect(types).toEqual(['e/f', '*/*', 'a/b'])
  })

  it('takes a missing header for everything', () => {
    expect(parseAccept(undefined)).toEqual([{ multipart: null, type: '*/*', transferSyntax: null, quality: 1 }])
  })

  it('knows ranges', () => {
    expect(isWithin('image/jls', 'image/*')).toBe(true)
    expect(isWithin('image/jls', '*/*')).toBe(true)
    expect(isWithin('image/jls', 'image/jp2')).toBe(false)
    expect(isWithin('imagex/jls', 'image/*')).toBe(false)
  })
})
