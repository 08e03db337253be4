import type { Knex } from 'knex'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { readInstanceFile } from '../dicom/instance-file.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { among } from '../store/among.ts'
import type { Objects } from '../store/objects.ts'
import { keyOf } from '../store/objects.ts'
import { sameDataSet } from './index-comparison.ts'
import { minimalHeader } from './index-header.ts'
import type { ReceivedInstance } from './received.ts'

/** The row that an instance has already. */
export interface IndexedInstance {
  sop_instance_uid: string
  study_id: number
  series_id: number
  study_instance_uid: string
  series_instance_uid: string
  object_key: string
  origin: Origin
}

export type Origin = 'source' | 'result'

/** `known`: this very file was dealt with before (it was reported twice, or a crash came between). */
export type Verdict = 'new' | 'known' | 'identical' | 'different'

export interface PreparedInstance {
  received: ReceivedInstance
  key: string
  origin: Origin
  verdict: Verdict
  existing: IndexedInstance | null
}

/** All that has to be known before the transaction begins: inside it, no file is read. */
export interface Preparation {
  instances: PreparedInstance[]
  /** Ids by `seriesKeyOf` and by Study Instance UID, of those that have rows. */
  seriesIds: Map<string, number>
  studyIds: Map<string, number>
  /** By `seriesKeyOf`: elements of one instance for every series that is new, or some of whose instances are replaced. */
  headers: Map<string, DicomJson>
}

export interface PreparationPorts {
  database: Knex
  objects: Objects
  log: Log
}

/** A series belongs to its study: the same UID does come in two studies. */
export function seriesKeyOf(instance: { studyInstanceUID: string; seriesInstanceUID: string }): string {
  return `${instance.studyInstanceUID}/${instance.seriesInstanceUID}`
}

/**
 * Looks up what is known of a batch, compares files where the same SOP Instance UID came again, and reads the headers that are missing.
 * @param batch instances with different SOP Instance UIDs
 */
export async function prepare(batch: readonly ReceivedInstance[], ports: PreparationPorts): Promise<Preparation> {
  const { database } = ports
  const uids = batch.map((instance) => instance.sopInstanceUID)
  const existing = new Map((await findIndexed(database, uids)).map((row) => [row.sop_instance_uid, row]))
  const ours = new Set<string>(
    await database('results')
      .whereRaw(among(database, 'sop_instance_uid', uids))
      .pluck('sop_instance_uid'),
  )
  const instances: PreparedInstance[] = []
  for (const received of batch) {
    const key = keyOf(received.file)
    const row = existing.get(received.sopInstanceUID) ?? null
    const origin = ours.has(received.sopInstanceUID) ? 'result' : 'source'
    const verdict = row === null ? 'new' : await verdictOn(received, row, ports)
    instances.push({ received, key, origin, existing: row, verdict })
  }
  const { studyIds, seriesIds } = await findKnown(database, batch)
  return { instances, studyIds, seriesIds, headers: await headersFor(instances, seriesIds, ports) }
}

/** The rows of those SOP Instance UIDs that are indexed. */
export async function findIndexed(database: Knex, sopInstanceUIDs: readonly string[]): Promise<IndexedInstance[]> {
  return await database('instances')
    .join('series', 'series.id', 'instances.series_id')
    .join('studies', 'studies.id', 'instances.study_id')
    .whereRaw(among(database, 'instances.sop_instance_uid', sopInstanceUIDs))
    .select<IndexedInstance[]>(
      'instances.sop_instance_uid',
      'instances.study_id',
      'instances.series_id',
      'studies.study_instance_uid',
      'series.series_instance_uid',
      'instances.object_key',
      'instances.origin',
    )
}

async function verdictOn(
  received: ReceivedInstance,
  row: IndexedInstance,
  { objects, log }: PreparationPorts,
): Promise<Verdict> {
  const key = keyOf(received.file)
  // A repeated instance whose file is gone was compared and deleted before; what is not there must never replace what is.
  if (row.object_key === key || (await objects.stat(key)) === null) return 'known'
  if (row.study_instance_uid !== received.studyInstanceUID || row.series_instance_uid !== received.seriesInstanceUID)
    return 'different'
  try {
    return (await sameDataSet(await objects.pathOf(row.object_key), await objects.pathOf(key)))
      ? 'identical'
      : 'different'
  } catch (error) {
    // The newer one must not be thrown away on the word of an object that cannot be read.
    log.error('an indexed object cannot be compared', { objectKey: row.object_key, reason: messageOf(error) })
    return 'different'
  }
}

async function findKnown(
  database: Knex,
  batch: readonly ReceivedInstance[],
): Promise<Pick<Preparation, 'studyIds' | 'seriesIds'>> {
  const studies = await database('studies')
    .whereIn('study_instance_uid', unique(batch.map((instance) => instance.studyInstanceUID)))
    .select<{ id: number; study_instance_uid: string }[]>('id', 'study_instance_uid')
  const studyIds = new Map(studies.map((row) => [row.study_instance_uid, row.id]))
  const studyUIDs = new Map(studies.map((row) => [row.id, row.study_instance_uid]))
  const series = await database('series')
    .whereIn('study_id', [...studyUIDs.keys()])
    .whereIn('series_instance_uid', unique(batch.map((instance) => instance.seriesInstanceUID)))
    .select<{ id: number; study_id: number; series_instance_uid: string }[]>('id', 'study_id', 'series_instance_uid')
  const seriesIds = new Map<string, number>()
  for (const row of series) seriesIds.set(`${studyUIDs.get(row.study_id)}/${row.series_instance_uid}`, row.id)
  return { studyIds, seriesIds }
}

async function headersFor(
  instances: readonly PreparedInstance[],
  seriesIds: ReadonlyMap<string, number>,
  ports: PreparationPorts,
): Promise<Map<string, DicomJson>> {
  const headers = new Map<string, DicomJson>()
  for (const { received, verdict } of instances) {
    const series = seriesKeyOf(received)
    const missing = !seriesIds.has(series) && !headers.has(series)
    // A corrected instance corrects its study and series as well (a name, an accession number).
    if (missing || verdict === 'different') headers.set(series, received.header ?? (await readHeader(received, ports)))
  }
  return headers
}

async function readHeader(received: ReceivedInstance, { objects, log }: PreparationPorts): Promise<DicomJson> {
  try {
    return (await readInstanceFile(await objects.pathOf(keyOf(received.file)))).elements
  } catch (error) {
    // It was acknowledged, so it is indexed by what is known of it.
    log.error('the header of a received instance cannot be read', { file: received.file, reason: messageOf(error) })
    return minimalHeader(received)
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)]
}
