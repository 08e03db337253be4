import type { AuditDetail, AuditedAct } from './audit.ts'

/** How long what somebody sees of one study counts as one act, in milliseconds. */
const windowMs = 10 * 60 * 1000
const mostKept = 10_000

/** Somebody saw something, or asked for it. */
export interface Sighting {
  actor: string
  address?: string | undefined
  action: string
  studyInstanceUID?: string | undefined
  subject?: string | undefined
  outcome?: 'success' | 'failure'
  detail?: Pick<AuditDetail, 'query' | 'sopClassUID' | 'aeTitle' | 'peer' | 'reason'>
}

interface Kept {
  sighting: Sighting
  since: number
  last: number
  more: number
}

/**
 * Gathers what is seen, since a viewer asks for a study hundreds of times. The first time is recorded at once; when the same person has looked at
 * the same study for ten minutes, or has stopped, a second entry says how many requests came after it. A crash loses no more than that number.
 */
export class Sightings {
  readonly #record: (act: AuditedAct) => Promise<void>
  readonly #now: () => Date
  readonly #kept = new Map<string, Kept>()

  constructor(record: (act: AuditedAct) => Promise<void>, now: () => Date) {
    this.#record = record
    this.#now = now
  }

  async saw(sighting: Sighting): Promise<void> {
    await this.sweep()
    const now = this.#now().getTime()
    const { actor, address, action, studyInstanceUID, subject, outcome, detail } = sighting
    // Each search is an act of its own by what it asks for, each failure by its reason.
    const key = JSON.stringify([
      actor,
      address,
      action,
      studyInstanceUID,
      subject,
      outcome,
      detail?.query,
      detail?.reason,
    ])
    const kept = this.#kept.get(key)
    if (kept) {
      kept.more++
      kept.last = now
      return
    }
    this.#kept.set(key, { sighting, since: now, last: now, more: 0 })
    await this.#record(actOf(sighting))
  }

  /** Records what has become old, or everything. */
  async sweep({ all = false } = {}): Promise<void> {
    const until = this.#now().getTime() - windowMs
    const due: Kept[] = []
    // The oldest first: a Map keeps the order of insertion.
    for (const [key, kept] of this.#kept) {
      if (!all && kept.since > until && this.#kept.size <= mostKept) break
      this.#kept.delete(key)
      due.push(kept)
    }
    for (const { sighting, last, more } of due)
      if (more > 0) await this.#record(actOf(sighting, { requests: more, until: new Date(last).toISOString() }))
  }
}

function actOf(sighting: Sighting, more: Pick<AuditDetail, 'requests' | 'until'> = {}): AuditedAct {
  const { actor, address, action, studyInstanceUID, subject, outcome = 'success', detail } = sighting
  return {
    actor,
    action,
    subject,
    outcome,
    studyInstanceUID,
    detail: { ...detail, ...(address !== undefined && { address }), ...more },
  }
}
