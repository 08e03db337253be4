import { encodeAssociation, everyProposal } from './associations.ts'
import { anyPlace, type CaseBuilder, storePlaces } from './cases.ts'
import { breakCommand, echoCommand, serviceCommand, storeCommand, strayResponse, withDataSet } from './commands.ts'
import { breakElements, deflateBomb, encodeImage, imageElements, nestedDataSet } from './data-sets.ts'
import { encodeDataSet, encodePDU, encodeValue, padded } from './encode.ts'
import type { Random } from './random.ts'
import { commitmentInstance, storage, syntax, verification } from './uids.ts'

/** Instances one after the other, each awaited: nothing is wrong. */
export function validStores(b: CaseBuilder): void {
  b.case.valid = true
  const { proposals, places } = storePlaces()
  b.send(encodeAssociation(b.association({ proposals }))).add({ do: 'await-association' })
  for (let n = b.random.between(1, 4); n > 0; n--) b.send(b.store(b.random.pick(places))).add({ do: 'await-answers' })
  b.release()
}

/** Several requests without waiting, within the window that was agreed on, and without one: the node may take its time. */
export function pipelinedStores(b: CaseBuilder): void {
  b.case.valid = true
  const { proposals, places } = storePlaces()
  b.send(
    encodeAssociation(
      b.association({
        proposals,
        window: b.random.pick([
          [4, 1],
          [0, 0],
          [16, 1],
        ]),
      }),
    ),
  )
  b.add({ do: 'await-association' })
  const stores = Array.from({ length: b.random.between(2, 8) }, () => b.store(b.random.pick(places)))
  b.send(Buffer.concat(stores)).release()
}

/** C-ECHO, nothing wrong. */
export function validEcho(b: CaseBuilder): void {
  b.case.valid = true
  b.open()
  for (let n = b.random.between(1, 3); n > 0; n--) b.send(b.pdus(b.message(1, echoCommand(b.nextMessageID()), null)))
  b.release()
}

/** Requests of services other than storage, well formed or nearly so. */
export function otherServices(b: CaseBuilder): void {
  const proposals = everyProposal()
  b.open(b.association({ proposals }))
  for (let n = b.random.between(1, 3); n > 0; n--) {
    const { sopClass, command, dataSet } = serviceCommand(b.random, b.nextMessageID(), b.names().sopInstance)
    const context = proposals.find((proposal) => proposal.abstractSyntax === sopClass)?.id ?? 1
    b.send(b.pdus(b.message(context, command, dataSet && serviceDataSet(b.random, dataSet))))
    if (b.random.chance(0.7)) b.add({ do: 'await-answers' })
  }
  if (b.random.chance(0.7)) b.release()
}

function serviceDataSet(random: Random, what: string): Buffer {
  const ui = (tag: number, value: string) => ({ tag, vr: 'UI', value: padded(value, 0) })
  const cs = (tag: number, value: string) => ({ tag, vr: 'CS', value: padded(value, 0x20) })
  const reference = [ui(0x00081150, storage.ct), ui(0x00081155, '1.2.3.4')]
  const elements = {
    query: [
      cs(0x00080052, random.pick(['STUDY', 'SERIES', 'IMAGE', 'PATIENT', 'NOTHING', ''])),
      { tag: 0x00100020, vr: 'LO', value: padded(random.pick(['*', '', 'P1', '\\', '?'.repeat(64)]), 0x20) },
      ui(0x0020000d, random.pick(['', '1.2.3', '*', '1.2\\1.3'])),
    ],
    commitment: [
      ui(0x00081195, '1.2.3.99'),
      { tag: 0x00081199, vr: 'SQ', items: Array.from({ length: random.between(0, 3) }, () => reference) },
    ],
    'procedure-step': [cs(0x00400252, random.pick(['IN PROGRESS', 'COMPLETED', 'NONSENSE'])), cs(0x00080060, 'CT')],
    availability: [cs(0x00080056, 'ONLINE'), ui(0x0020000d, '1.2.3')],
  }[what]
  const list = [...(elements ?? [])]
  if (random.chance(0.3) && list.length > 0) breakElements(random, list)
  return encodeDataSet(list, { explicit: true, littleEndian: true })
}

