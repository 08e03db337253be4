import { encodeItem, encodePDU, type Item, textItem } from './encode.ts'
import type { Random } from './random.ts'
import { application, service, storage, syntax, verification } from './uids.ts'

/** A context as it is proposed. */
export interface Proposal {
  id: number
  abstractSyntax: string
  transferSyntaxes: string[]
}

/** An A-ASSOCIATE-RQ before it is encoded, so that any part of it can be broken. */
export interface AssociationSpec {
  version: number
  called: string
  calling: string
  items: Item[]
}

export interface SpecOptions {
  proposals: Proposal[]
  maxPdu?: number
  calling?: string
  /** Operations invoked and performed at once (PS3.7 D.3.3.3). */
  window?: [number, number]
}

/** A valid request, with optional sub-items of user information as peers send them (PS3.7 D.3.3). */
export function associationSpec(random: Random, options: SpecOptions): AssociationSpec {
  const { proposals, maxPdu = random.pick([0, 4096, 16_384, 65_536, 131_072]) } = options
  return {
    version: 1,
    called: 'HILUM',
    calling: options.calling ?? 'FUZZER',
    items: [
      textItem(0x10, application),
      ...proposals.map(proposalItem),
      { type: 0x50, items: userInformation(random, { ...options, maxPdu }) },
    ],
  }
}

function proposalItem({ id, abstractSyntax, transferSyntaxes }: Proposal): Item {
  const syntaxes = transferSyntaxes.map((uid) => textItem(0x40, uid))
  return { type: 0x20, head: Buffer.from([id, 0, 0, 0]), items: [textItem(0x30, abstractSyntax), ...syntaxes] }
}

function userInformation(random: Random, { maxPdu, proposals, window }: SpecOptions & { maxPdu: number }): Item[] {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(maxPdu)
  const items: Item[] = [{ type: 0x51, value: length }, textItem(0x52, '1.2.276.0.7230010.3.0.3.6.7')]
  if (window) items.push({ type: 0x53, value: Buffer.from([0, window[0], 0, window[1]]) })
  const classOf = () => random.pick(proposals)?.abstractSyntax ?? storage.ct
  // Who does not take the role of the sender must not send: only in requests that are bent.
  if (random.chance(0.2)) items.push(roleSelection(classOf(), 1, random.pick([0, 1])))
  if (random.chance(0.5)) items.push(textItem(0x55, 'FUZZER_1'))
  if (random.chance(0.15)) items.push(extendedNegotiation(classOf(), random.bytes(random.between(1, 6))))
  if (random.chance(0.1)) items.push(commonExtendedNegotiation(classOf()))
  if (random.chance(0.1)) items.push(userIdentity(random))
  return items
}

/** PS3.7 D.3.3.4. */
const roleSelection = (uid: string, scu: number, scp: number): Item => ({
  type: 0x54,
  value: Buffer.concat([counted(uid), Buffer.from([scu, scp])]),
})

/** PS3.7 D.3.3.5. */
const extendedNegotiation = (uid: string, information: Buffer): Item => ({
  type: 0x56,
  value: Buffer.concat([counted(uid), information]),
})

/** PS3.7 D.3.3.6: SOP class, service class, related general SOP classes. */
function commonExtendedNegotiation(uid: string): Item {
  const related = counted(storage.sr)
  return {
    type: 0x57,
    value: Buffer.concat([counted(uid), counted('1.2.840.10008.4.2'), sized(related.length), related]),
  }
}

/** PS3.7 D.3.3.7: user name, with passcode, Kerberos, SAML, JWT; without a response asked for, so that none is due. */
function userIdentity(random: Random): Item {
  const type = random.between(1, 5)
  const primary = random.pick(['user', '', 'ü'.repeat(40), 'x'.repeat(2000)])
  const secondary = type === 2 ? 'secret' : ''
  return { type: 0x58, value: Buffer.concat([Buffer.from([type, 0]), counted(primary), counted(secondary)]) }
}

const sized = (length: number): Buffer => Buffer.from([length >> 8, length & 0xff])
const counted = (text: string): Buffer => Buffer.concat([sized(text.length), Buffer.from(text, 'latin1')])

export function encodeAssociation(spec: AssociationSpec, announced?: number): Buffer {
  const fixed = Buffer.alloc(68)
  fixed.writeUInt16BE(spec.version, 0)
  fixed.write(spec.called.padEnd(16).slice(0, 16), 4, 'latin1')
  fixed.write(spec.calling.padEnd(16).slice(0, 16), 20, 'latin1')
  return encodePDU(1, Buffer.concat([fixed, ...spec.items.map(encodeItem)]), announced)
}

