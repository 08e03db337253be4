import { bendAssociation, breakAssociation } from './associations.ts'
import { CaseBuilder, type FuzzCase } from './cases.ts'
import * as messages from './kinds-of-messages.ts'
import * as streams from './kinds-of-streams.ts'
import { Random } from './random.ts'

type Make = (builder: CaseBuilder) => unknown

/** Every kind of case, with how often it comes. The rare ones cost seconds each. */
const kinds: Record<string, { weight: number; make: Make }> = {
  'valid stores': { weight: 120, make: messages.validStores },
  'valid stores, pipelined': { weight: 30, make: messages.pipelinedStores },
  'valid echo': { weight: 30, make: messages.validEcho },
  'requests of other services': { weight: 90, make: messages.otherServices },
  'association, broken items': { weight: 120, make: (b) => streams.associationCase(b, breakAssociation) },
  'association, odd values': { weight: 70, make: (b) => streams.associationCase(b, bendAssociation) },
  'association, wrong length': { weight: 15, make: streams.associationLength },
  'order of PDUs': { weight: 60, make: streams.pduOrder },
  'type and length of PDUs': { weight: 60, make: streams.pduHeaders },
  'presentation data values': { weight: 90, make: messages.dataValues },
  'interleaved messages': { weight: 25, make: messages.interleaved },
  'command sets': { weight: 100, make: messages.commandSets },
  'data sets, broken elements': { weight: 120, make: messages.brokenDataSets },
  'data sets, cut off': { weight: 40, make: messages.cutDataSets },
  'streams, cut at a boundary': { weight: 70, make: streams.cutStreams },
  'streams, random bytes changed': { weight: 70, make: streams.changedStreams },
  noise: { weight: 15, make: streams.noise },
  'resets and half-closes': { weight: 40, make: streams.brokenConnections },
  'deep nesting': { weight: 4, make: messages.nesting },
  'large instances': { weight: 4, make: messages.largeStores },
  'long requests': { weight: 1.5, make: messages.longRequests },
  'answers left unread': { weight: 0.6, make: streams.unreadAnswers },
  stalls: { weight: 0.5, make: streams.stalls },
  'deflate bombs': { weight: 0.05, make: messages.bombs },
}

export const kindNames: readonly string[] = Object.keys(kinds)

/**
 * The case of a number: the same for the same seed, whatever came before.
 * @param kind instead of one by weight
 */
export function makeCase(seed: number, number: number, kind?: string): FuzzCase {
  const random = new Random(seed, number)
  const weights = Object.fromEntries(Object.entries(kinds).map(([name, { weight }]) => [name, weight]))
  // One of each in the beginning: the rare ones come in every run, and while the process still warms up.
  const chosen = kind ?? kindNames[number] ?? random.weighted(weights)
  const builder = new CaseBuilder(chosen, random, `1.2.826.0.1.3680043.10.${seed}.${number}`)
  const known = kinds[chosen]
  if (!known) throw new Error(`no kind of case is called ${chosen}`)
  known.make(builder)
  return builder.case
}
