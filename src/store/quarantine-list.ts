import type { Knex } from 'knex'

/** `quarantined`: its bytes are there; `reingested`: it was taken in after all; `discarded`: its bytes were deleted. */
export const quarantineStates = ['quarantined', 'reingested', 'discarded'] as const
export type QuarantineState = (typeof quarantineStates)[number]

/** A quarantined object as it is listed. */
export interface QuarantineEntry {
  id: number
  at: string
  code: string
  reason: string
  via: string
  /** CALLINGAE@address. */
  sender: string
  sopClassUID: string | null
  sopInstanceUID: string | null
  transferSyntaxUID: string | null
  /** File name inside the quarantine folder. */
  file: string
  size: number
  state: QuarantineState
  /** When it was taken in again or discarded, and by whom; null while it is in quarantine. */
  stateAt: string | null
  stateBy: string | null
  /** SOP Instance UID under which it was taken in again. */
  storedInstanceUID: string | null
}

export interface QuarantineFilter {
  state?: QuarantineState | undefined
  code?: string | undefined
  via?: string | undefined
  /** The AE title, or CALLINGAE@address. */
  sender?: string | undefined
  sopInstanceUID?: string | undefined
  /** ISO 8601 UTC, the first and the one after the last. */
  from?: string | undefined
  to?: string | undefined
}

/** Quarantined objects, the newest first; without a filter, in whatever state they are. */
export async function listQuarantined(
  database: Knex,
  { limit, offset, ...filter }: { limit: number; offset: number } & QuarantineFilter,
): Promise<{ total: number; objects: QuarantineEntry[] }> {
  const counted = await matching(database, filter).count<{ n: number }[]>('* as n')
  const objects = await matching(database, filter)
    .select<QuarantineEntry[]>({
      id: 'id',
      at: 'at',
      code: 'code',
      reason: 'reason',
      via: 'via',
      sender: 'sender',
      sopClassUID: 'sop_class_uid',
      sopInstanceUID: 'sop_instance_uid',
      transferSyntaxUID: 'transfer_syntax_uid',
      file: 'file',
      size: 'size',
      state: 'state',
      stateAt: 'state_at',
      stateBy: 'state_by',
      storedInstanceUID: 'stored_instance_uid',
    })
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
  return { total: counted[0]?.n ?? 0, objects }
}

function matching(database: Knex, filter: QuarantineFilter): Knex.QueryBuilder {
  const rows = database('quarantine')
  const { state, code, via, sender, sopInstanceUID, from, to } = filter
  if (state) rows.where({ state })
  if (code) rows.where({ code })
  if (via) rows.where({ via })
  if (sender) {
    const escaped = sender.replace(/[\\%_]/g, '\\$&')
    rows.whereRaw("(sender = ? or sender like ? escape '\\')", [sender, `${escaped}@%`])
  }
  if (sopInstanceUID) rows.where({ sop_instance_uid: sopInstanceUID })
  if (from) rows.where('at', '>=', from)
  if (to) rows.where('at', '<', to)
  return rows
}
