import type { Knex } from 'knex'
import { StoreError } from '../store/error.ts'
import { insertRows } from '../store/insert-rows.ts'
import { grouped } from './index-groups.ts'
import type { SeriesColumns, StudyColumns } from './index-header.ts'
import { minimalHeader, seriesColumns, studyColumns } from './index-header.ts'
import type { Preparation, PreparedInstance } from './index-preparation.ts'
import { seriesKeyOf } from './index-preparation.ts'

interface UpsertOptions {
  instances: readonly PreparedInstance[]
  preparation: Preparation
  /** ISO 8601 UTC. */
  now: string
}

/** True where an instance that came again left its series, or changed between source and result. */
export function moved({ existing, received, origin }: PreparedInstance): boolean {
  if (existing === null) return false
  return (
    existing.origin !== origin ||
    existing.series_instance_uid !== received.seriesInstanceUID ||
    leftStudy({ existing, received })
  )
}

/** True where an instance that came again names another study than before. */
export function leftStudy({ existing, received }: Pick<PreparedInstance, 'existing' | 'received'>): boolean {
  return existing !== null && existing.study_instance_uid !== received.studyInstanceUID
}

/** True for what makes a new revision: a source instance that was not here with these bytes. */
export function changesContent({ origin, verdict }: PreparedInstance): boolean {
  return origin === 'source' && (verdict === 'new' || verdict === 'different')
}

/** True where the instance adds to its series' count. */
function counts(instance: PreparedInstance): boolean {
  return instance.verdict === 'new' || (instance.verdict === 'different' && moved(instance))
}

/** A row that exists keeps these: the upsert only adds to its counters. */
const noStudy: StudyColumns = {
  patient_id: null,
  patient_name: null,
  patient_birth_date: null,
  patient_sex: null,
  study_date: null,
  study_time: null,
  accession_number: null,
  study_id: null,
  study_description: null,
  referring_physician_name: null,
  header: '{}',
  search_date: '',
  search_text: '',
  patient_name_key: null,
  patient_name_ideographic_key: null,
  patient_name_phonetic_key: null,
  referring_physician_name_key: null,
  referring_physician_name_ideographic_key: null,
  referring_physician_name_phonetic_key: null,
}
const noSeries: SeriesColumns = {
  modality: null,
  series_number: null,
  series_description: null,
  body_part_examined: null,
  header: '{}',
}

const studyCounters = [
  'study_instance_uid',
  'state',
  'changed',
  'source_instances',
  'last_instance_at',
  'created_at',
  'updated_at',
] as const

const studyMerge = `on conflict ("study_instance_uid") do update set
  "source_instances" = "studies"."source_instances" + excluded."source_instances",
  "changed" = case when excluded."changed" = 1 then 1 else "studies"."changed" end,
  "state" = case when excluded."changed" = 1 then 'receiving' else "studies"."state" end,
  "released_at" = case when excluded."changed" = 1 then null else "studies"."released_at" end,
  "updated_at" = case when excluded."changed" = 1 then excluded."updated_at" else "studies"."updated_at" end,
  "last_instance_at" = case when excluded."changed" = 1 and excluded."last_instance_at" > "studies"."last_instance_at"
    then excluded."last_instance_at" else "studies"."last_instance_at" end
  returning "id", "study_instance_uid"`

/**
 * One statement for all studies of a batch: new ones get their rows, others their counters.
 * @returns ids by Study Instance UID
 */
export async function upsertStudies(
  trx: Knex,
  { instances, preparation, now }: UpsertOptions,
): Promise<Map<string, number>> {
  const groups = grouped(instances, ({ received }) => received.studyInstanceUID)
  const names = Object.keys(noStudy) as (keyof StudyColumns)[]
  // In one order everywhere, so that two nodes on one database never wait for each other.
  const rows = [...groups.keys()].sort().map((uid) => {
    const group = groups.get(uid) ?? []
    const columns = preparation.studyIds.has(uid) ? noStudy : studyColumns(headerOf(group, preparation))
    const changed = group.some(changesContent)
    const added = group.filter((instance) => instance.origin === 'source' && counts(instance)).length
    const lastAt =
      group
        .map(({ received }) => received.at)
        .sort()
        .at(-1) ?? now
    return [
      uid,
      changed ? 'receiving' : 'done',
      changed ? 1 : 0,
      added,
      lastAt,
      now,
      now,
      ...names.map((name) => columns[name]),
    ]
  })
  const returned = await insertRows<{ id: number; study_instance_uid: string }>(trx, {
    table: 'studies',
    columns: [...studyCounters, ...names],
    rows,
    suffix: studyMerge,
  })
  const ids = new Map(returned.map((row) => [row.study_instance_uid, row.id]))
  checkKnown(ids, preparation.studyIds)
  return ids
}

const seriesCounters = ['study_id', 'series_instance_uid', 'origin', 'instances', 'created_at'] as const

const seriesMerge = `on conflict ("study_id", "series_instance_uid") do update set
  "instances" = "series"."instances" + excluded."instances"
  returning "id", "study_id", "series_instance_uid"`

/**
 * One statement for all series of a batch.
 * @returns ids by `seriesKeyOf`
 */
export async function upsertSeries(
  trx: Knex,
  { instances, preparation, now, studies }: UpsertOptions & { studies: ReadonlyMap<string, number> },
): Promise<Map<string, number>> {
  const groups = grouped(instances, ({ received }) => seriesKeyOf(received))
  const names = Object.keys(noSeries) as (keyof SeriesColumns)[]
  const rows = [...groups.keys()].sort().map((key) => {
    const group = groups.get(key) ?? []
    const { received, origin } = group[0] as PreparedInstance
    const columns = preparation.seriesIds.has(key) ? noSeries : seriesColumns(headerOf(group, preparation))
    const studyId = studies.get(received.studyInstanceUID) ?? null
    return [
      studyId,
      received.seriesInstanceUID,
      origin,
      group.filter(counts).length,
      now,
      ...names.map((name) => columns[name]),
    ]
  })
  const returned = await insertRows<{ id: number; study_id: number; series_instance_uid: string }>(trx, {
    table: 'series',
    columns: [...seriesCounters, ...names],
    rows,
    suffix: seriesMerge,
  })
  const studyUIDs = new Map([...studies].map(([uid, id]) => [id, uid]))
  const ids = new Map(returned.map((row) => [`${studyUIDs.get(row.study_id)}/${row.series_instance_uid}`, row.id]))
  checkKnown(ids, preparation.seriesIds)
  return ids
}

function headerOf(group: readonly PreparedInstance[], { headers }: Preparation) {
  for (const { received } of group) {
    const header = headers.get(seriesKeyOf(received))
    if (header) return header
  }
  return minimalHeader((group[0] as PreparedInstance).received)
}

/** A row that was deleted since the preparation came back empty from the upsert, under another id. */
function checkKnown(ids: ReadonlyMap<string, number>, known: ReadonlyMap<string, number>): void {
  for (const [key, id] of known)
    if (ids.has(key) && ids.get(key) !== id)
      throw new StoreError('index-conflict', 'a row was deleted while a batch was prepared', { retry: 'transient' })
}
