import type { Knex } from 'knex'
import { clipped } from './index-header.ts'
import type { QuarantinedObject } from './received.ts'

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
