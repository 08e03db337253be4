import { rename } from 'node:fs/promises'
import path from 'node:path'
import type { Knex } from 'knex'
import { errorCode } from '../store/error.ts'
import type { Objects } from '../store/objects.ts'
import { insertQuarantined } from './quarantine-queries.ts'
import type { QuarantinedObject, ReceivedInstance } from './received.ts'

/** Where an instance is taken from, and where it is put. */
export interface SetAsidePorts {
  database: Knex
  objects: Pick<Objects, 'journals'>
  incomingFolder: string
  quarantineFolder: string
}

/**
 * Puts an instance that the database refuses for its values into quarantine, with its bytes. It was acknowledged; indexing it again would
 * be refused again, and hold up whatever waits for it.
 * @param refusal what the database said; its words may hold values, so only its code is told
 * @throws what the database or the file system says
 */
export async function setAside(
  instance: ReceivedInstance,
  refusal: unknown,
  ports: SetAsidePorts,
): Promise<QuarantinedObject> {
  const { database, objects, incomingFolder, quarantineFolder } = ports
  const { file, journal, size, via, sender, sopClassUID, sopInstanceUID, transferSyntaxUID } = instance
  const object = {
    file,
    at: new Date().toISOString(),
    size,
    code: 'not-indexable',
    reason: `acknowledged, but the database refuses to list it (${errorCode(refusal) || 'unknown'})`,
    via,
    sender,
    sopClassUID,
    sopInstanceUID,
    transferSyntaxUID,
  }
  // The row first: a crash before the move finds the instance where it was, and the same row.
  await insertQuarantined(database, object)
  const target = path.join(quarantineFolder, file)
  if (!(await objects.journals.moveTo(file, target))) await rename(path.join(incomingFolder, file), target)
  if (journal) objects.journals.dealtWith({ ...journal, file })
  return object
}
