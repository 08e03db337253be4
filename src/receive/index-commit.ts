import type { Knex } from 'knex'
import { StoreError } from '../store/error.ts'
import { insertRows } from '../store/insert-rows.ts'
import { grouped } from './index-groups.ts'
import { clipped, wholeNumber } from './index-header.ts'
import type { Preparation, PreparedInstance } from './index-preparation.ts'
import { seriesKeyOf } from './index-preparation.ts'
import { remarkOnCharacterSets } from './index-remarks.ts'
import { recordReplaced } from './index-replaced.ts'
import { changesContent, upsertSeries, upsertStudies } from './index-upserts.ts'

/** A study that a batch touched. */
export interface IndexedStudy {
  id: number
  studyInstanceUID: string
  /** True when its source content changed: it will make a new revision. */
  changed: boolean
  /** Ids of the associations, or STOW-RS requests, that brought the instances. */
  associations: string[]
}

/** Ids of the rows that belong to a batch. */
export interface BatchIds {
  studies: ReadonlyMap<string, number>
  series: ReadonlyMap<string, number>
}

/**
 * Writes a prepared batch inside a transaction. The first statement is a write, so that SQLite takes its lock at once.
 * @param now ISO 8601 UTC
 * @throws StoreError `index-conflict` where rows changed since the preparation
 */
export async function commitBatch(trx: Knex, preparation: Preparation, now: string): Promise<IndexedStudy[]> {
  const instances = preparation.instances.filter(({ verdict }) => verdict !== 'known')
  if (instances.length === 0) return []
  const studies = await upsertStudies(trx, { instances, preparation, now })
  const series = await upsertSeries(trx, { instances, preparation, studies, now })
  const ids = { studies, series }
  await checkUnchanged(trx, instances)
  await insertInstances(trx, instances, ids)
  await recordReplaced(trx, { instances, preparation, ids, now })
  await countArrivals(trx, instances, ids)
  await remarkOnCharacterSets(trx, { headers: preparation.headers, studies, now })
  return studiesOf(instances, studies)
}

/** The comparison was made with an object that must still be the indexed one. */
async function checkUnchanged(trx: Knex, instances: readonly PreparedInstance[]): Promise<void> {
  const compared = instances.filter(({ existing }) => existing !== null)
  if (compared.length === 0) return
  const rows = await trx('instances')
    .whereIn(
      'sop_instance_uid',
      compared.map(({ received }) => received.sopInstanceUID),
    )
    .select<{ sop_instance_uid: string; object_key: string }[]>('sop_instance_uid', 'object_key')
  const keys = new Map(rows.map((row) => [row.sop_instance_uid, row.object_key]))
  for (const { received, existing } of compared)
    if (keys.get(received.sopInstanceUID) !== existing?.object_key)
      throw new StoreError('index-conflict', 'an instance was replaced while it was compared', { retry: 'transient' })
}

const instanceColumns = [
  'study_id',
  'series_id',
  'sop_instance_uid',
  'sop_class_uid',
  'transfer_syntax_uid',
  'instance_number',
  'rows',
  'columns',
  'bits_allocated',
  'number_of_frames',
  'size',
  'object_key',
  'origin',
  'received_at',
] as const

const int32 = 2 ** 31 - 1

/** New instances must not exist; replaced ones are overwritten. */
async function insertInstances(trx: Knex, instances: readonly PreparedInstance[], ids: BatchIds): Promise<void> {
  const rowsOf = (verdict: PreparedInstance['verdict']) =>
    instances.filter((instance) => instance.verdict === verdict).map((instance) => instanceRow(instance, ids))
  await insertRows(trx, { table: 'instances', columns: instanceColumns, rows: rowsOf('new') })
  const updates = instanceColumns.map((column) => `"${column}" = excluded."${column}"`).join(', ')
  await insertRows(trx, {
    table: 'instances',
    columns: instanceColumns,
    rows: rowsOf('different'),
    suffix: `on conflict ("sop_instance_uid") do update set ${updates}`,
  })
}

function instanceRow({ received, key, origin }: PreparedInstance, ids: BatchIds): (string | number | null)[] {
  return [
    idOf(ids.studies, received.studyInstanceUID),
    idOf(ids.series, seriesKeyOf(received)),
    received.sopInstanceUID,
    received.sopClassUID,
    received.transferSyntaxUID,
    wholeNumber(received.instanceNumber),
    wholeNumber(received.rows, int32),
    wholeNumber(received.columns, int32),
    wholeNumber(received.bitsAllocated, int32),
    wholeNumber(received.numberOfFrames, int32),
    received.size,
    key,
    origin,
    received.at,
  ]
}

const arrivalColumns = [
  'study_id',
  'series_id',
  'association',
  'via',
  'sender',
  'first_at',
  'last_at',
  'instances',
  'identical',
  'replaced',
]

/** One row an association and series, whatever the number of batches. */
async function countArrivals(trx: Knex, instances: readonly PreparedInstance[], ids: BatchIds): Promise<void> {
  const groups = grouped(instances, ({ received }) => `${received.association} ${seriesKeyOf(received)}`)
  const rows = [...groups.values()].map((group) => arrivalRow(group, ids))
  await insertRows(trx, {
    table: 'arrivals',
    columns: arrivalColumns,
    rows,
    suffix: `on conflict ("association", "series_id") do update set
      "instances" = "arrivals"."instances" + excluded."instances",
      "identical" = "arrivals"."identical" + excluded."identical",
      "replaced" = "arrivals"."replaced" + excluded."replaced",
      "first_at" = case when excluded."first_at" < "arrivals"."first_at" then excluded."first_at" else "arrivals"."first_at" end,
      "last_at" = case when excluded."last_at" > "arrivals"."last_at" then excluded."last_at" else "arrivals"."last_at" end`,
  })
}

function arrivalRow(group: readonly PreparedInstance[], ids: BatchIds): (string | number | null)[] {
  const first = (group[0] as PreparedInstance).received
  const times = group.map(({ received }) => received.at).sort()
  return [
    idOf(ids.studies, first.studyInstanceUID),
    idOf(ids.series, seriesKeyOf(first)),
    clipped(first.association, 64),
    first.via,
    clipped(`${first.sender.callingAETitle}@${first.sender.address}`, 255),
    times[0] as string,
    times.at(-1) as string,
    group.filter(({ verdict }) => verdict === 'new').length,
    group.filter(({ verdict }) => verdict === 'identical').length,
    group.filter(({ verdict }) => verdict === 'different').length,
  ]
}

function studiesOf(instances: readonly PreparedInstance[], ids: ReadonlyMap<string, number>): IndexedStudy[] {
  const groups = grouped(instances, ({ received }) => received.studyInstanceUID)
  return [...groups].map(([studyInstanceUID, group]) => ({
    id: idOf(ids, studyInstanceUID),
    studyInstanceUID,
    changed: group.some(changesContent),
    associations: [...new Set(group.map(({ received }) => received.association))],
  }))
}

/** @throws StoreError `index-conflict`: the upsert before must have given an id */
export function idOf(ids: ReadonlyMap<string, number>, key: string): number {
  const id = ids.get(key)
  if (id === undefined)
    throw new StoreError('index-conflict', 'a row vanished while a batch was written', { retry: 'transient' })
  return id
}
