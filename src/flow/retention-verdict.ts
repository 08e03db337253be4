import type { Knex } from 'knex'
import type { Config } from '../config.ts'
import type { Deliverable, Destination } from '../deliver/destination.ts'
import { proveInstancesHeld, proveNewestHeld, proveResultsHeld, type StudyProof } from '../deliver/study-proof.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { StudyAsSeen } from '../store/delete-study.ts'
import type { Objects } from '../store/objects.ts'
import { isOwnAddress, type OwnAddress } from './own-address.ts'

/** A rule of the configuration by which studies are deleted. */
export type RetentionRule = Config['retention'][number]

/** A study that is old enough for a rule. */
export interface Candidate {
  id: number
  studyInstanceUID: string
  state: string
  changed: number
  revision: number
  /** Source instances, as its row counts them. */
  instances: number
  lastInstanceAt: string
}

/** Whether a study may be deleted: with the proof, or with the reason why not. */
export type Verdict =
  | { kind: 'delete'; proof: string; seen: StudyAsSeen; bytes: number }
  | { kind: 'keep'; reason: string }

export interface VerdictOptions {
  database: Knex
  objects: Pick<Objects, 'pathOf'>
  destinations: { get(name: string): Destination | undefined }
  /** Where the node itself listens: a destination there proves nothing. */
  own: OwnAddress
  now: () => Date
  /** False: destinations are not asked, and the proof says that they would be. */
  ask: boolean
  /** How often in a row each destination could not be asked: after three times it is not asked again. */
  failures: Map<string, number>
}

const patience = 3

interface StoredResult {
  id: number
  sopInstanceUID: string
  seriesInstanceUID: string
  objectKey: string
  size: number
}

/**
 * Decides whether a study may be deleted by a rule. Nothing is that is not proven to be elsewhere: its source instances at each
 * `storedAt`, its results at each `verifiedAt`.
 */
export async function judgeStudy(study: Candidate, rule: RetentionRule, options: VerdictOptions): Promise<Verdict> {
  const { database } = options
  const early = await whyNotByState(study, rule, database)
  if (early !== null) return keep(early)
  const results: StoredResult[] = await database('results').where({ study_id: study.id }).orderBy('id').select({
    id: 'id',
    sopInstanceUID: 'sop_instance_uid',
    seriesInstanceUID: 'series_instance_uid',
    objectKey: 'object_key',
    size: 'size',
  })
  const delivered = await withoutShadows(results, database)
  const undelivered = await whyUndelivered(delivered, rule, database)
  if (undelivered !== null) return keep(undelivered)
  const stored = await countInstances(database, study.id)
  if (stored.source !== study.instances)
    return keep(`its row counts ${study.instances} source instances, and ${stored.source} are indexed`)
  if (stored.source > 0 && rule.storedAt.length === 0)
    return keep(`nothing proves that its ${stored.source} source instances are elsewhere: the rule names no storedAt`)
  const proofs = await proofsOf(study, { rule, results: delivered, source: stored.source }, options)
  const failed = proofs.find(({ kind }) => kind !== 'held')
  if (failed) return keep(failed.sentence)
  const { id, studyInstanceUID, revision, lastInstanceAt } = study
  return {
    kind: 'delete',
    proof: `${proofs.map(({ sentence }) => sentence).join('; ') || 'it holds nothing'} (${options.now().toISOString()})`,
    seen: { id, studyInstanceUID, revision, lastInstanceAt, instances: stored.all, results: results.length },
    bytes: stored.bytes + results.reduce((sum, { size }) => sum + size, 0),
  }
}

function keep(reason: string): Verdict {
  return { kind: 'keep', reason }
}

async function whyNotByState(study: Candidate, rule: RetentionRule, database: Knex): Promise<string | null> {
  if (study.changed === 1) return 'it is being received'
  if (!rule.states.some((state) => state === study.state))
    return `its state is ${study.state}: the rule takes ${rule.states.join(', ')}`
  const [open] = await database('jobs')
    .where({ study_id: study.id })
    .whereIn('state', ['queued', 'running'])
    .count<{ n: number }[]>('* as n')
  return open && open.n > 0 ? `${open.n} of its jobs are queued or running` : null
}

async function whyUndelivered(
  results: readonly StoredResult[],
  rule: RetentionRule,
  database: Knex,
): Promise<string | null> {
  if (results.length === 0) return null
  if (rule.verifiedAt.length === 0)
    return `nothing proves that its ${results.length} results are elsewhere: the rule names no verifiedAt`
  const deliveries: { resultId: number; destination: string; state: string }[] = await database('deliveries')
    .whereIn(
      'result_id',
      results.map(({ id }) => id),
    )
    .select({ resultId: 'result_id', destination: 'destination', state: 'state' })
  const open = deliveries.find(({ state }) => state !== 'verified')
  if (open) return `a delivery to ${open.destination} is ${open.state}`
  for (const name of rule.verifiedAt) {
    const there = new Set(deliveries.filter(({ destination }) => destination === name).map(({ resultId }) => resultId))
    const missing = results.filter(({ id }) => !there.has(id)).length
    if (missing > 0) return `${missing} of its ${results.length} results were never delivered to ${name}`
  }
  return null
}

