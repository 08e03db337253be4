import { implementationClassUID, implementationVersionName } from '../dicom/uid.ts'
import { encodeItem, itemsOf, malformed, textItem, uidOf } from './association-items.ts'

/** SCU and SCP roles of the requestor for one SOP class (PS3.7 D.3.3.4): proposed, or as they were answered. */
export interface RoleSelection {
  sopClassUID: string
  scu: boolean
  scp: boolean
}

/** SOP Class Extended Negotiation (PS3.7 D.3.3.5): what the bytes mean is defined by the service class. */
export interface ExtendedNegotiation {
  sopClassUID: string
  information: Buffer
}

/** SOP Class Common Extended Negotiation (PS3.7 D.3.3.6). */
export interface CommonExtendedNegotiation {
  sopClassUID: string
  serviceClassUID: string
}

/** Forms of a user identity (PS3.7 table D.3-14), by their numbers. */
export const userIdentityType = { username: 1, usernameAndPasscode: 2, kerberos: 3, saml: 4, jwt: 5 } as const

/** A user identity as the requestor gives it (PS3.7 D.3.3.7.1). It is secret: it never goes to a log. */
export interface UserIdentity {
  /** 1 user name, 2 user name and passcode, 3 Kerberos service ticket, 4 SAML assertion, 5 JSON Web Token. */
  type: number
  positiveResponseRequested: boolean
  /** The user name in UTF-8, the ticket, the assertion or the token. */
  primary: Buffer
  /** The passcode in UTF-8 where the type is 2, else empty. */
  secondary: Buffer
}

/** Operations that may be under way at once; 0 means without limit (PS3.7 D.3.3.3). */
export interface AsynchronousOperations {
  /** Those that the requestor of the association invokes. */
  invoked: number
  /** Those that the requestor of the association performs. */
  performed: number
}

/** The User Information item of an association request or answer (PS3.7 D.3.3), as far as Hilum looks at it. */
export interface UserInformation {
  /** Bytes of a P-DATA-TF's variable part that the peer takes; 0 means no limit (PS3.8 D.1). */
  maxPdu: number
  implementationClassUID: string
  implementationVersionName: string
  /** Null where the item is absent: one operation at a time. */
  asynchronousOperations: AsynchronousOperations | null
  roles: RoleSelection[]
  extended: ExtendedNegotiation[]
  commonExtended: CommonExtendedNegotiation[]
  /** Of a request. */
  userIdentity: UserIdentity | null
  /** Of an answer: the server response of a user identity that was admitted (PS3.7 D.3.3.7.2). */
  userIdentityResponse: Buffer | null
}

const item = {
  maximumLength: 0x51,
  implementationClassUID: 0x52,
  asynchronousOperations: 0x53,
  roleSelection: 0x54,
  implementationVersionName: 0x55,
  extendedNegotiation: 0x56,
  commonExtendedNegotiation: 0x57,
  userIdentity: 0x58,
  userIdentityResponse: 0x59,
} as const

/** User information that says nothing. */
export const noUserInformation = (): UserInformation => ({
  maxPdu: 0,
  implementationClassUID: '',
  implementationVersionName: '',
  asynchronousOperations: null,
  roles: [],
  extended: [],
  commonExtended: [],
  userIdentity: null,
  userIdentityResponse: null,
})

/**
 * Parses the value of a User Information item.
 * @throws {DimseError} `protocol-violation` when a sub-item leads beyond its end
 */
export function parseUserInformation(value: Buffer): UserInformation {
  const found = noUserInformation()
  for (const [type, bytes] of itemsOf(value, 0)) takeSubItem(found, type, bytes)
  return found
}

