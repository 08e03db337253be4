import { type breakAssociation, encodeAssociation } from './associations.ts'
import { boundariesOf } from './boundaries.ts'
import { anyPlace, type CaseBuilder } from './cases.ts'
import { echoCommand, encodeCommand } from './commands.ts'
import { abortRQ, dataPDU, encodePDU, releaseRQ } from './encode.ts'

/** An association request that is damaged, and what a sender would do after it. */
export function associationCase(b: CaseBuilder, damage: typeof breakAssociation): void {
  const { proposals, place } = anyPlace(b)
  const spec = b.association({ proposals })
  for (let n = Number(b.random.weighted({ '1': 7, '2': 2, '4': 1 })); n > 0; n--) damage(b.random, spec)
  b.send(encodeAssociation(spec)).add({ do: 'await-association' })
  if (b.random.chance(0.6)) b.send(b.store(place))
  // The context may have become another one, and then nothing is sure.
  b.case.fates.clear()
  if (b.random.chance(0.6)) b.release()
}

/** An association request of another length than it says. */
export function associationLength(b: CaseBuilder): void {
  const whole = encodeAssociation(b.association())
  b.send(encodeAssociation(b.association(), b.random.evilLength(whole.length - 6, 32)))
  if (b.random.chance(0.5)) b.send(b.random.bytes(b.random.pick([1, 100, 5000])))
}

/** PDUs that are right by themselves, at the wrong time. */
export function pduOrder(b: CaseBuilder): void {
  const { proposals, place } = anyPlace(b)
  const request = encodeAssociation(b.association({ proposals }))
  const pieces: Record<string, () => Buffer> = {
    request: () => request,
    accept: () => Buffer.concat([Buffer.from([2]), request.subarray(1)]),
    reject: () => encodePDU(3, Buffer.from([0, 1, 1, 1])),
    store: () => b.store(place),
    half: () => b.store(place).subarray(0, -b.random.between(1, 40)),
    empty: () => encodePDU(4, Buffer.alloc(0)),
    release: () => releaseRQ,
    released: () => encodePDU(6, Buffer.alloc(4)),
    abort: () => abortRQ,
  }
  if (b.random.chance(0.7)) b.send(request).add({ do: 'await-association' })
  for (let n = b.random.between(1, 4); n > 0; n--)
    b.send((pieces[b.random.pick(Object.keys(pieces))] as () => Buffer)())
  // Half a message swallows what follows it.
  b.case.fates.clear()
}

/** PDUs whose type or length is wrong. */
export function pduHeaders(b: CaseBuilder): void {
  if (b.random.chance(0.8)) b.open()
  const type = b.random.weighted({
    '4': 5,
    '0': 1,
    '1': 1,
    '2': 1,
    '3': 1,
    '5': 1,
    '6': 1,
    '7': 1,
    '8': 1,
    '127': 1,
    '255': 1,
  })
  const body = b.random.bytes(b.random.pick([0, 1, 3, 4, 5, 6, 68, 300]))
  b.send(encodePDU(Number(type), body, b.random.evilLength(body.length, 32)))
  if (b.random.chance(0.5)) b.send(b.random.bytes(b.random.between(1, 2000)))
}

/** A valid conversation, as one stream. */
function validStream(b: CaseBuilder): Buffer {
  const { proposals, place } = anyPlace(b)
  const stores = Array.from({ length: b.random.between(1, 2) }, () => b.store(place, 2 * b.random.between(0, 300)))
  return Buffer.concat([encodeAssociation(b.association({ proposals })), ...stores, releaseRQ])
}

/** A conversation that ends where parsers look, or one byte beside. */
export function cutStreams(b: CaseBuilder): void {
  const stream = validStream(b)
  const boundary = b.random.pick(boundariesOf(stream)) + b.random.pick([-1, 0, 0, 1])
  b.send(stream.subarray(0, Math.max(1, boundary)))
  if (b.random.chance(0.3)) b.add({ do: b.random.pick(['half-close', 'reset']) })
}

/** A conversation of which a few bytes are others, are missing, or come twice. */
export function changedStreams(b: CaseBuilder): void {
  let stream = validStream(b)
  const boundaries = boundariesOf(stream)
  for (let n = b.random.between(1, 4); n > 0; n--) {
    const at = Math.min(
      stream.length - 1,
      b.random.chance(0.6)
        ? b.random.pick(boundaries) + b.random.between(0, 7)
        : b.random.between(0, stream.length - 1),
    )
    const [before, after] = [stream.subarray(0, at), stream.subarray(at)]
    const changed = Buffer.from(stream)
    changed[at] = b.random.pick([0, 1, 0x7f, 0x80, 0xff, b.random.between(0, 255)])
    stream = b.random.pick([
      changed,
      changed,
      Buffer.concat([before, after.subarray(b.random.between(1, 20))]),
      Buffer.concat([before, b.random.bytes(b.random.between(1, 20)), after]),
      Buffer.concat([before, after.subarray(0, 200), after]),
    ])
  }
  b.case.fates.clear()
  b.send(stream)
}

/** What is no DICOM at all. */
export function noise(b: CaseBuilder): void {
  b.send(
    b.random.pick([
      b.random.bytes(b.random.between(1, 5000)),
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.from('16030100c8010000c40303', 'hex'),
      Buffer.alloc(b.random.between(1, 3000)),
      Buffer.alloc(0),
    ]),
  )
}

/** Connections that end in the middle, in different ways. */
export function brokenConnections(b: CaseBuilder): void {
  const { proposals, place } = anyPlace(b)
  if (b.random.chance(0.9)) b.open(b.association({ proposals }))
  if (b.random.chance(0.5)) b.send(b.store(place)).add({ do: 'await-answers' })
  const store = b.store(place)
  b.send(b.random.chance(0.8) ? store.subarray(0, b.random.between(0, store.length)) : store)
  b.add({ do: b.random.pick(['half-close', 'reset', 'reset']) })
}

/** Requests without end whose answers are not read. */
export function unreadAnswers(b: CaseBuilder): void {
  b.send(encodeAssociation(b.association()), 'whole').add({ do: 'await-association' }, { do: 'stop-reading', ms: 300 })
  const echo = dataPDU({ context: 1, command: true, last: true, value: encodeCommand(echoCommand(1)) })
  b.send(Buffer.concat(Array.from({ length: 3000 }, () => echo)), 'whole')
  b.case.patienceMs = 60_000
}

/** Peers that stop somewhere and keep the connection. */
export function stalls(b: CaseBuilder): void {
  const { proposals, place } = anyPlace(b)
  const whole = validStream(b)
  const at = b.random.pick(['nothing', 'request', 'message', 'idle'])
  if (at === 'request') b.send(whole.subarray(0, b.random.between(1, 60)), 'whole')
  if (at === 'message' || at === 'idle')
    b.send(encodeAssociation(b.association({ proposals }))).add({ do: 'await-association' })
  if (at === 'message') {
    const store = b.store(place)
    b.send(store.subarray(0, b.random.between(1, store.length - 1)))
  }
  b.add({ do: 'stall' })
}
