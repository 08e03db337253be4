import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Knex } from 'knex'
import { numberOf, textOf } from '../dicom/dataset.ts'
import { findDefect, type InstanceFile, readInstanceFile } from '../dicom/instance-file.ts'
import { isUID } from '../dicom/uid.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { isAboutValues, isConflict } from '../store/error.ts'
import type { Objects } from '../store/objects.ts'
import { keyOf } from '../store/objects.ts'
import type { Indexer } from './indexer.ts'
import { insertQuarantined } from './quarantine-queries.ts'
import type { ReceivedInstance, Sender } from './received.ts'
import { setAside } from './set-aside.ts'

export interface RecoveryOptions {
  incomingFolder: string
  quarantineFolder: string
  database: Knex
  objects: Objects
  indexer: Pick<Indexer, 'index'>
  log: Log
  /** Names of journals whose writers are dead; none by default. */
  journals?: readonly string[]
  /** Only while nobody writes into the folder: what is unfinished there may be somebody's who is still at it. */
  deleteUnfinished: boolean
  now?: () => Date
}

/** What was found in the incoming folder. */
export interface Recovered {
  /** Unfinished files, never acknowledged. */
  deleted: number
  /** Lay in journals, and became files of the incoming folder. */
  replayed: number
  /** Indexed already; only their move was missing. */
  moved: number
  indexed: number
  /** Damaged, or refused by the database: all their bytes that there are are kept. */
  quarantined: number
  /** Lay in quarantine without a row: the node ended between the two. */
  listed: number
}

interface Found {
  file: string
  path: string
  size: number
  modifiedAt: Date
}

const batchSize = 200

/**
 * Repairs the index from the incoming folder after a crash: finishes moves, indexes what was acknowledged and not indexed, and puts
 * aside what a power loss left damaged. Doing it again, or half of it, or while others receive, is harmless.
 */
export async function recoverIncoming(options: RecoveryOptions): Promise<Recovered> {
  const { incomingFolder, quarantineFolder } = options
  await mkdir(incomingFolder, { recursive: true })
  await mkdir(quarantineFolder, { recursive: true })
  const recovered: Recovered = { deleted: 0, replayed: 0, moved: 0, indexed: 0, quarantined: 0, listed: 0 }
  if (options.deleteUnfinished) await options.objects.journals.tidy()
  await replayJournals(options, recovered)
  const names = await readdir(incomingFolder)
  for (const name of options.deleteUnfinished ? names.filter(isUnfinished) : []) {
    // The rename precedes Success: nobody was told that this one is safe.
    await rm(path.join(incomingFolder, name), { force: true })
    recovered.deleted++
  }
  const found = await inOrderOfArrival(incomingFolder, names)
  const association = `recovery-${(options.now?.() ?? new Date()).getTime()}`
  for (let start = 0; start < found.length; start += batchSize)
    await recoverBatch(found.slice(start, start + batchSize), { ...options, association, recovered })
  // While others receive, the row of a file may still be on its way, with the reason that is not known here.
  if (options.deleteUnfinished) recovered.listed = await listQuarantine(options)
  return recovered
}

/** What lies in journals becomes files of the incoming folder first: then all that is known of those holds for them, too. */
async function replayJournals(options: RecoveryOptions, recovered: Recovered): Promise<void> {
  const { objects, journals = [], incomingFolder, quarantineFolder, database, log } = options
  const folders = { incoming: incomingFolder, quarantine: quarantineFolder }
  const { records, damaged } = await objects.journals.replay(journals, folders)
  recovered.replayed = records
  for (const file of damaged) {
    const { size } = await stat(path.join(quarantineFolder, file))
    await insertQuarantined(
      database,
      damagedObject({ file, size }, 'its journal does not hold what was written', options),
    )
    log.warn('a damaged record of a journal was put into quarantine', { file })
    recovered.quarantined++
  }
}

/** Gives every quarantined file a row. */
async function listQuarantine({ quarantineFolder, database }: RecoveryOptions): Promise<number> {
  const names = (await readdir(quarantineFolder)).filter((name) => name.endsWith('.dcm'))
  let listed = 0
  for (let start = 0; start < names.length; start += batchSize) {
    const batch = names.slice(start, start + batchSize)
    const known = new Set<string>(await database('quarantine').whereIn('file', batch).pluck('file'))
    for (const file of batch.filter((name) => !known.has(name))) {
      const { size, mtime } = await stat(path.join(quarantineFolder, file))
      await insertQuarantined(database, {
        ...refusedBeforeRestart,
        file,
        at: mtime.toISOString(),
        size,
        code: 'reason-lost',
        reason: 'refused before a restart; why was not written down before the node ended',
      })
      listed++
    }
  }
  return listed
}

function isUnfinished(name: string): boolean {
  return name.endsWith('.part')
}

async function inOrderOfArrival(folder: string, names: readonly string[]): Promise<Found[]> {
  const found: Found[] = []
  for (const file of names.filter((name) => name.endsWith('.dcm'))) {
    const place = path.join(folder, file)
    const stats = await stat(place).catch(unlessGone)
    if (stats) found.push({ file, path: place, size: stats.size, modifiedAt: stats.mtime })
  }
  // Of two with one SOP Instance UID, the later one has to be the one that stays.
  return found.sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime() || (a.file < b.file ? -1 : 1))
}

/** While others receive, a file may be indexed and moved before its turn comes here. */
function unlessGone(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
  throw error
}

interface BatchContext extends RecoveryOptions {
  association: string
  recovered: Recovered
}

