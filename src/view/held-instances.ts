import type { Knex } from 'knex'
import { dimseStatus } from '../dimse/status.ts'

/** An instance as somebody refers to it. */
export interface InstanceReference {
  sopClassUID: string
  sopInstanceUID: string
}

/** How large objects are; null where nothing is stored. */
interface ObjectSizes {
  stat(key: string): Promise<{ size: number } | null>
}

/** Failure Reasons (PS3.3 C.14.1.1). */
const { processingFailure, noSuchObjectInstance, classInstanceConflict } = dimseStatus

const batchLength = 500
const filesAtOnce = 16

interface Row {
  sop_instance_uid: string
  sop_class_uid: string
  object_key: string
  size: number
}

/**
 * Looks instances up in the index, and their objects where they are kept: held is only what is there, of the right SOP class, with as
 * many bytes as were received.
 * @returns for each reference the Failure Reason (0008,1197) why the node does not answer for it; null: it is held
 */
export async function whyNotHeld(
  database: Knex,
  objects: ObjectSizes,
  references: readonly InstanceReference[],
): Promise<(number | null)[]> {
  const reasons: (number | null)[] = []
  for (let start = 0; start < references.length; start += batchLength) {
    const batch = references.slice(start, start + batchLength)
    const rows: Row[] = await database('instances')
      .whereIn(
        'sop_instance_uid',
        batch.map(({ sopInstanceUID }) => sopInstanceUID),
      )
      .select('sop_instance_uid', 'sop_class_uid', 'object_key', 'size')
    const byUID = new Map(rows.map((row) => [row.sop_instance_uid, row]))
    reasons.push(...(await mapAtOnce(batch, (reference) => failureOf(reference, byUID, objects))))
  }
  return reasons
}

async function failureOf(
  { sopClassUID, sopInstanceUID }: InstanceReference,
  rows: ReadonlyMap<string, Row>,
  objects: ObjectSizes,
): Promise<number | null> {
  const row = rows.get(sopInstanceUID)
  if (row === undefined) return noSuchObjectInstance
  if (row.sop_class_uid !== sopClassUID) return classInstanceConflict
  const object = await objects.stat(row.object_key)
  if (object === null) return noSuchObjectInstance
  return object.size === row.size ? null : processingFailure
}

/** Results in the order of the values, a few at a time. */
async function mapAtOnce<T, R>(values: readonly T[], act: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const rest = [...values.entries()].reverse()
  const worker = async () => {
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) results[next[0]] = await act(next[1])
  }
  await Promise.all(Array.from({ length: filesAtOnce }, worker))
  return results
}
