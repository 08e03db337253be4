import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCommandSet, parseCommandSet } from '../../src/dimse/command-set.ts'
import { encodeResponse } from '../../src/dimse/response.ts'
import { echoCommand, storeCommand } from './crafted-peer.ts'

describe('command sets', () => {
  it('reads a C-STORE request as it was written', () => {
    expect(parseCommandSet(storeCommand('1.2.3.45', { messageID: 513 }))).toMatchObject({
      commandField: 1,
      messageID: 513,
      sopClassUID: '1.2.840.10008.5.1.4.1.1.2',
      sopInstanceUID: '1.2.3.45',
      hasDataSet: true,
    })
  })

  it('writes group length, even lengths, and NUL behind UIDs but space behind text', () => {
    const bytes = encodeCommandSet([
      [0x0002, '1.2'],
      [0x0902, 'odd'],
    ])
    expect(bytes.toString('hex')).toBe(
      ['00000000040000001800000000000200040000', '00312e3200', '0000020904000000', '6f646420'].join(''),
    )
  })

  it('answers with the same class, instance and message ID, and a comment of at most 64 characters', () => {
    const request = parseCommandSet(storeCommand('1.2.3.4', { messageID: 9 }))
    const response = parseCommandSet(encodeResponse(request, 0xa700, 'x'.repeat(100)))
    expect(response).toMatchObject({
      commandField: 0x8001,
      messageIDBeingRespondedTo: 9,
      sopInstanceUID: '1.2.3.4',
      status: 0xa700,
      hasDataSet: false,
      errorComment: 'x'.repeat(64),
    })
  })

  it('does not repeat a UID that no PDU may have room for', () => {
    const request = parseCommandSet(storeCommand('9'.repeat(60_000)))
    expect(encodeResponse(request, 0).length).toBeLessThan(4096)
  })

  it.each([
    ['cut inside a value', echoCommand(1).subarray(0, 30), 'leads beyond its end'],
    ['cut inside a head', echoCommand(1).subarray(0, 17), "ends inside an element's head"],
    ['of another group', Buffer.from('0800160002000000312e', 'hex'), 'element of group 0008'],
    ['without a command field', encodeCommandSet([[0x0110, 1]]), 'no Command Field'],
  ])('refuses a command set %s', (_, bytes, message) => {
    expect(() => parseCommandSet(bytes)).toThrow(message)
  })

  it('never throws anything but violations on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          parseCommandSet(Buffer.from(bytes))
        } catch (error) {
          expect(error).toMatchObject({ code: 'protocol-violation' })
        }
      }),
    )
  })
})