function takeSubItem(found: UserInformation, type: number, bytes: Buffer): void {
  switch (type) {
    case item.maximumLength:
      if (bytes.length !== 4) throw malformed(`holds a maximum length of ${bytes.length} bytes: 4 are expected`)
      found.maxPdu = bytes.readUInt32BE(0)
      break
    case item.implementationClassUID:
      found.implementationClassUID = uidOf(bytes)
      break
    case item.implementationVersionName:
      found.implementationVersionName = uidOf(bytes)
      break
    case item.asynchronousOperations:
      if (bytes.length === 4)
        found.asynchronousOperations = { invoked: bytes.readUInt16BE(0), performed: bytes.readUInt16BE(2) }
      break
    case item.roleSelection: {
      const [uid, rest] = counted(bytes, 'role selection')
      if (rest.length < 2) throw malformed('holds a role selection without roles')
      found.roles.push({ sopClassUID: uidOf(uid), scu: rest[0] === 1, scp: rest[1] === 1 })
      break
    }
    case item.extendedNegotiation: {
      const [uid, information] = counted(bytes, 'SOP class extended negotiation')
      found.extended.push({ sopClassUID: uidOf(uid), information: Buffer.from(information) })
      break
    }
    case item.commonExtendedNegotiation: {
      const [sopClass, rest] = counted(bytes, 'SOP class common extended negotiation')
      const [serviceClass] = counted(rest, 'SOP class common extended negotiation')
      found.commonExtended.push({ sopClassUID: uidOf(sopClass), serviceClassUID: uidOf(serviceClass) })
      break
    }
    case item.userIdentity:
      found.userIdentity = parseUserIdentity(bytes)
      break
    case item.userIdentityResponse:
      found.userIdentityResponse = Buffer.from(counted(bytes, 'user identity response')[0])
      break
  }
}

function parseUserIdentity(bytes: Buffer): UserIdentity {
  if (bytes.length < 2) throw malformed(`holds a user identity of ${bytes.length} bytes`)
  const [primary, rest] = counted(bytes.subarray(2), 'user identity')
  // Some requestors leave out the length of a secondary field that they do not have.
  const [secondary] = rest.length === 0 ? [rest] : counted(rest, 'user identity')
  return {
    type: bytes[0] as number,
    positiveResponseRequested: bytes[1] === 1,
    primary: Buffer.from(primary),
    secondary: Buffer.from(secondary),
  }
}

/** A value behind its length in two bytes, and what follows it. */
function counted(bytes: Buffer, where: string): [value: Buffer, rest: Buffer] {
  const end = bytes.length < 2 ? -1 : 2 + bytes.readUInt16BE(0)
  if (end < 0 || end > bytes.length) throw malformed(`holds a ${where} item that is cut short`)
  return [bytes.subarray(2, end), bytes.subarray(end)]
}

/** A User Information item that names this implementation, its sub-items in the order of their types (PS3.7 D.3.3). */
export function encodeUserInformation(information: { maxPdu: number } & Partial<UserInformation>): Buffer {
  const { maxPdu, asynchronousOperations, roles = [], extended = [], userIdentity, userIdentityResponse } = information
  const length = Buffer.alloc(4)
  length.writeUInt32BE(maxPdu)
  const window = asynchronousOperations && [
    uint16(asynchronousOperations.invoked),
    uint16(asynchronousOperations.performed),
  ]
  return encodeItem(0x50, [
    encodeItem(item.maximumLength, [length]),
    textItem(item.implementationClassUID, implementationClassUID),
    ...(window ? [encodeItem(item.asynchronousOperations, window)] : []),
    ...roles.map(({ sopClassUID, scu, scp }) =>
      encodeItem(item.roleSelection, [...countedText(sopClassUID), Uint8Array.of(Number(scu), Number(scp))]),
    ),
    textItem(item.implementationVersionName, implementationVersionName),
    ...extended.map(({ sopClassUID, information: bytes }) =>
      encodeItem(item.extendedNegotiation, [...countedText(sopClassUID), bytes]),
    ),
    ...(userIdentity ? [encodeUserIdentity(userIdentity)] : []),
    ...(userIdentityResponse
      ? [encodeItem(item.userIdentityResponse, [uint16(userIdentityResponse.length), userIdentityResponse])]
      : []),
  ])
}

function encodeUserIdentity(identity: UserIdentity): Buffer {
  const { type, positiveResponseRequested, primary, secondary } = identity
  return encodeItem(item.userIdentity, [
    Uint8Array.of(type, Number(positiveResponseRequested)),
    uint16(primary.length),
    primary,
    uint16(secondary.length),
    secondary,
  ])
}

const countedText = (text: string): Uint8Array[] => [uint16(text.length), Buffer.from(text, 'latin1')]

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
