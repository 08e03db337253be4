/** PDU types (PS3.8 9.3). */
export const PDU = {
  associateRQ: 1,
  associateAC: 2,
  associateRJ: 3,
  data: 4,
  releaseRQ: 5,
  releaseRP: 6,
  abort: 7,
} as const

/** Reasons of an A-ABORT by the service provider (PS3.8 table 9-26). */
export const abortReason = {
  notSpecified: 0,
  unrecognizedPDU: 1,
  unexpectedPDU: 2,
  unrecognizedPDUParameter: 4,
  unexpectedPDUParameter: 5,
  invalidPDUParameterValue: 6,
} as const

/** Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 table 9-21). */
export interface Rejection {
  result: 'permanent' | 'transient'
  source: 1 | 2 | 3
  reason: number
  /** What happened, for logs and for the list of refused callers. */
  sentence: string
}

/** Bytes before a PDU's variable part: type, reserved, length. */
export const pduHeaderLength = 6
/** Bytes before a PDV's value: length, presentation context ID, message control header (PS3.8 9.3.5.1 and E.2). */
export const pdvHeaderLength = 6

/** A PDU with its header (PS3.8 9.3.1). */
export function encodePDU(type: number, body: Uint8Array): Buffer {
  const pdu = Buffer.allocUnsafe(pduHeaderLength + body.length)
  pdu[0] = type
  pdu[1] = 0
  pdu.writeUInt32BE(body.length, 2)
  pdu.set(body, pduHeaderLength)
  return pdu
}

/**
 * An A-ABORT PDU (PS3.8 9.3.8).
 * @param source 0 service user, 2 service provider
 */
export function encodeAbort(source: 0 | 2, reason: number): Buffer {
  return encodePDU(PDU.abort, Uint8Array.of(0, 0, source, reason))
}

/** An A-ASSOCIATE-RJ PDU (PS3.8 9.3.4). */
export function encodeAssociateReject(rejection: Rejection): Buffer {
  const result = rejection.result === 'permanent' ? 1 : 2
  return encodePDU(PDU.associateRJ, Uint8Array.of(0, result, rejection.source, rejection.reason))
}

/** An A-RELEASE-RQ PDU (PS3.8 9.3.6). */
export const encodeReleaseRequest = (): Buffer => encodePDU(PDU.releaseRQ, new Uint8Array(4))

/** An A-RELEASE-RP PDU (PS3.8 9.3.7). */
export const encodeReleaseResponse = (): Buffer => encodePDU(PDU.releaseRP, new Uint8Array(4))

/** One P-DATA-TF PDU that holds one whole fragment (PS3.8 9.3.5 and E.2). */
export function encodeFragment(fragment: {
  contextID: number
  command: boolean
  last: boolean
  value: Uint8Array
}): Buffer {
  const pdu = Buffer.allocUnsafe(pduHeaderLength + pdvHeaderLength + fragment.value.length)
  writeFragmentHeader(pdu, { ...fragment, length: fragment.value.length })
  pdu.set(fragment.value, pduHeaderLength + pdvHeaderLength)
  return pdu
}

/**
 * Writes the twelve bytes before a fragment that has a P-DATA-TF PDU of its own.
 * @param pdu buffer whose first twelve bytes are written
 */
export function writeFragmentHeader(
  pdu: Buffer,
  fragment: { contextID: number; command: boolean; last: boolean; length: number },
): void {
  pdu[0] = PDU.data
  pdu[1] = 0
  pdu.writeUInt32BE(fragment.length + pdvHeaderLength, 2)
  pdu.writeUInt32BE(fragment.length + 2, 6)
  pdu[10] = fragment.contextID
  pdu[11] = (fragment.command ? 1 : 0) | (fragment.last ? 2 : 0)
}
