import type { Knex } from 'knex'

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
}

/** Quarantined objects, the newest first. */
export async function listQuarantined(
  database: Knex,
  page: { limit: number; offset: number },
): Promise<{ total: number; objects: QuarantineEntry[] }> {
  const counted = await database('quarantine').count<{ n: number }[]>('* as n')
  const objects = await database('quarantine')
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
    })
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
  return { total: counted[0]?.n ?? 0, objects }
}
