import { implementationClassUID, implementationVersionName } from '../dicom/uid.ts'
import { violation } from './error.ts'
import { abortReason, encodePDU, PDU } from './pdu.ts'

/** The DICOM application context (PS3.7 annex A). */
export const applicationContextName = '1.2.840.10008.3.1.1.1'

/** A presentation context as the requestor proposes it (PS3.8 9.3.2.2). */
export interface ProposedContext {
  id: number
  abstractSyntax: string
  transferSyntaxes: string[]
}

/** A presentation context as the acceptor answers it: result 0 accepts, 1 to 4 say why not (PS3.8 table 9-18). */
export interface AnsweredContext {
  id: number
  result: 0 | 1 | 2 | 3 | 4
  transferSyntax: string
}

/** What an A-ASSOCIATE-RQ says (PS3.8 9.3.2), as far as Hilum looks at it. */
export interface AssociationRequest {
  protocolVersion: number
  calledAETitle: string
  callingAETitle: string
  applicationContextName: string
  contexts: ProposedContext[]
  /** Bytes of a P-DATA-TF's variable part that the peer takes; 0 means no limit (PS3.8 D.1). */
  maxPdu: number
  implementationClassUID: string
  implementationVersionName: string
  /** Asynchronous operations window as proposed (PS3.7 D.3.3.3), or null. */
  asynchronousOperations: { invoked: number; performed: number } | null
  /** AE titles and reserved bytes, which the answer repeats (PS3.8 table 9-17). */
  titles: Buffer
}

/** What an A-ASSOCIATE-AC says (PS3.8 9.3.3). */
export interface AssociationAnswer {
  contexts: AnsweredContext[]
  maxPdu: number
}

const item = {
  applicationContext: 0x10,
  proposedContext: 0x20,
  answeredContext: 0x21,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  userInformation: 0x50,
  maximumLength: 0x51,
  implementationClassUID: 0x52,
  asynchronousOperations: 0x53,
  implementationVersionName: 0x55,
} as const

/** Bytes of the variable part before the first item: version, reserved, AE titles, reserved. */
const fixedLength = 68

/**
 * Parses the variable part of an A-ASSOCIATE-RQ.
 * @throws {DimseError} `protocol-violation` when an item leads beyond its end, or a context ID is even, absent or given twice
 */
export function parseAssociateRequest(body: Buffer): AssociationRequest {
  const request: AssociationRequest = {
    protocolVersion: body.readUInt16BE(0),
    calledAETitle: titleOf(body, 4),
    callingAETitle: titleOf(body, 20),
    applicationContextName: '',
    contexts: [],
    maxPdu: 0,
    implementationClassUID: '',
    implementationVersionName: '',
    asynchronousOperations: null,
    titles: body.subarray(4, fixedLength),
  }
  for (const [type, value] of itemsOf(body, fixedLength)) {
    if (type === item.applicationContext) request.applicationContextName = uidOf(value)
    else if (type === item.proposedContext) request.contexts.push(parseProposedContext(value))
    else if (type === item.userInformation) takeUserInformation(request, value)
  }
  const ids = new Set(request.contexts.map((context) => context.id))
  if (ids.size !== request.contexts.length) throw malformed('gives a presentation context ID twice')
  return request
}

function parseProposedContext(value: Buffer): ProposedContext {
  if (value.length < 4) throw malformed(`holds a presentation context of ${value.length} bytes`)
  const id = value[0] as number
  if (id % 2 === 0) throw malformed(`holds the presentation context ID ${id}: odd ones are expected`)
  const context: ProposedContext = { id, abstractSyntax: '', transferSyntaxes: [] }
  for (const [type, text] of itemsOf(value, 4)) {
    if (type === item.abstractSyntax) context.abstractSyntax = uidOf(text)
    else if (type === item.transferSyntax) context.transferSyntaxes.push(uidOf(text))
  }
  return context
}

function takeUserInformation(target: Partial<AssociationRequest>, value: Buffer): void {
  for (const [type, bytes] of itemsOf(value, 0)) {
    if (type === item.maximumLength) {
      if (bytes.length !== 4) throw malformed(`holds a maximum length of ${bytes.length} bytes: 4 are expected`)
      target.maxPdu = bytes.readUInt32BE(0)
    } else if (type === item.implementationClassUID) target.implementationClassUID = uidOf(bytes)
    else if (type === item.implementationVersionName) target.implementationVersionName = uidOf(bytes)
    else if (type === item.asynchronousOperations && bytes.length === 4)
      target.asynchronousOperations = { invoked: bytes.readUInt16BE(0), performed: bytes.readUInt16BE(2) }
  }
}

/**
 * Parses the variable part of an A-ASSOCIATE-AC.
 * @throws {DimseError} `protocol-violation`
 */
