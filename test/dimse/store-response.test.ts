import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCommandSet, parseCommandSet } from '../../src/dimse/command-set.ts'
import { encodeServiceResponse } from '../../src/dimse/response.ts'
import { encodeStoreResponse } from '../../src/dimse/store-response.ts'

const request = (sopClassUID: string, sopInstanceUID: string, messageID: number) =>
  parseCommandSet(
    encodeCommandSet([
      [0x0002, sopClassUID],
      [0x0100, 0x0001],
      [0x0110, messageID],
      [0x0800, 1],
      [0x1000, sopInstanceUID],
    ]),
  )

describe('the response to a C-STORE request', () => {
  it('is, byte for byte, the one that is put together element by element', () => {
    const uid = fc.stringMatching(/^\d[\d.]{0,63}$/)
    const number = fc.nat(0xffff)
    fc.assert(
      fc.property(
        fc.constantFrom('1.2.840.10008.5.1.4.1.1.2', '1.2.3', '1.2.34'),
        uid,
        number,
        number,
        (sopClass, instance, id, status) => {
          const asked = request(sopClass, instance, id)
          expect(encodeStoreResponse(asked, status)?.equals(encodeServiceResponse(asked, { status }))).toBe(true)
        },
      ),
    )
  })

  it('is left to that way where anything is out of the ordinary', () => {
    const asked = request('1.2.3', '1.2.4', 1)
    for (const unusual of [
      { ...asked, commandField: 0x0030 },
      { ...asked, sopInstanceUID: null },
      { ...asked, sopInstanceUID: '1'.repeat(65) },
      { ...asked, eventTypeID: 1 },
    ])
      expect(encodeStoreResponse(unusual, 0)).toBeNull()
  })
})

describe('a response', () => {
  it('gives the Error ID behind the Error Comment', () => {
    const bytes = encodeServiceResponse(request('1.2.3', '1.2.4', 1), {
      status: 0x0110,
      comment: 'no',
      errorID: 0xa710,
    })
    expect(bytes.toString('latin1')).toContain('\0\0\x02\x09\x02\0\0\0no\0\0\x03\x09\x02\0\0\0\x10\xa7')
  })
})
