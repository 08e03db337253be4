import { describe, expect, it } from 'vitest'
import { type NegotiationPolicy, negotiate } from '../../src/dimse/association-negotiation.ts'
import {
  type AssociationRequest,
  encodeAssociateAccept,
  encodeAssociateRequest,
  parseAssociateAccept,
  parseAssociateRequest,
} from '../../src/dimse/association-pdu.ts'
import { associateRequest, ctImage, explicitVR, implicitVR, storageContext, verification } from './crafted-peer.ts'

const open: NegotiationPolicy = { admit: () => null, full: false }
const request = (options: Parameters<typeof associateRequest>[0] = {}): AssociationRequest =>
  parseAssociateRequest(associateRequest(options).subarray(6))

describe('association PDUs', () => {
  it('reads a request as it was written, whatever the order of the context IDs', () => {
    const contexts = [storageContext(5), storageContext(1, implicitVR), storageContext(255, '1.2.3.4.5', '1.3.9')]
    const parsed = request({ contexts, callingAETitle: 'CT 1', maxPdu: 0 })
    expect(parsed).toMatchObject({
      callingAETitle: 'CT 1',
      calledAETitle: 'HILUM',
      contexts,
      maxPdu: 0,
      protocolVersion: 1,
    })
    expect(parsed.implementationVersionName).toMatch(/^HILUM/)
  })

  it('announces its own maximum length, whatever the peer said, and the window that was agreed', () => {
    const theirs = { ...request({ maxPdu: 4096 }), asynchronousOperations: { invoked: 8, performed: 8 } }
    const pdu = encodeAssociateAccept(theirs, {
      contexts: [{ id: 1, result: 0, transferSyntax: explicitVR }],
      maxPdu: 262144,
      asynchronousOperations: { invoked: 4, performed: 1 },
    })
    expect(parseAssociateAccept(pdu.subarray(6))).toMatchObject({
      contexts: [{ id: 1, result: 0, transferSyntax: explicitVR }],
      maxPdu: 262144,
    })
    expect(pdu.includes(Buffer.from([0x53, 0, 0, 4, 0, 4, 0, 1]))).toBe(true)
    expect(pdu.subarray(10, 26).toString()).toBe('HILUM           ')
  })

  it.each([
    ['an even context ID', [storageContext(2)], 'odd ones are expected'],
    ['a context ID given twice', [storageContext(1), storageContext(1)], 'twice'],
  ])('refuses %s', (_, contexts, message) => {
    expect(() => request({ contexts })).toThrow(message)
  })

  it('refuses an item that leads beyond the PDU', () => {
    const pdu = associateRequest()
    pdu.writeUInt16BE(0xffff, 6 + 68 + 2)
    expect(() => parseAssociateRequest(pdu.subarray(6))).toThrow('leads beyond its end')
  })
})

describe('negotiation', () => {
  const answerTo = (abstractSyntax: string, transferSyntaxes: string[]) => {
    const contexts = [storageContext(1), { id: 3, abstractSyntax, transferSyntaxes }]
    const outcome = negotiate(request({ contexts }), open)
    return outcome.kind === 'accepted' ? outcome.answers[1] : outcome
  }

  it.each([
    ['verification', verification, [implicitVR], { result: 0, transferSyntax: implicitVR }],
    ['a storage class', ctImage, [explicitVR, implicitVR], { result: 0, transferSyntax: explicitVR }],
    [
      'a private class in a private syntax',
      '1.2.392.200036.9999.1',
      ['1.2.392.7'],
      { result: 0, transferSyntax: '1.2.392.7' },
    ],
    ['a query class', '1.2.840.10008.5.1.4.1.2.2.1', [implicitVR], { result: 3 }],
    ['storage commitment', '1.2.840.10008.1.20.1', [implicitVR], { result: 3 }],
    ['a class that is no UID', 'nonsense', [implicitVR], { result: 3 }],
    ['no transfer syntax', ctImage, [], { result: 4 }],
  ])('answers %s', (_, abstractSyntax, transferSyntaxes, expected) => {
    expect(answerTo(abstractSyntax, transferSyntaxes)).toMatchObject({ id: 3, ...expected })
  })

  it.each([
    [
      'no acceptable context',
      request({ contexts: [storageContext(1, implicitVR, '1.2.840.10008.1.20.1')] }),
      open,
      ['permanent', 1, 1],
    ],
    ['a called AE title that is not ours', request(), refusing('called-ae-title'), ['permanent', 1, 7]],
    ['a calling AE title that is not known', request(), refusing('calling-ae-title'), ['permanent', 1, 3]],
    ['no free association', request(), { ...open, full: true }, ['transient', 3, 2]],
    ['a maximum length below 4096', request({ maxPdu: 6 }), open, ['permanent', 2, 1]],
    ['another application context', { ...request(), applicationContextName: '1.2' }, open, ['permanent', 1, 2]],
    ['another protocol version', { ...request(), protocolVersion: 2 }, open, ['permanent', 2, 2]],
  ] as const)('rejects %s', (_, asked, policy, [result, source, reason]) => {
    expect(negotiate(asked, policy)).toMatchObject({ kind: 'rejected', rejection: { result, source, reason } })
  })

  it('takes a peer without a limit for PDUs', () => {
    expect(negotiate(request({ maxPdu: 0 }), open).kind).toBe('accepted')
  })
})

function refusing(refusal: 'called-ae-title' | 'calling-ae-title'): NegotiationPolicy {
  return { admit: () => ({ refusal, sentence: 'refused by the test' }), full: false }
}

describe('128 contexts', () => {
  it('are read and answered', () => {
    const contexts = Array.from({ length: 128 }, (_, n) => storageContext(2 * n + 1))
    const pdu = encodeAssociateRequest({ calledAETitle: 'A', callingAETitle: 'B', contexts, maxPdu: 16384 })
    const outcome = negotiate(parseAssociateRequest(pdu.subarray(6)), open)
    expect(outcome.kind === 'accepted' && outcome.contexts.size).toBe(128)
  })
})
