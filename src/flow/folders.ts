import type { Knex } from 'knex'
import type { EventHub } from '../admin/events.ts'
import type { Assembler } from '../assemble/assembler.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { QuarantineActs } from '../receive/quarantine-acts.ts'
import { WatchedFolders } from '../receive/watched-folders.ts'
import type { IncomingFolder } from '../store/incoming.ts'
import type { Arrivals } from './arrivals.ts'

export interface FolderParts {
  config: Config
  database: Knex
  incoming: IncomingFolder
  arrivals: Arrivals
  assembler: Assembler
  log: Log
}

/** The watched folders of the configuration, as an entry like the others; not started. */
export function watchedFolders({ config, database, incoming, arrivals, assembler, log }: FolderParts): WatchedFolders {
  return new WatchedFolders(config.receive.folders, {
    database,
    incoming,
    indexWriter: arrivals,
    onQuarantined: (object) => arrivals.onQuarantined(object),
    onBatch: {
      began: (association) => assembler.associationOpened(association),
      ended: (association) => assembler.associationClosed(association, new Date().toISOString()),
      lost: (association) => assembler.associationLost(association),
    },
    log,
  })
}

/** What operators may do about the quarantine; what is taken in again goes the way of every arrival. */
export function quarantineActs({
  database,
  incoming,
  arrivals,
  hub,
  log,
}: Pick<FolderParts, 'database' | 'incoming' | 'arrivals' | 'log'> & { hub: EventHub }): QuarantineActs {
  return new QuarantineActs({
    database,
    incoming,
    indexWriter: arrivals,
    onChanged: () => hub.publish({ kind: 'quarantine' }),
    log,
  })
}