/** One presentation data value of a message is broken, or is where it does not belong. */
export function dataValues(b: CaseBuilder): void {
  const { proposals, place } = anyPlace(b)
  b.open(b.association({ proposals }))
  if (b.random.chance(0.3)) b.send(b.store(place))
  const names = b.names(place.sopClass)
  const command = storeCommand({ ...names, messageID: b.nextMessageID() })
  const values = b.message(place.context, command, b.image(names, place.syntax))
  const at = b.random.between(0, values.length - 1)
  const value = values[at] as (typeof values)[number]
  switch (b.random.between(0, 7)) {
    case 0:
      value.announced = b.random.evilLength(value.value.length + 2, 32)
      break
    case 1:
      value.context = b.random.pick([0, 2, 4, 1, 255, 254, value.context + 2])
      break
    case 2:
      value.control = b.random.pick([0, 1, 2, 3, 4, 7, 0x80, 0xfe, 0xff])
      break
    case 3:
      values.splice(at, 1)
      break
    case 4:
      values.splice(at, 0, value)
      break
    case 5:
      values.reverse()
      break
    case 6:
      values.splice(at, 0, {
        context: place.context,
        value: Buffer.alloc(0),
        command: b.random.chance(0.5),
        last: b.random.chance(0.5),
      })
      break
    default: {
      // A PDU that is longer or shorter than its values.
      const body = Buffer.concat(values.map(encodeValue))
      b.send(encodePDU(4, body, b.random.evilLength(body.length, 32)))
      return
    }
  }
  b.send(b.pdus(values))
  if (b.random.chance(0.3)) b.send(b.store(place))
  if (b.random.chance(0.5)) b.release()
}

/** Fragments of two messages in turn, on one context or two: only one message at a time is right (PS3.8 annex E). */
export function interleaved(b: CaseBuilder): void {
  const { proposals, places } = storePlaces()
  b.open(b.association({ proposals }))
  const lists = [0, 1].map(() => {
    const place = b.random.pick(places)
    const names = b.names(place.sopClass)
    return b.message(
      place.context,
      storeCommand({ ...names, messageID: b.nextMessageID() }),
      b.image(names, place.syntax),
    )
  })
  const mixed = []
  while (lists.some((list) => list.length > 0)) {
    const next = b.random.pick(lists.filter((list) => list.length > 0)).shift()
    if (next) mixed.push(next)
  }
  b.send(b.pdus(mixed))
}

/** Command sets of all services, broken or announcing data sets that do not come. */
export function commandSets(b: CaseBuilder): void {
  const proposals = everyProposal()
  b.open(b.association({ proposals }))
  const names = b.names()
  const chosen = b.random.weighted({ store: 4, echo: 2, service: 3, response: 1 })
  const made = {
    store: () => ({ sopClass: storage.ct, command: storeCommand({ ...names, messageID: b.nextMessageID() }) }),
    echo: () => ({ sopClass: verification, command: echoCommand(b.nextMessageID()) }),
    service: () => serviceCommand(b.random, b.nextMessageID(), b.random.pick([names.sopInstance, commitmentInstance])),
    response: () => ({ sopClass: storage.ct, command: strayResponse(b.random) }),
  }[chosen]()
  let { command } = made
  if (b.random.chance(0.3)) command = withDataSet(command, b.random.chance(0.5))
  for (let n = b.random.between(0, 2); n > 0 && command.length > 0; n--) breakCommand(b.random, command)
  const context = b.random.chance(0.9)
    ? proposals.find((p) => p.abstractSyntax === made.sopClass)?.id
    : b.random.pick(proposals).id
  const dataSet = b.random.chance(0.6) ? b.image(names, syntax.explicit) : null
  const values = b.message(context ?? 1, command, dataSet)
  const first = values[0]
  // The group length, which is in front of every command set.
  if (first && b.random.chance(0.2) && first.value.length >= 12)
    Buffer.from(first.value.buffer, first.value.byteOffset + 8, 4).writeUInt32LE(
      b.random.evilLength(first.value.length, 32),
    )
  b.send(b.pdus(values))
  if (b.random.chance(0.4)) b.send(b.pdus(b.message(1, echoCommand(b.nextMessageID()), null)))
  if (b.random.chance(0.4)) b.release()
}

