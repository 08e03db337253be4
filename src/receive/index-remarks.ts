import type { Knex } from 'knex'
import { characterSetRemark } from '../dicom/charset-remark.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'

interface Remarked {
  /** Headers that were read for a batch, by `seriesKeyOf`. */
  headers: ReadonlyMap<string, DicomJson>
  /** Ids of the batch's studies by Study Instance UID. */
  studies: ReadonlyMap<string, number>
  /** ISO 8601 UTC. */
  now: string
}

/** Tells the timelines where text had to be guessed at, or could not be read: once a study and sentence. */
export async function remarkOnCharacterSets(trx: Knex, { headers, studies, now }: Remarked): Promise<void> {
  for (const [key, header] of headers) {
    const studyId = studies.get(key.split('/')[0] ?? '')
    const sentence = characterSetRemark(header)
    if (sentence === null || studyId === undefined) continue
    const told = { study_id: studyId, kind: 'character-set', sentence }
    if ((await trx('study_events').where(told).first('id')) !== undefined) continue
    await trx('study_events').insert({ ...told, at: now, detail: '{}' })
  }
}