/** Results of shadow routes are delivered to nobody, and go with their study. */
async function withoutShadows(results: readonly StoredResult[], database: Knex): Promise<StoredResult[]> {
  const shadows: number[] = await database('results')
    .join('jobs', 'jobs.id', 'results.job_id')
    .where('jobs.shadow', 1)
    .whereIn(
      'results.id',
      results.map(({ id }) => id),
    )
    .pluck('results.id')
  return results.filter(({ id }) => !shadows.includes(id))
}

async function countInstances(
  database: Knex,
  studyId: number,
): Promise<{ all: number; source: number; bytes: number }> {
  const rows: { origin: string; n: number; bytes: number }[] = await database('instances')
    .where({ study_id: studyId })
    .groupBy('origin')
    .select('origin')
    .count({ n: '*' })
    .sum({ bytes: 'size' })
  const sum = (of: (row: { n: number; bytes: number }) => number) => rows.reduce((total, row) => total + of(row), 0)
  return {
    all: sum(({ n }) => n),
    source: rows.find(({ origin }) => origin === 'source')?.n ?? 0,
    bytes: sum(({ bytes }) => bytes),
  }
}

interface ToProve {
  rule: RetentionRule
  results: readonly StoredResult[]
  /** Number of source instances. */
  source: number
}

/** In the order in which they are cheap; the last may be what speaks against the deletion. */
async function proofsOf(
  study: Candidate,
  { rule, results, source }: ToProve,
  options: VerdictOptions,
): Promise<StudyProof[]> {
  const proofs: StudyProof[] = []
  const add = async (name: string, prove: (destination: Destination) => Promise<StudyProof>): Promise<boolean> => {
    const proof = await proofAt(name, options, prove)
    proofs.push(proof)
    return proof.kind === 'held'
  }
  const { studyInstanceUID } = study
  const replacing = source > 0 ? await thatReplaced(study.id, options.database) : []
  for (const name of source > 0 ? rule.storedAt : []) {
    const prove = async (destination: Destination): Promise<StudyProof> => {
      const sopInstanceUIDs: string[] = await options
        .database('instances')
        .where({ study_id: study.id, origin: 'source' })
        .pluck('sop_instance_uid')
      return proveInstancesHeld(destination, { studyInstanceUID, sopInstanceUIDs }, { name })
    }
    if (!(await add(name, prove))) return proofs
    const proveReplacing = (destination: Destination) =>
      proveComparable(name, () => {
        const deliverables = readyOneByOne(replacing, { studyInstanceUID, objects: options.objects })
        return proveNewestHeld(destination, deliverables, { name, now: options.now })
      })
    if (replacing.length > 0 && !(await add(name, proveReplacing))) return proofs
  }
  for (const name of results.length > 0 ? rule.verifiedAt : []) {
    const prove = (destination: Destination) =>
      proveComparable(name, async () => {
        const deliverables = await Promise.all(
          results.map(async (result) => ({
            ...result,
            studyInstanceUID,
            path: await options.objects.pathOf(result.objectKey),
          })),
        )
        return await proveResultsHeld(destination, deliverables, { name, now: options.now })
      })
    if (!(await add(name, prove))) return proofs
  }
  return proofs
}

interface StoredInstance {
  sopInstanceUID: string
  seriesInstanceUID: string
  objectKey: string
}

/** The source instances of a study that came again with different bytes: an archive that lists their UIDs may hold the older ones. */
async function thatReplaced(studyId: number, database: Knex): Promise<StoredInstance[]> {
  return await database('instances')
    .join('series', 'series.id', 'instances.series_id')
    .where({ 'instances.study_id': studyId, 'instances.origin': 'source' })
    .whereIn('instances.sop_instance_uid', database('replaced_instances').select('sop_instance_uid'))
    .orderBy('instances.id')
    .select({
      sopInstanceUID: 'instances.sop_instance_uid',
      seriesInstanceUID: 'series.series_instance_uid',
      objectKey: 'instances.object_key',
    })
}

async function* readyOneByOne(
  instances: readonly StoredInstance[],
  { studyInstanceUID, objects }: { studyInstanceUID: string; objects: VerdictOptions['objects'] },
): AsyncGenerator<Deliverable> {
  for (const instance of instances)
    yield { ...instance, studyInstanceUID, path: await objects.pathOf(instance.objectKey) }
}

/** What cannot be read here can be compared with nothing there. */
async function proveComparable(name: string, prove: () => Promise<StudyProof>): Promise<StudyProof> {
  try {
    return await prove()
  } catch (error) {
    if (!(error instanceof HilumError)) throw error
    return { kind: 'not-held', sentence: `an object cannot be compared with ${name}: ${messageOf(error)}` }
  }
}

async function proofAt(
  name: string,
  { destinations, own, ask, failures }: VerdictOptions,
  prove: (destination: Destination) => Promise<StudyProof>,
): Promise<StudyProof> {
  const destination = destinations.get(name)
  // The node itself is no proof that something is elsewhere.
  if (destination === undefined || name === 'self')
    return { kind: 'not-held', sentence: `${name} is no destination that could hold it` }
  if (await isOwnAddress(destination.url, own))
    return { kind: 'not-held', sentence: `${name} is this node itself, which proves nothing: ${destination.url}` }
  if (!ask) return { kind: 'held', sentence: `${name} would be asked` }
  const failed = failures.get(name) ?? 0
  if (failed >= patience) return { kind: 'unknown', sentence: `${name} could not be asked ${failed} times in a row` }
  const proof = await prove(destination)
  failures.set(name, proof.kind === 'unknown' ? failed + 1 : 0)
  return proof
}
