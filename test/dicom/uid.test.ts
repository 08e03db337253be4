import { describe, expect, it } from 'vitest'
import { parseAETitle } from '../../src/dicom/ae-title.ts'
import { deriveUID, implementationClassUID, implementationVersionName, isUID, parseUID } from '../../src/dicom/uid.ts'

describe('UIDs', () => {
  it('accepts what PS3.5 9.1 allows', () => {
    for (const uid of ['1.2.840.10008.1.1', '2.25.0', '1.0.3', `1.${'2'.repeat(62)}`]) expect(isUID(uid)).toBe(true)
  })

  it('rejects leading zeros, empty components, other characters, padding and more than 64 characters', () => {
    for (const uid of ['', '1', '1.', '.1', '1..2', '1.02', '1.2a', '1.2 ', '1.2\0', `1.${'2'.repeat(63)}`])
      expect(isUID(uid)).toBe(false)
    expect(() => parseUID('1.02')).toThrow(expect.objectContaining({ code: 'invalid-uid' }))
  })

  it('derives the same UID from the same parts for ever, as any UUIDv5 would', () => {
    expect(deriveUID('revision', 'pipeline', 'role')).toBe('2.25.320249822576450007628616747419501602570')
    expect(isUID(deriveUID('a'))).toBe(true)
  })

  it('derives a UUID of version 5', () => {
    const hex = BigInt(deriveUID('anything').slice('2.25.'.length)).toString(16).padStart(32, '0')
    expect(hex[12]).toBe('5')
    expect('89ab').toContain(hex[16])
  })

  it('keeps parts apart', () => {
    expect(deriveUID('ab', 'c')).not.toBe(deriveUID('a', 'bc'))
  })

  it('has an implementation that fits its elements', () => {
    expect(isUID(implementationClassUID)).toBe(true)
    expect(implementationVersionName.length).toBeLessThanOrEqual(16)
  })
})

describe('AE titles', () => {
  it('ignores padding', () => {
    expect(parseAETitle(' STORE SCP \0')).toBe('STORE SCP')
  })

  it('rejects what is empty, too long, or not printable ASCII', () => {
    for (const text of ['', '   ', 'A'.repeat(17), 'A\\B', 'Ä', 'A\nB'])
      expect(() => parseAETitle(text)).toThrow(expect.objectContaining({ code: 'invalid-ae-title' }))
  })
})