async function recoverBatch(found: readonly Found[], context: BatchContext): Promise<void> {
  const examined: { found: Found; finding: Finding }[] = []
  for (const one of found) {
    const finding = await examine(one, context.association)
    if (finding !== null) examined.push({ found: one, finding })
  }
  const uids = examined.flatMap(({ finding }) => (finding.kind === 'instance' ? finding.instance.sopInstanceUID : []))
  const damaged = examined.flatMap(({ found: one, finding }) => (finding.kind === 'defect' ? keyOf(one.file) : []))
  // Damage found later is no reason to take away what the index speaks of.
  const keys = new Set([
    ...(await keysInIndex(context.database, 'sop_instance_uid', uids)),
    ...(await keysInIndex(context.database, 'object_key', damaged)),
  ])
  const unindexed: ReceivedInstance[] = []
  for (const { found: one, finding } of examined) {
    const key = keyOf(one.file)
    if (keys.has(key)) {
      await context.objects.put(key, one.path)
      context.recovered.moved++
    } else if (finding.kind === 'defect') await quarantine(one, finding, context)
    else unindexed.push(finding.instance)
  }
  await indexAll(unindexed, context)
}

/** One instance that the database refuses for its values must not keep the node from starting. */
async function indexAll(instances: readonly ReceivedInstance[], context: BatchContext): Promise<void> {
  if (instances.length === 0) return
  try {
    await context.indexer.index(instances)
    context.recovered.indexed += instances.length
  } catch (error) {
    if (!isAboutValues(error) || isConflict(error)) throw error
    const [only] = instances
    if (instances.length === 1 && only) {
      await setAside(only, error, context)
      context.recovered.quarantined++
      return
    }
    const half = instances.length >> 1
    await indexAll(instances.slice(0, half), context)
    await indexAll(instances.slice(half), context)
  }
}

type Finding = { kind: 'instance'; instance: ReceivedInstance } | { kind: 'defect'; code: string; reason: string }

/** Reads a file to its end; null where it is gone. */
async function examine(found: Found, association: string): Promise<Finding | null> {
  try {
    const instance = describe(await readInstanceFile(found.path), found, association)
    const defect = await findDefect(found.path)
    return defect === null ? { kind: 'instance', instance } : { kind: 'defect', code: 'damaged', reason: defect }
  } catch (error) {
    // What the file system says is no judgement on the instance: it must not be put aside for that.
    if (error instanceof HilumError) return { kind: 'defect', code: error.code, reason: messageOf(error) }
    return unlessGone(error)
  }
}

/** The object keys of instances that are indexed, or kept aside as replaced. By key the whole table is read: once for many of them. */
async function keysInIndex(
  database: Knex,
  column: 'sop_instance_uid' | 'object_key',
  values: readonly string[],
): Promise<Set<string>> {
  const keys = new Set<string>()
  if (values.length === 0) return keys
  for (const table of ['instances', 'replaced_instances'])
    for (const key of await database(table).whereIn(column, values).pluck('object_key')) keys.add(key)
  return keys
}

/** Who sent it was lost with the message; that it arrived, and when, is known from the file. */
const unknownSender: Sender = { callingAETitle: 'unknown', calledAETitle: 'unknown', address: 'recovered' }
const refusedBeforeRestart = {
  via: 'recovery',
  sender: unknownSender,
  sopClassUID: null,
  sopInstanceUID: null,
  transferSyntaxUID: null,
} as const

/** @throws RecoveryError `missing-uid` */
function describe(file: InstanceFile, found: Found, association: string): ReceivedInstance {
  const { elements } = file
  const uid = (keyword: string) => {
    const value = textOf(elements, keyword)
    if (value === null || !isUID(value)) throw new RecoveryError('missing-uid', `the data set has no valid ${keyword}`)
    return value
  }
  return {
    file: found.file,
    association,
    via: 'recovery',
    sender: unknownSender,
    at: found.modifiedAt.toISOString(),
    size: found.size,
    transferSyntaxUID: file.transferSyntaxUID,
    sopClassUID: uid('SOPClassUID'),
    sopInstanceUID: uid('SOPInstanceUID'),
    studyInstanceUID: uid('StudyInstanceUID'),
    seriesInstanceUID: uid('SeriesInstanceUID'),
    instanceNumber: numberOf(elements, 'InstanceNumber'),
    rows: numberOf(elements, 'Rows'),
    columns: numberOf(elements, 'Columns'),
    bitsAllocated: numberOf(elements, 'BitsAllocated'),
    numberOfFrames: numberOf(elements, 'NumberOfFrames'),
    header: elements,
  }
}

class RecoveryError extends HilumError<'missing-uid'> {}

async function quarantine(found: Found, why: { code: string; reason: string }, context: BatchContext): Promise<void> {
  // The row first: a crash before the move finds the file here again, and the same row.
  await insertQuarantined(context.database, damagedObject(found, why.reason, context, why.code))
  await rename(found.path, path.join(context.quarantineFolder, found.file))
  context.recovered.quarantined++
  context.log.warn('a damaged file was put into quarantine', { file: found.file, reason: why.reason })
}

/** A file has its name before its sync, and Success comes after it: which of the two a crash came between is not written anywhere. */
function damagedObject(
  found: Pick<Found, 'file' | 'size'>,
  reason: string,
  { now }: Pick<RecoveryOptions, 'now'>,
  code = 'damaged',
) {
  return {
    ...refusedBeforeRestart,
    file: found.file,
    at: (now?.() ?? new Date()).toISOString(),
    size: found.size,
    code,
    reason: `found damaged after a restart; whether it had been acknowledged is not known: ${reason}`,
  }
}
