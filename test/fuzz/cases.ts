import {
  type AssociationSpec,
  associationSpec,
  encodeAssociation,
  everyProposal,
  type Proposal,
} from './associations.ts'
import { type CommandSpec, encodeCommand, storeCommand } from './commands.ts'
import { encodeImage, type InstanceNames, imageElements } from './data-sets.ts'
import { dataPDU, releaseRQ, type Value } from './encode.ts'
import type { Random } from './random.ts'
import { type Syntax, storage, syntax, verification } from './uids.ts'

/** How bytes are cut into TCP segments, as far as a sender can say. */
export type Cut = 'whole' | 'pieces' | 'bytes'

/** What a sender does, in order. After the last step it waits for what is due, and closes. */
export type Step =
  | { do: 'send'; bytes: Buffer; cut: Cut }
  /** Until the association is accepted or not. */
  | { do: 'await-association' }
  /** Until every request that was sent whole is answered. */
  | { do: 'await-answers' }
  /** FIN at once, whatever is due. */
  | { do: 'half-close' }
  /** RST at once. */
  | { do: 'reset' }
  /** Neither bytes nor FIN: the node has to lose its patience. */
  | { do: 'stall' }
  /** Reads nothing for so many ms. */
  | { do: 'stop-reading'; ms: number }

/** What becomes of an instance for sure; of the others either is right. */
export type Fate = 'stored' | 'refused'

export interface FuzzCase {
  kind: string
  steps: Step[]
  /** As announced in the association request. */
  maxPdu: number
  /** By SOP Instance UID. */
  fates: Map<string, Fate>
  /** Every request has to be answered: nothing in this case is wrong. */
  valid: boolean
  /** ms until a missing answer counts as a hang, in addition to the usual. */
  patienceMs: number
}

/** Makes the parts of one case; names are derived from seed and number. */
export class CaseBuilder {
  readonly random: Random
  readonly case: FuzzCase
  readonly #root: string
  #instances = 0
  #messageID = 0

  constructor(kind: string, random: Random, root: string) {
    this.random = random
    this.#root = root
    this.case = { kind, steps: [], maxPdu: 0, fates: new Map(), valid: false, patienceMs: 0 }
  }

  names(sopClass: string = storage.ct): InstanceNames {
    const series = this.random.between(1, 2)
    this.#instances++
    return {
      sopClass,
      sopInstance: `${this.#root}.${series}.${this.#instances}`,
      study: this.#root,
      series: `${this.#root}.${series}`,
    }
  }

  nextMessageID(): number {
    this.#messageID++
    return this.#messageID
  }

  send(bytes: Buffer, cut: Cut = this.cut(bytes.length)): this {
    this.case.steps.push({ do: 'send', bytes, cut })
    return this
  }

  /** Anything but bytes. */
  add(...steps: Step[]): this {
    this.case.steps.push(...steps)
    return this
  }

  cut(length: number): Cut {
    const cut = this.random.weighted({ whole: 6, pieces: 3, bytes: 1 })
    return cut === 'bytes' && length > 700 ? 'pieces' : cut
  }

  /** A valid association request for storage, verification and whatever else. */
  association(options: { proposals?: Proposal[]; window?: [number, number] } = {}): AssociationSpec {
    const { random } = this
    const maxPdu = random.pick([0, 4096, 16_384, 131_072])
    this.case.maxPdu = maxPdu
    return associationSpec(random, {
      proposals: options.proposals ?? everyProposal(),
      maxPdu,
      ...pickWindow(options.window),
    })
  }

  /** Opens the association with that request, sent as it is; usually waits for the answer as a sender has to. */
  open(spec: AssociationSpec = this.association()): this {
    this.send(encodeAssociation(spec))
    return this.random.chance(0.9) ? this.add({ do: 'await-association' }) : this
  }

  /** The fragments of a message: command set, then data set, split as senders split them, and as they do not. */
  message(context: number, command: CommandSpec, dataSet: Buffer | null): Value[] {
    const values = this.#split(encodeCommand(command), 0.05).map((value) => ({ context, command: true, value }))
    const data = dataSet === null ? [] : this.#split(dataSet, 0.6).map((value) => ({ context, command: false, value }))
    const last = <T extends object>(list: T[]) => list.map((value, at) => ({ ...value, last: at === list.length - 1 }))
    return [...last(values), ...last(data)]
  }

  /** Fragments in P-DATA-TF PDUs: one each, or several in one. */
  pdus(values: Value[]): Buffer {
    const parts: Buffer[] = []
    for (let at = 0; at < values.length; ) {
      const count = this.random.chance(0.7) ? 1 : this.random.between(1, 5)
      parts.push(dataPDU(...values.slice(at, at + count)))
      at += count
    }
    return Buffer.concat(parts)
  }

  /** A valid instance in one of the syntaxes. */
  image(names: InstanceNames, transferSyntax: Syntax, pixels = this.pixelBytes()): Buffer {
    return encodeImage(this.random, imageElements(this.random, names), { syntax: transferSyntax, pixels })
  }

  pixelBytes(): number {
    return 2 * this.random.pick([0, 1, 256, 256, 256, 256, 2048, 16_384])
  }

  /** The PDUs of a C-STORE of a valid instance, which has to be kept where the association is valid. */
  store(place: StorePlace, pixels?: number): Buffer {
    const names = this.names(place.sopClass)
    this.case.fates.set(names.sopInstance, 'stored')
    return this.storeOf(place, names, this.image(names, place.syntax, pixels))
  }

  storeOf(place: StorePlace, names: InstanceNames, dataSet: Buffer): Buffer {
    const command = storeCommand({ ...names, messageID: this.nextMessageID() })
    return this.pdus(this.message(place.context, command, dataSet))
  }

  release(): this {
    return this.add({ do: 'await-answers' }).send(releaseRQ)
  }

  #split(bytes: Buffer, probability: number): Buffer[] {
    if (!this.random.chance(probability)) return [bytes]
    const parts: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = this.random.pick([0, 1, 2, 7, 100, 1000, 16_378, bytes.length])
      parts.push(bytes.subarray(at, at + length))
      at += length
    }
    if (this.random.chance(0.2)) parts.push(Buffer.alloc(0))
    return parts.length === 0 ? [bytes] : parts
  }
}

const pickWindow = (window: [number, number] | undefined) => (window ? { window } : {})

/** A context for instances. */
export interface StorePlace {
  context: number
  sopClass: string
  syntax: Syntax
}

/** Storage contexts in every syntax, and verification as 1. */
export function storePlaces(): { proposals: Proposal[]; places: StorePlace[] } {
  const proposals: Proposal[] = [{ id: 1, abstractSyntax: verification, transferSyntaxes: [syntax.implicit] }]
  const places: StorePlace[] = []
  for (const sopClass of [storage.ct, storage.private])
    for (const transferSyntax of Object.values(syntax)) {
      const id = 2 * proposals.length + 1
      proposals.push({ id, abstractSyntax: sopClass, transferSyntaxes: [transferSyntax] })
      places.push({ context: id, sopClass, syntax: transferSyntax })
    }
  return { proposals, places }
}

/** One of those contexts, and the proposals that it is one of. */
export const anyPlace = (b: CaseBuilder): { place: StorePlace; proposals: Proposal[] } => {
  const { proposals, places } = storePlaces()
  return { proposals, place: b.random.pick(places) }
}
