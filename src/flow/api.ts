import path from 'node:path'
import type { AppOptions } from '../admin/app.ts'
import type { Assembler } from '../assemble/assembler.ts'
import type { QuarantineActs } from '../receive/quarantine-acts.ts'
import type { WatchedFolders } from '../receive/watched-folders.ts'
import type { FreeSpace } from '../store/free-space.ts'
import { routeActivity } from '../store/route-activity.ts'
import type { Insights } from './insights.ts'
import { knownNames } from './known-names.ts'
import type { NodeControl } from './node-control.ts'
import type { Notifications } from './notifications.ts'
import type { Remotes } from './remotes.ts'
import type { Replays } from './replays.ts'
import type { Retention } from './retention.ts'
import { routeTrials } from './route-trials.ts'
import { routesApi } from './routes-api.ts'
import type { Schedules } from './schedules.ts'
import { verifyReport } from './verify-report.ts'
import { type WorkParts, workFolder } from './work.ts'

export interface ApiParts
  extends Pick<WorkParts, 'config' | 'database' | 'objects' | 'queue' | 'pipelines' | 'destinations' | 'hub'> {
  assembler: Assembler
  control: NodeControl
  insights: Insights
  notifications: Notifications
  schedules: Schedules
  remotes: Remotes
  replays: Replays
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
  control,
  insights,
  notifications,
  schedules,
  assembler,
  hub,
  remotes,
  replays,
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
    routes: routesApi({ database, known: () => knownNames(pipelines, destinations) }),
    routeTrials: routeTrials({ database, replays, poke }),
    routeActivity: (days) => routeActivity(database, days, new Date()),
    ...control.api,
    insights,
    verifyReport: (acceptance) =>
      verifyReport(acceptance, {
        database,
        objects,
        queue,
        workFolder: workFolder(config),
        organisation: { setting: config.insights.organisation, otherwise: config.aeTitle },
        onQueued: poke,
      }),
    notifications,
    schedules,
    remotes,
    retention,
    space,
    quarantine,
    folders: () => folders.status(),
  }
}
