import { Assembler } from '../assemble/assembler.ts'
import { countingArchives } from './expected-counts.ts'
import { missingSeriesOfRoutes, quietTimeOfRoutes } from './quiet-times.ts'
import type { Remotes } from './remotes.ts'
import { routeRevision } from './route-revision.ts'
import type { WorkParts } from './work.ts'

export interface AssemblyParts
  extends Pick<WorkParts, 'config' | 'database' | 'queue' | 'pipelines' | 'destinations' | 'hub' | 'log'> {
  remotes: Remotes
  /** Called when inferences were queued. */
  onQueued: () => void
}

/** What completes studies, with all that it may know of them, and decides the routes on each revision. */
export function createAssembler(parts: AssemblyParts): Assembler {
  const { config, database, queue, pipelines, destinations, hub, log, remotes, onQueued } = parts
  const { quiet, release, longest, expect } = config.assemble
  return new Assembler({
    database,
    log,
    settings: { quietSeconds: quiet, releaseSeconds: release, longestSeconds: longest },
    archives: countingArchives(expect, {
      destinations,
      remote: (title) => remotes.addressOf(title),
      aeTitle: config.aeTitle,
    }),
    quietFor: (studyId) => quietTimeOfRoutes(database, studyId),
    missingFor: (studyId) => missingSeriesOfRoutes(database, studyId),
    onRevision: async ({ id, studyInstanceUID }) => {
      await routeRevision(id, { database, queue, log, pinnedPipeline: (name) => pipelines.pinned(name) })
      onQueued()
      hub.publish({ kind: 'study', studyInstanceUID })
    },
  })
}
