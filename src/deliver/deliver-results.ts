import { setTimeout as sleep } from 'node:timers/promises'
import { DicomwebClientError } from '../dicomweb/client-error.ts'
import type { RetryClass } from '../errors.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Deliverable, Destination } from './destination.ts'
import type { Proof } from './proof.ts'
import { proveInstance } from './proof.ts'

/** What became of one object at one destination. `sent`: accepted, but not (yet) proven. */
export type InstanceDelivery =
  | { sopInstanceUID: string; state: 'verified'; proof: string }
  | { sopInstanceUID: string; state: 'sent' | 'failed'; error: string; retry: RetryClass }

export interface DeliveryReport {
  instances: InstanceDelivery[]
}

export interface DeliveryOptions {
  destination: Destination
  results: readonly Deliverable[]
  /** True where an earlier attempt may have stored some of them: they are looked for before anything is sent again. */
  lookFirst: boolean
  /** Told of every object that the destination has accepted, before the proof begins. */
  onSent?: (sopInstanceUIDs: string[]) => Promise<void>
  now?: () => Date
  /** Pauses in milliseconds between looks for an accepted object: archives index a moment after they have answered. */
  proofPauses?: readonly number[]
  signal?: AbortSignal
}

const defaultPauses = [250, 1_000, 3_000]

/**
 * Stores results at a destination and proves by reading back that they are there. Nothing is called delivered on hope: an object is
 * `verified` only with a proof, `sent` where the destination accepted it but the proof is missing.
 * Never rejects for what the server or the network does.
 */
export async function deliverResults(options: DeliveryOptions): Promise<DeliveryReport> {
  const now = options.now ?? (() => new Date())
  const found = new Map<string, InstanceDelivery>()
  const toSend: Deliverable[] = []
  for (const result of options.results) {
    const proof = options.lookFirst ? await lookFor(options.destination, result, now) : null
    // Only the very same bytes make sending needless: anything else might be an older object under this UID.
    if (proof?.kind === 'identical') found.set(result.sopInstanceUID, verified(result, proof.sentence))
    else toSend.push(result)
  }
  if (toSend.length > 0) {
    for (const delivery of await sendAndProve(options, toSend, now)) found.set(delivery.sopInstanceUID, delivery)
  }
  return { instances: options.results.map((result) => found.get(result.sopInstanceUID) ?? forgotten(result)) }
}

async function sendAndProve(
  options: DeliveryOptions,
  toSend: Deliverable[],
  now: () => Date,
): Promise<InstanceDelivery[]> {
  const outcomes = new Map(
    (await options.destination.store(toSend)).map((outcome) => [outcome.sopInstanceUID, outcome]),
  )
  const accepted = toSend.filter((result) => outcomes.get(result.sopInstanceUID)?.kind === 'stored')
  if (accepted.length > 0) await options.onSent?.(accepted.map((result) => result.sopInstanceUID))
  const deliveries: InstanceDelivery[] = []
  for (const result of toSend) {
    const outcome = outcomes.get(result.sopInstanceUID)
    if (outcome === undefined) deliveries.push(forgotten(result))
    else if (outcome.kind === 'stored') deliveries.push(await prove(options, result, outcome.warning, now))
    else deliveries.push(await resolveFailure(options.destination, result, outcome, now))
  }
  return deliveries
}

/** After an ambiguous failure the object may be there all the same: only looking can tell. */
async function resolveFailure(
  destination: Destination,
  result: Deliverable,
  outcome: { retry: RetryClass; reason: string },
  now: () => Date,
): Promise<InstanceDelivery> {
  if (outcome.retry === 'ambiguous') {
    const proof = await lookFor(destination, result, now)
    if (proof?.kind === 'identical')
      return verified(result, `${proof.sentence} (sending had ended with: ${outcome.reason})`)
  }
  return { sopInstanceUID: result.sopInstanceUID, state: 'failed', error: outcome.reason, retry: outcome.retry }
}

async function prove(
  options: DeliveryOptions,
  result: Deliverable,
  warning: string | null,
  now: () => Date,
): Promise<InstanceDelivery> {
  const pauses = options.proofPauses ?? defaultPauses
  const note = warning === null ? '' : `; ${warning}`
  let last = ''
  for (let look = 0; look <= pauses.length; look++) {
    if (look > 0) await sleep(pauses[look - 1] ?? 0, undefined, options.signal ? { signal: options.signal } : {})
    let proof: Proof
    try {
      proof = await proveInstance(options.destination, result, now)
    } catch (error) {
      const retry = error instanceof HilumError ? error.retry : 'permanent'
      return unproven(result, `accepted by STOW-RS, but the proof failed: ${messageOf(error)}`, retry)
    }
    if (proof.kind === 'identical' || proof.kind === 'changed') return verified(result, `${proof.sentence}${note}`)
    if (proof.kind === 'different')
      return { sopInstanceUID: result.sopInstanceUID, state: 'failed', error: proof.sentence, retry: 'permanent' }
    last = proof.sentence
  }
  return unproven(result, `accepted by STOW-RS, but ${last}`, 'transient')
}

/** Looks without insisting: a destination that cannot be asked has not been shown to hold the object. */
async function lookFor(destination: Destination, result: Deliverable, now: () => Date): Promise<Proof | null> {
  try {
    return await proveInstance(destination, result, now)
  } catch (error) {
    if (error instanceof DicomwebClientError || (error instanceof Error && error.name === 'DicomError')) return null
    throw error
  }
}

function verified(result: Deliverable, proof: string): InstanceDelivery {
  return { sopInstanceUID: result.sopInstanceUID, state: 'verified', proof }
}

function unproven(result: Deliverable, error: string, retry: RetryClass): InstanceDelivery {
  return { sopInstanceUID: result.sopInstanceUID, state: 'sent', error, retry }
}

function forgotten(result: Deliverable): InstanceDelivery {
  return {
    sopInstanceUID: result.sopInstanceUID,
    state: 'failed',
    error: 'the destination said nothing of this object',
    retry: 'ambiguous',
  }
}
