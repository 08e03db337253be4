import type { Knex } from 'knex'
import { deletionReason, deletionsOf } from './delete-study.ts'
import type { Timeline } from './timeline-types.ts'

type Event = Timeline['events'][number]

/**
 * What happened to a study beside its flow, its earlier deletions included, and what was said of its completeness (MPPS, notifications,
 * HL7), in the order of time.
 */
export async function eventsOf(
  database: Knex,
  study: { id: number; study_instance_uid: string; accession_number: string | null },
): Promise<Event[]> {
  const own = await database('study_events')
    .where({ study_id: study.id })
    .orderBy('id')
    .select<Event[]>('at', 'kind', 'sentence')
  const deleted = (await deletionsOf(database, study.study_instance_uid)).map((deletion) => ({
    at: deletion.at,
    kind: 'deleted',
    sentence: `the study was deleted ${deletionReason(deletion)}`,
  }))
  return [...own, ...deleted, ...(await saidOf(database, study))].sort((a, b) =>
    a.at < b.at ? -1 : a.at > b.at ? 1 : 0,
  )
}

async function saidOf(
  database: Knex,
  { study_instance_uid, accession_number }: { study_instance_uid: string; accession_number: string | null },
): Promise<Event[]> {
  const subjects = database('completion_hint_subjects').where({ study_instance_uid }).select('hint_id')
  if (accession_number) subjects.orWhere({ accession_number })
  const hints = await database('completion_hints')
    .whereIn('id', subjects)
    .orderBy('id')
    .select<{ kind: string; events: string }[]>('kind', 'events')
  return hints.flatMap(({ kind, events }) =>
    (JSON.parse(events) as { at: string; sentence: string }[]).map(({ at, sentence }) => ({ at, kind, sentence })),
  )
}