export function parseAssociateAccept(body: Buffer): AssociationAnswer {
  const contexts: AnsweredContext[] = []
  const information: Partial<AssociationRequest> = {}
  for (const [type, value] of itemsOf(body, fixedLength)) {
    if (type === item.answeredContext) contexts.push(parseAnsweredContext(value))
    else if (type === item.userInformation) takeUserInformation(information, value)
  }
  return { contexts, maxPdu: information.maxPdu ?? 0 }
}

function parseAnsweredContext(value: Buffer): AnsweredContext {
  if (value.length < 4) throw malformed(`holds a presentation context of ${value.length} bytes`)
  const result = value[2] as number
  const context: AnsweredContext = {
    id: value[0] as number,
    result: (result <= 4 ? result : 2) as AnsweredContext['result'],
    transferSyntax: '',
  }
  // The transfer syntax of a refused context is not significant (PS3.8 table 9-18): some peers leave it out.
  if (result === 0)
    for (const [type, text] of itemsOf(value, 4)) if (type === item.transferSyntax) context.transferSyntax = uidOf(text)
  return context
}

/** Walks items: type, reserved byte, length, value (PS3.8 9.3.2). Unknown ones are the caller's to skip (PS3.8 9.3.1). */
function* itemsOf(bytes: Buffer, start: number): Generator<[type: number, value: Buffer]> {
  let offset = start
  while (offset < bytes.length) {
    if (offset + 4 > bytes.length) throw malformed(`ends inside an item's head at byte ${offset}`)
    const end = offset + 4 + bytes.readUInt16BE(offset + 2)
    if (end > bytes.length) throw malformed(`holds an item that leads beyond its end at byte ${offset}`)
    yield [bytes[offset] as number, bytes.subarray(offset + 4, end)]
    offset = end
  }
}

const malformed = (what: string) => violation(abortReason.invalidPDUParameterValue, `the association PDU ${what}`)

const titleOf = (body: Buffer, offset: number): string =>
  body.toString('latin1', offset, offset + 16).replace(/^ +|[ \0]+$/g, '')
const uidOf = (value: Buffer): string => value.toString('latin1').replace(/[ \0]+$/, '')

/** An A-ASSOCIATE-RQ PDU (PS3.8 9.3.2). */
export function encodeAssociateRequest(request: {
  calledAETitle: string
  callingAETitle: string
  contexts: readonly ProposedContext[]
  maxPdu: number
}): Buffer {
  const titles = Buffer.alloc(64)
  titles.write(request.calledAETitle.padEnd(16).slice(0, 16), 0, 'latin1')
  titles.write(request.callingAETitle.padEnd(16).slice(0, 16), 16, 'latin1')
  const contexts = request.contexts.map((context) =>
    encodeItem(item.proposedContext, [
      Uint8Array.of(context.id, 0, 0, 0),
      textItem(item.abstractSyntax, context.abstractSyntax),
      ...context.transferSyntaxes.map((uid) => textItem(item.transferSyntax, uid)),
    ]),
  )
  return encodePDU(PDU.associateRQ, associationBody(titles, contexts, userInformation(request.maxPdu, [])))
}

/**
 * An A-ASSOCIATE-AC PDU (PS3.8 9.3.3). It announces our own maximum length, whatever the peer announced, and answers an
 * asynchronous operations window with one operation at a time.
 */
export function encodeAssociateAccept(
  request: AssociationRequest,
  answer: { contexts: readonly AnsweredContext[]; maxPdu: number },
): Buffer {
  const contexts = answer.contexts.map((context) =>
    encodeItem(item.answeredContext, [
      Uint8Array.of(context.id, 0, context.result, 0),
      textItem(item.transferSyntax, context.transferSyntax),
    ]),
  )
  const oneAtATime = encodeItem(item.asynchronousOperations, [Uint8Array.of(0, 1, 0, 1)])
  const information = userInformation(answer.maxPdu, request.asynchronousOperations === null ? [] : [oneAtATime])
  return encodePDU(PDU.associateAC, associationBody(request.titles, contexts, information))
}

function associationBody(titles: Buffer, contexts: Buffer[], information: Buffer): Buffer {
  const version = Uint8Array.of(0, 1, 0, 0)
  return Buffer.concat([
    version,
    titles,
    textItem(item.applicationContext, applicationContextName),
    ...contexts,
    information,
  ])
}

/** Sub-items in the order of their types, as PS3.7 D.3.3 lists them. */
function userInformation(maxPdu: number, more: Buffer[]): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(maxPdu)
  return encodeItem(item.userInformation, [
    encodeItem(item.maximumLength, [length]),
    textItem(item.implementationClassUID, implementationClassUID),
    ...more,
    textItem(item.implementationVersionName, implementationVersionName),
  ])
}

const textItem = (type: number, text: string): Buffer => encodeItem(type, [Buffer.from(text, 'latin1')])

function encodeItem(type: number, parts: Uint8Array[]): Buffer {
  const value = Buffer.concat(parts)
  const head = Buffer.alloc(4)
  head[0] = type
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value])
}