/** Data sets whose elements are broken; what follows on the association has to be kept all the same. */
export function brokenDataSets(b: CaseBuilder): void {
  const { proposals, place } = anyPlace(b)
  b.open(b.association({ proposals }))
  const names = b.names(place.sopClass)
  const elements = imageElements(b.random, names)
  for (let n = b.random.between(1, 3); n > 0 && elements.length > 0; n--) breakElements(b.random, elements)
  b.send(b.storeOf(place, names, encodeImage(b.random, elements, { syntax: place.syntax, pixels: b.pixelBytes() })))
  if (b.random.chance(0.5)) b.add({ do: 'await-answers' }).send(b.store(place))
  b.release()
}

/** What is cut inside an element is not whole, and must not be acknowledged. */
export function cutDataSets(b: CaseBuilder): void {
  const { proposals, place } = anyPlace(b)
  b.open(b.association({ proposals }))
  const names = b.names(place.sopClass)
  const whole = b.image(names, place.syntax, 2 * b.random.between(1, 4000))
  const kept = b.random.between(1, whole.length - 1)
  // Between two elements a data set may end; the pixel data is one element to its last byte.
  const pixelsAt = whole.lastIndexOf(Buffer.from(place.syntax === syntax.bigEndian ? '7fe00010' : 'e07f1000', 'hex'))
  if (place.syntax === syntax.deflated || kept > pixelsAt) b.case.fates.set(names.sopInstance, 'refused')
  b.send(b.storeOf(place, names, whole.subarray(0, kept)))
  if (b.random.chance(0.5)) b.add({ do: 'await-answers' }).send(b.store(place))
  b.release()
}

/** Sequences without end inside one another. */
export function nesting(b: CaseBuilder): void {
  const { proposals, places } = storePlaces()
  const place = b.random.pick(
    places.filter((found) => found.syntax === syntax.explicit || found.syntax === syntax.implicit),
  )
  b.open(b.association({ proposals }))
  const names = b.names(place.sopClass)
  b.case.fates.set(names.sopInstance, 'refused')
  b.send(b.storeOf(place, names, nestedDataSet(names, b.random.pick([40, 1000, 50_000]), place.syntax))).release()
}

/** Instances far beyond what one read takes. */
export function largeStores(b: CaseBuilder): void {
  b.case.valid = true
  const { proposals, places } = storePlaces()
  b.send(encodeAssociation(b.association({ proposals }))).add({ do: 'await-association' })
  b.send(b.store(b.random.pick(places), 2 * b.random.between(30_000, 1_500_000))).release()
}

/** Data sets of requests that are no instance: they lie in memory, so they have to be bounded. */
export function longRequests(b: CaseBuilder): void {
  const proposals = everyProposal()
  b.open(b.association({ proposals }))
  const { sopClass, command } = serviceCommand(b.random, b.nextMessageID(), b.names().sopInstance)
  const context = proposals.find((proposal) => proposal.abstractSyntax === sopClass)?.id ?? 1
  const dataSet = Buffer.alloc(b.random.pick([1, 3, 6]) * 1024 * 1024, 0x20)
  b.send(b.pdus(b.message(context, withDataSet(command, true), dataSet)), 'whole')
}

/** Deflated data sets that inflate to a thousand times their length. */
export function bombs(b: CaseBuilder): void {
  const { proposals, places } = storePlaces()
  const place = b.random.pick(places.filter((found) => found.syntax === syntax.deflated))
  b.send(encodeAssociation(b.association({ proposals })), 'whole').add({ do: 'await-association' })
  const names = b.names(place.sopClass)
  b.send(
    b.storeOf(place, names, deflateBomb(names, b.random.pick([1, 3]), b.random.pick(['head', 'pixels', 'behind']))),
    'whole',
  )
  b.case.patienceMs = 120_000
  b.release()
}
