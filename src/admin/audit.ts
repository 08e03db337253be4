import type { Knex } from 'knex'
import { appendToChain } from '../store/audit-chain.ts'
import type { AuditSearch } from '../store/audit-list.ts'
import { searchAudit } from '../store/audit-list.ts'
import type { AuditDetail } from './audit-message.ts'
import { detailOf } from './audit-message.ts'
import type { Sighting } from './sightings.ts'
import { Sightings } from './sightings.ts'

export type { AuditDetail } from './audit-message.ts'

/** An act that must be accounted for. `subject` is a name, an id or a UID, never a patient's. */
export interface AuditedAct {
  actor: string
  action: string
  subject?: string | undefined
  outcome: 'success' | 'failure'
  studyInstanceUID?: string | undefined
  /** The patient's ID is found by the study, where that is still known. */
  detail?: AuditDetail | undefined
}

export interface AuditEntry {
  id: number
  sequence: number
  at: string
  actor: string
  action: string
  subject: string | null
  outcome: string
  studyInstanceUID: string | null
  detail: AuditDetail
  hash: string
}

/** Longer queries are cut. */
const longestQuery = 4096

/** Who did what, and when. Rows are only ever added, each with the hash of the one before. */
export class Audit {
  readonly #knex: Knex
  readonly #now: () => Date
  readonly #sightings: Sightings
  #onRecorded: () => void = () => {}

  constructor(knex: Knex, now: () => Date = () => new Date()) {
    this.#knex = knex
    this.#now = now
    this.#sightings = new Sightings((act) => this.record(act), now)
  }

  /** Calls back when something was recorded by this process. */
  onRecorded(listener: () => void): void {
    this.#onRecorded = listener
  }

  async record(act: AuditedAct): Promise<void> {
    const studyInstanceUID = act.studyInstanceUID?.slice(0, 64)
    // Before the transaction, which has to begin with a write: see appendToChain.
    const detail = { ...cut(act.detail), ...(await patientOf(this.#knex, studyInstanceUID)) }
    await this.#knex.transaction(async (transaction) => {
      await appendToChain(transaction, {
        at: this.#now().toISOString(),
        actor: act.actor.slice(0, 255),
        action: act.action.slice(0, 64),
        subject: act.subject?.slice(0, 255) ?? null,
        outcome: act.outcome,
        study_instance_uid: studyInstanceUID ?? null,
        detail: Object.keys(detail).length === 0 ? null : JSON.stringify(detail),
      })
    })
    this.#onRecorded()
  }

  /** The patient of a study, for acts that are recorded when the study is gone. */
  patientOf(studyInstanceUID: string): Promise<Pick<AuditDetail, 'patientID'>> {
    return patientOf(this.#knex, studyInstanceUID)
  }

  /** Records that somebody saw something; what the same person sees of one study within minutes is gathered. */
  saw(sighting: Sighting): Promise<void> {
    return this.#sightings.saw(sighting)
  }

  /** Records what was gathered and is ten minutes old, or everything. */
  sweep(options?: { all?: boolean }): Promise<void> {
    return this.#sightings.sweep(options)
  }

  /** The newest entries first. */
  async list(search: AuditSearch): Promise<{ total: number; totalIsExact: boolean; entries: AuditEntry[] }> {
    const { rows, ...counted } = await searchAudit(this.#knex, search)
    const entries = rows.map((row) => ({
      id: row.id,
      sequence: row.sequence,
      at: row.at,
      actor: row.actor,
      action: row.action,
      subject: row.subject,
      outcome: row.outcome,
      studyInstanceUID: row.study_instance_uid,
      detail: detailOf(row),
      hash: row.hash,
    }))
    return { ...counted, entries }
  }
}

async function patientOf(database: Knex, studyInstanceUID: string | undefined): Promise<{ patientID?: string }> {
  if (studyInstanceUID === undefined) return {}
  const found = await database('studies').where({ study_instance_uid: studyInstanceUID }).first('patient_id')
  const patientID = found?.patient_id as string | null | undefined
  return typeof patientID === 'string' && patientID !== '' ? { patientID } : {}
}

function cut(detail: AuditedAct['detail']): AuditDetail {
  if (detail?.query === undefined) return detail ?? {}
  return { ...detail, query: detail.query.slice(0, longestQuery) }
}
