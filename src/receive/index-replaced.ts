import type { Knex } from 'knex'
import { insertRows } from '../store/insert-rows.ts'
import type { BatchIds } from './index-commit.ts'
import { grouped } from './index-groups.ts'
import { seriesColumns, studyColumns } from './index-header.ts'
import type { IndexedInstance, Preparation, PreparedInstance } from './index-preparation.ts'
import { seriesKeyOf } from './index-preparation.ts'
import { leftStudy, moved } from './index-upserts.ts'

interface Replaced extends PreparedInstance {
  existing: IndexedInstance
}

interface ReplacedOptions {
  instances: readonly PreparedInstance[]
  preparation: Preparation
  ids: BatchIds
  now: string
}

/** Keeps the older objects of instances that came again with different bytes, corrects counts and headers, and tells the timeline. */
export async function recordReplaced(trx: Knex, options: ReplacedOptions): Promise<void> {
  const replaced = options.instances.filter((i): i is Replaced => i.verdict === 'different' && i.existing !== null)
  if (replaced.length === 0) return
  await insertRows(trx, {
    table: 'replaced_instances',
    columns: ['study_id', 'sop_instance_uid', 'object_key', 'replaced_at'],
    rows: replaced.map(({ existing }) => [
      existing.study_id,
      existing.sop_instance_uid,
      existing.object_key,
      options.now,
    ]),
  })
  await leaveOldSeries(trx, replaced.filter(moved), options.now)
  await refreshHeaders(trx, replaced, options)
  for (const [association, group] of grouped(replaced, ({ received }) => received.association))
    await tellStudies(trx, { association, replaced: group, now: options.now })
}

async function leaveOldSeries(trx: Knex, gone: readonly Replaced[], now: string): Promise<void> {
  for (const group of grouped(gone, ({ existing }) => `${existing.series_id}`).values()) {
    const { series_id, study_id } = (group[0] as Replaced).existing
    await trx('series').where({ id: series_id }).decrement('instances', group.length)
    const sources = group.filter(({ existing }) => existing.origin === 'source').length
    if (sources > 0) await trx('studies').where({ id: study_id }).decrement('source_instances', sources)
    if (sources > 0 && group.some(leftStudy))
      await trx('studies')
        .where({ id: study_id })
        .update({ changed: 1, state: 'receiving', released_at: null, last_instance_at: now, updated_at: now })
  }
}

async function refreshHeaders(
  trx: Knex,
  replaced: readonly Replaced[],
  { preparation, ids }: ReplacedOptions,
): Promise<void> {
  for (const [key, group] of grouped(replaced, ({ received }) => seriesKeyOf(received))) {
    const header = preparation.headers.get(key)
    const { received, origin } = group[0] as Replaced
    if (header === undefined) continue
    await trx('series')
      .where({ id: ids.series.get(key) ?? null })
      .update(seriesColumns(header))
    if (origin === 'source')
      await trx('studies')
        .where({ id: ids.studies.get(received.studyInstanceUID) ?? null })
        .update(studyColumns(header))
  }
}

interface Told {
  association: string
  replaced: readonly Replaced[]
  now: string
}

/** One event a study and association: a whole study that is sent again, corrected, is one thing that happened. */
async function tellStudies(trx: Knex, { association, replaced, now }: Told): Promise<void> {
  for (const group of grouped(replaced, ({ existing }) => `${existing.study_id}`).values()) {
    const studyId = (group[0] as Replaced).existing.study_id
    const last = await trx('study_events')
      .where({ study_id: studyId, kind: 'replaced' })
      .orderBy('id', 'desc')
      .first<{ id: number; detail: string } | undefined>('id', 'detail')
    const before = last ? (JSON.parse(last.detail) as ReplacedDetail) : null
    const goesOn = before !== null && before.association === association
    const detail: ReplacedDetail = {
      association,
      instances: group.length + (goesOn ? before.instances : 0),
      left: group.filter(leftStudy).length + (goesOn ? before.left : 0),
    }
    const values = { at: now, sentence: sentenceOf(detail), detail: JSON.stringify(detail) }
    if (goesOn && last) await trx('study_events').where({ id: last.id }).update(values)
    else await trx('study_events').insert({ study_id: studyId, kind: 'replaced', ...values })
  }
}

interface ReplacedDetail {
  association: string
  instances: number
  /** How many of them came under another Study Instance UID, and left this study. */
  left: number
}

function sentenceOf({ instances, left }: ReplacedDetail): string {
  const subject = instances === 1 ? '1 instance' : `${instances} instances`
  const went = left === 0 ? '' : `; ${left} of them in another study, to which they belong now`
  return `${subject} came again with different content: the newer is kept, the older is kept aside${went}`
}
