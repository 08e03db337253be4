import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { silentLog } from '../../src/log.ts'
import { recoverIncoming } from '../../src/receive/recovery.ts'
import { ctSlice, type Natural, writePart10 } from './part10-file.ts'
import type { TemporaryStore } from './temporary-store.ts'

/** Puts instances into a store, as if they had been received: CT slices with the attributes given. */
export async function arrive(store: TemporaryStore, instances: readonly Natural[]): Promise<void> {
  for (const attributes of instances)
    writePart10(path.join(store.incoming, `${randomBytes(12).toString('hex')}.dcm`), ctSlice(attributes))
  await recoverIncoming({
    incomingFolder: store.incoming,
    quarantineFolder: store.quarantine,
    database: store.database,
    objects: store.objects,
    indexer: store.indexer,
    log: silentLog,
    deleteUnfinished: true,
  })
}