/** Breaks one thing in the tree of items: a length, a type, a value, the order, or how often something is there. */
export function breakAssociation(random: Random, spec: AssociationSpec): void {
  const lists = [spec.items, ...spec.items.flatMap((item) => (item.items ? [item.items] : []))]
  const list = random.pick(lists.filter((found) => found.length > 0))
  const at = random.between(0, list.length - 1)
  const item = list[at] as Item
  switch (random.between(0, 8)) {
    case 0:
      item.announced = random.evilLength(encodeItem(item).length - 4, 16)
      return
    case 1:
      item.type = random.pick([
        0, 0x10, 0x20, 0x21, 0x30, 0x40, 0x50, 0x51, 0x52, 0x53, 0x54, 0x56, 0x57, 0x58, 0x59, 0xff,
      ])
      return
    case 2:
      list.splice(at, 1)
      return
    case 3:
      list.splice(random.between(0, list.length), 0, item)
      return
    case 4:
      list.sort(() => random.between(-1, 1))
      return
    case 5:
      item.value = random.bytes(random.pick([0, 1, 2, 3, 4, 5, 64, 65, 300, 5000]))
      return
    case 6:
      if (item.head) item.head = random.bytes(random.between(0, 6))
      else item.value = Buffer.concat([item.value ?? Buffer.alloc(0), random.bytes(random.between(1, 80))])
      return
    case 7:
      list.push({ type: random.between(0, 255), value: random.bytes(random.between(0, 200)) })
      return
    default:
      // Nested where nothing nests.
      delete item.value
      item.items = [...(item.items ?? []), textItem(0x40, syntax.implicit), { type: item.type, items: [] }]
  }
}

/** Values that are well formed and still wrong, or at the edge. */
export function bendAssociation(random: Random, spec: AssociationSpec): void {
  switch (random.between(0, 9)) {
    case 0:
      spec.version = random.pick([0, 2, 3, 0xfffe, 0xffff])
      return
    case 1:
      spec.called = random.pick([
        '',
        'OTHER',
        'hilum',
        ' HILUM',
        'HILUM\0\0\0',
        '\0'.repeat(16),
        'ÿ'.repeat(16),
        'HILUM\\A',
      ])
      return
    case 2:
      spec.calling = random.pick(['', '\0'.repeat(16), '\r\n\r\n', '../../etc', 'ÿ'.repeat(16), 'A'.repeat(16)])
      return
    case 3:
      spec.items[0] = textItem(0x10, random.pick(['', '1.2.3', `${application}.1`, '1'.repeat(500)]))
      return
    case 4:
      setUserItem(
        spec,
        0x51,
        random.pick(['00000000', '00000006', '00000fff', '00001000', 'ffffffff', '00', '0000000000']),
      )
      return
    case 5:
      for (const item of spec.items)
        if (item.type === 0x20 && random.chance(0.7)) (item.head as Buffer)[0] = random.pick([0, 2, 1, 1, 254, 255])
      return
    case 6: {
      const count = random.pick([0, 127, 128, 129, 200])
      const contexts = Array.from({ length: count }, (_, n) =>
        proposalItem({ id: (2 * n + 1) & 0xff, abstractSyntax: storage.ct, transferSyntaxes: [syntax.explicit] }),
      )
      spec.items = [...spec.items.filter((item) => item.type !== 0x20), ...contexts]
      return
    }
    case 7: {
      const many = Array.from({ length: random.pick([0, 1, 60, 900]) }, (_, n) => `1.2.840.10008.1.2.4.${n}`)
      spec.items.splice(1, 0, proposalItem({ id: 251, abstractSyntax: storage.mr, transferSyntaxes: many }))
      return
    }
    case 8: {
      const names = [
        '',
        '1',
        '1.2.840.10008.3.1.1.1',
        'no uid',
        '1'.repeat(64),
        '1'.repeat(65),
        '..',
        service.basicFilm,
      ]
      const proposal = { id: 253, abstractSyntax: random.pick(names), transferSyntaxes: [random.pick(names)] }
      spec.items.splice(1, 0, proposalItem(proposal))
      return
    }
    default:
      setUserItem(
        spec,
        random.pick([0x53, 0x54, 0x56, 0x57, 0x58]),
        random.bytes(random.between(0, 20)).toString('hex'),
      )
  }
}

function setUserItem(spec: AssociationSpec, type: number, hex: string): void {
  const user = spec.items.find((item) => item.type === 0x50)
  if (!user?.items) return
  user.items = [...user.items.filter((item) => item.type !== type), { type, value: Buffer.from(hex, 'hex') }]
}

/** Contexts of every service, as a workstation proposes them. */
export function everyProposal(): Proposal[] {
  const uids = [verification, ...Object.values(storage), ...Object.values(service)]
  return uids.map((abstractSyntax, n) => ({
    id: 2 * n + 1,
    abstractSyntax,
    transferSyntaxes: [syntax.explicit, syntax.implicit],
  }))
}
