import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import path from 'node:path'
import type { Knex } from 'knex'
import { clipped } from './index-header.ts'
import type { QuarantinedObject, Sender } from './received.ts'

/** Lists an object in quarantine; the same file again changes nothing. */
export async function insertQuarantined(database: Knex, object: QuarantinedObject): Promise<void> {
  await database('quarantine')
    .insert({ ...reasonColumns(object), at: object.at, file: object.file, size: object.size })
    .onConflict('file')
    .ignore()
}

/** Why an object is in quarantine, and whose it is. */
export type QuarantineReason = Omit<QuarantinedObject, 'file' | 'at' | 'size'>

function reasonColumns(object: QuarantineReason) {
  const uid = (value: string | null) => (value === null ? null : clipped(value, 64))
  return {
    code: clipped(object.code, 64),
    reason: clipped(object.reason, 4000),
    via: object.via,
    sender: clipped(senderText(object.sender), 255),
    sop_class_uid: uid(object.sopClassUID),
    sop_instance_uid: uid(object.sopInstanceUID),
    transfer_syntax_uid: uid(object.transferSyntaxUID),
  }
}

/** As it is kept: CALLINGAE@address. */
function senderText({ callingAETitle, address }: Sender): string {
  return `${callingAETitle}@${address}`
}

/** Gives an object whose reason was lost with a process its reason; any other keeps its own. */
export async function giveReason(database: Knex, id: number, object: QuarantineReason): Promise<void> {
  await database('quarantine').where({ id, code: 'reason-lost' }).update(reasonColumns(object))
}

/**
 * An object in quarantine with the same bytes as a file.
 * @param folder the quarantine folder
 * @returns its id, or null
 */
export async function findSameInQuarantine(
  database: Knex,
  file: { folder: string; path: string; size: number },
): Promise<number | null> {
  const rows = await database('quarantine')
    .where({ size: file.size, state: 'quarantined' })
    .orderBy('id')
    .limit(100)
    .select<{ id: number; file: string }[]>('id', 'file')
  if (rows.length === 0) return null
  const hash = await hashOf(file.path)
  for (const row of rows) {
    const other = await hashOf(path.join(file.folder, path.basename(row.file))).catch(() => null)
    if (other === hash) return row.id
  }
  return null
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** What a quarantined object is taken in again with. */
export interface QuarantineRow {
  id: number
  state: 'quarantined' | 'reingested' | 'discarded'
  code: string
  via: QuarantinedObject['via']
  sender: Sender
  sopClassUID: string | null
  sopInstanceUID: string | null
  /** File name inside the quarantine folder. */
  file: string
  size: number
}

/** @returns null where there is no such object */
export async function findQuarantineRow(database: Knex, id: number): Promise<QuarantineRow | null> {
  const row = await database('quarantine').where({ id }).first()
  if (!row) return null
  const at = String(row.sender).lastIndexOf('@')
  return {
    id,
    state: row.state,
    code: row.code,
    via: row.via,
    sender: { callingAETitle: row.sender.slice(0, at), calledAETitle: '', address: row.sender.slice(at + 1) },
    sopClassUID: row.sop_class_uid,
    sopInstanceUID: row.sop_instance_uid,
    // A name with a path in it would still not leave the folder.
    file: path.basename(row.file),
    size: Number(row.size),
  }
}

/** Removes the row of a file. */
export async function forgetQuarantined(database: Knex, file: string): Promise<void> {
  await database('quarantine').where({ file }).delete()
}

/** Says what became of an object, by whom, and when. */
export async function markQuarantined(
  database: Knex,
  id: number,
  mark: { state: 'reingested' | 'discarded'; by: string; sopInstanceUID?: string },
): Promise<void> {
  await database('quarantine')
    .where({ id })
    .update({
      state: mark.state,
      state_at: new Date().toISOString(),
      state_by: clipped(mark.by, 255),
      stored_instance_uid: mark.sopInstanceUID ?? null,
    })
}
