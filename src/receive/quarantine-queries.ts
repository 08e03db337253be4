import type { Knex } from 'knex'
import { clipped } from './index-header.ts'
import type { QuarantinedObject } from './received.ts'

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

/** Lists an object in quarantine; the same file again changes nothing. */
export async function insertQuarantined(database: Knex, object: QuarantinedObject): Promise<void> {
  const uid = (value: string | null) => (value === null ? null : clipped(value, 64))
  await database('quarantine')
    .insert({
      at: object.at,
      code: clipped(object.code, 64),
      reason: clipped(object.reason, 4000),
      via: object.via,
      sender: clipped(`${object.sender.callingAETitle}@${object.sender.address}`, 255),
      sop_class_uid: uid(object.sopClassUID),
      sop_instance_uid: uid(object.sopInstanceUID),
      transfer_syntax_uid: uid(object.transferSyntaxUID),
      file: object.file,
      size: object.size,
    })
    .onConflict('file')
    .ignore()
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
