import path from 'node:path'
import type { AppOptions } from '../admin/app.ts'
import type { Assembler } from '../assemble/assembler.ts'
import type { QuarantineActs } from '../receive/quarantine-acts.ts'
import type { WatchedFolders } from '../receive/watched-folders.ts'
import { evaluateRoutes } from '../route/evaluate-routes.ts'
import type { FreeSpace } from '../store/free-space.ts'
import { earlierStudies } from './earlier-studies.ts'
import type { Remotes } from './remotes.ts'
import type { Retention } from './retention.ts'
import { routableStudy } from './routable-study.ts'
import { activeRoutes } from './routes.ts'
import type { WorkParts } from './work.ts'

export interface ApiParts
  extends Pick<WorkParts, 'config' | 'database' | 'objects' | 'queue' | 'pipelines' | 'destinations' | 'hub'> {
  assembler: Assembler
  remotes: Remotes
  retention: Retention
  space: FreeSpace
  quarantine: QuarantineActs
  folders: WatchedFolders
  poke: () => void
}

/** What the API does with the node. */
export function apiOf({
  config,
  database,
  objects,
  queue,
  pipelines,
  destinations,
  assembler,
  hub,
  remotes,
  retention,
  space,
  quarantine,
  folders,
  poke,
}: ApiParts): AppOptions['api'] {
  return {
    knex: database,
    objects,
    hub,
    quarantineFolder: path.join(config.dataDir, 'quarantine'),
    complete: async (studyInstanceUID: string, actor: string): Promise<string | null> => {
      const known = await database('studies').where({ study_instance_uid: studyInstanceUID }).first('id')
      if (!known) return null
      const revision = await assembler.completeNow(studyInstanceUID, actor)
      return revision
        ? `revision ${revision.number} is complete: ${revision.reason}`
        : 'nothing has changed since the newest revision'
    },
    retryJob: async (id: string, by: string): Promise<void> => {
      await queue.retry(id, by)
      poke()
    },
    testRoutes: async (studyInstanceUID: string) => {
      const known = await database('studies').where({ study_instance_uid: studyInstanceUID }).first('id')
      if (!known) return null
      const { routes } = await activeRoutes(database)
      return evaluateRoutes(routes, await routableStudy(database, known.id), await earlierStudies(database, known.id))
    },
    listPipelines: async () => pipelines.list(),
    destinations,
    remotes,
    retention,
    space,
    quarantine,
    folders: () => folders.status(),
  }
}
