import { encodeItem, itemsOf, malformed, textItem, uidOf } from './association-items.ts'
import { encodePDU, PDU } from './pdu.ts'
import type { TLSPeer } from './tls-profile.ts'
import {
  encodeUserInformation,
  noUserInformation,
  parseUserInformation,
  type UserInformation,
} from './user-information.ts'

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
export interface AssociationRequest extends UserInformation {
  protocolVersion: number
  calledAETitle: string
  callingAETitle: string
  applicationContextName: string
  contexts: ProposedContext[]
  /** AE titles and reserved bytes, which the answer repeats (PS3.8 table 9-17). */
  titles: Buffer
  /** The TLS connection that it came over; null without TLS. */
  tls: TLSPeer | null
}

/** What an A-ASSOCIATE-AC says (PS3.8 9.3.3). */
export interface AssociationAnswer extends UserInformation {
  contexts: AnsweredContext[]
}

const item = {
  applicationContext: 0x10,
  proposedContext: 0x20,
  answeredContext: 0x21,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  userInformation: 0x50,
} as const

/** Bytes of the variable part before the first item: version, reserved, AE titles, reserved. */
const fixedLength = 68

/**
 * Parses the variable part of an A-ASSOCIATE-RQ.
 * @throws {DimseError} `protocol-violation` when an item leads beyond its end, or a context ID is even, absent or given twice
 */
export function parseAssociateRequest(body: Buffer): AssociationRequest {
  let applicationContext = ''
  let information = noUserInformation()
  const contexts: ProposedContext[] = []
  for (const [type, value] of itemsOf(body, fixedLength)) {
    if (type === item.applicationContext) applicationContext = uidOf(value)
    else if (type === item.proposedContext) contexts.push(parseProposedContext(value))
    else if (type === item.userInformation) information = parseUserInformation(value)
  }
  const ids = new Set(contexts.map((context) => context.id))
  if (ids.size !== contexts.length) throw malformed('gives a presentation context ID twice')
  return {
    ...information,
    protocolVersion: body.readUInt16BE(0),
    calledAETitle: titleOf(body, 4),
    callingAETitle: titleOf(body, 20),
    applicationContextName: applicationContext,
    contexts,
    titles: body.subarray(4, fixedLength),
    tls: null,
  }
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

/**
 * Parses the variable part of an A-ASSOCIATE-AC.
 * @throws {DimseError} `protocol-violation`
 */
export function parseAssociateAccept(body: Buffer): AssociationAnswer {
  const contexts: AnsweredContext[] = []
  let information = noUserInformation()
  for (const [type, value] of itemsOf(body, fixedLength)) {
    if (type === item.answeredContext) contexts.push(parseAnsweredContext(value))
    else if (type === item.userInformation) information = parseUserInformation(value)
  }
  return { ...information, contexts }
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

const titleOf = (body: Buffer, offset: number): string =>
  body.toString('latin1', offset, offset + 16).replace(/^ +|[ \0]+$/g, '')

/** An A-ASSOCIATE-RQ PDU (PS3.8 9.3.2). */
export function encodeAssociateRequest(
  request: {
    calledAETitle: string
    callingAETitle: string
    contexts: readonly ProposedContext[]
    maxPdu: number
  } & Partial<Pick<UserInformation, 'asynchronousOperations' | 'roles' | 'extended' | 'userIdentity'>>,
): Buffer {
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
  return encodePDU(PDU.associateRQ, associationBody(titles, contexts, encodeUserInformation(request)))
}

/** What an A-ASSOCIATE-AC says to a request. It announces our own maximum length, whatever the peer announced. */
export type AcceptAnswer = { contexts: readonly AnsweredContext[]; maxPdu: number } & Partial<
  Pick<UserInformation, 'asynchronousOperations' | 'roles' | 'extended' | 'userIdentityResponse'>
>

/** An A-ASSOCIATE-AC PDU (PS3.8 9.3.3). */
export function encodeAssociateAccept(request: Pick<AssociationRequest, 'titles'>, answer: AcceptAnswer): Buffer {
  const contexts = answer.contexts.map((context) =>
    encodeItem(item.answeredContext, [
      Uint8Array.of(context.id, 0, context.result, 0),
      textItem(item.transferSyntax, context.transferSyntax),
    ]),
  )
  return encodePDU(PDU.associateAC, associationBody(request.titles, contexts, encodeUserInformation(answer)))
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
