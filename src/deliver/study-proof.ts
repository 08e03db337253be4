import { messageOf } from '../errors.ts'
import type { Deliverable, Destination } from './destination.ts'
import { proveInstance } from './proof.ts'

/** What asking a destination has shown: that it holds everything, that it does not, or that it cannot be asked. */
export interface StudyProof {
  kind: 'held' | 'not-held' | 'unknown'
  /** For the record, or as the reason why there is no proof. */
  sentence: string
}

/** UIDs that are asked for at once. */
const pageLength = 500

/** Proves by reading each of them back that a destination holds results. Never rejects for what the destination does. */
export async function proveResultsHeld(
  destination: Destination,
  results: readonly Deliverable[],
  { name, now }: { name: string; now: () => Date },
): Promise<StudyProof> {
  try {
    for (const result of results) {
      const proof = await proveInstance(destination, result, now)
      if (proof.kind === 'identical' || proof.kind === 'changed') continue
      return { kind: 'not-held', sentence: `${name}: result ${result.sopInstanceUID}: ${proof.sentence}` }
    }
  } catch (error) {
    return { kind: 'unknown', sentence: `${name} cannot be asked: ${messageOf(error)}` }
  }
  return { kind: 'held', sentence: `${count(results.length, 'result')} read back from ${name}` }
}

/**
 * Proves by reading each of them back that a destination holds the very bytes of instances that came more than once, with different
 * content: that it lists their UIDs may be true of the older ones. Never rejects for what the destination does.
 * @throws what `instances` throws
 */
export async function proveNewestHeld(
  destination: Destination,
  instances: AsyncIterable<Deliverable>,
  { name, now }: { name: string; now: () => Date },
): Promise<StudyProof> {
  let held = 0
  for await (const instance of instances) {
    try {
      const proof = await proveInstance(destination, instance, now)
      if (proof.kind !== 'identical')
        return {
          kind: 'not-held',
          sentence: `${name}: instance ${instance.sopInstanceUID}, which has replaced another: ${proof.sentence}`,
        }
      held++
    } catch (error) {
      return { kind: 'unknown', sentence: `${name} cannot be asked: ${messageOf(error)}` }
    }
  }
  return { kind: 'held', sentence: `${count(held, 'instance')} that had replaced others read back from ${name}` }
}

/** Proves by QIDO-RS that a destination lists instances of a study. Never rejects for what the destination does. */
export async function proveInstancesHeld(
  destination: Destination,
  instances: { studyInstanceUID: string; sopInstanceUIDs: readonly string[] },
  { name }: { name: string },
): Promise<StudyProof> {
  const missing = new Set(instances.sopInstanceUIDs)
  const listed = new Set<string>()
  try {
    while (missing.size > 0) {
      const page = { limit: pageLength, offset: listed.size }
      const uids = await destination.listInstances(instances.studyInstanceUID, page)
      const before = listed.size
      for (const uid of uids) {
        listed.add(uid)
        missing.delete(uid)
      }
      // Behind the last page; or the server begins anew, because it knows no pages and has told all that it has.
      if (listed.size === before) break
    }
  } catch (error) {
    return { kind: 'unknown', sentence: `${name} cannot be asked: ${messageOf(error)}` }
  }
  const all = count(instances.sopInstanceUIDs.length, 'instance')
  if (missing.size === 0) return { kind: 'held', sentence: `${all} listed by ${name}` }
  return { kind: 'not-held', sentence: `${name} does not list ${missing.size} of ${all}` }
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
