import type { Knex } from 'knex'
import type { ApiDeps, GeneralDeps } from '../admin/api.ts'
import type { DestinationsDeps } from '../admin/api-destinations.ts'
import type { JobsDeps } from '../admin/api-jobs.ts'
import type { OverviewDeps } from '../admin/api-overview.ts'
import type { PipelinesDeps } from '../admin/api-pipelines.ts'
import type { SettingsDeps } from '../admin/api-settings.ts'
import type { StudyActsDeps } from '../admin/api-study-acts.ts'
import type { ThumbnailsDeps } from '../admin/api-thumbnails.ts'
import type { EventHub } from '../admin/events.ts'
import { Idempotency } from '../admin/idempotency.ts'
import { QueueControl } from '../admin/queue-control.ts'
import type { Config } from '../config.ts'
import { fileOf, shownSettings } from '../config-origins.ts'
import type { Destinations } from '../deliver/destinations.ts'
import type { SlotState } from '../infer/worker-pool.ts'
import type { JobProgress } from '../jobs/progress.ts'
import type { JobQueue } from '../jobs/queue.ts'
import type { Log } from '../log.ts'
import type { FreeSpace } from '../store/free-space.ts'
import type { Objects } from '../store/objects.ts'
import type { SecretBox } from '../store/secret-box.ts'
import { watchedCertificates } from './certificates.ts'
import type { InstalledPipelines } from './installed-pipelines.ts'
import { ManagedDestinations } from './managed-destinations.ts'
import type { OpenArrivals } from './open-arrivals.ts'
import { NodeOverview, type ReceiverState } from './overview.ts'
import { PipelinesControl } from './pipelines-control.ts'
import type { Remotes } from './remotes.ts'
import { StudyActs } from './study-acts.ts'
import { Thumbnails } from './thumbnails.ts'

export interface NodeControlParts {
  config: Config
  /** Of the program. */
  version: string
  database: Knex
  objects: Objects
  queue: JobQueue
  progress: JobProgress
  pipelines: InstalledPipelines
  destinations: Destinations
  remotes: Remotes
  /** The node's own store. */
  self: { url: string; token: string }
  hub: EventHub
  space: FreeSpace
  box: SecretBox
  log: Log
  /** What arrives now, and the process that receives it; null where this node does not receive. */
  receiving: () => { open: OpenArrivals; receiver: ReceiverState } | null
  /** The runners of jobs; null where this node does no work. */
  work: () => { cancel(id: string, by: string): boolean; workers(): SlotState[]; poke(): void } | null
  now?: () => Date
}

type Api = GeneralDeps &
  OverviewDeps &
  JobsDeps &
  StudyActsDeps &
  ThumbnailsDeps &
  PipelinesDeps &
  DestinationsDeps &
  SettingsDeps

/** What people see of the node and do with it: the parts of the API that stand on no stage alone. */
export class NodeControl {
  readonly api: Api & Pick<ApiDeps, 'idempotency'>
  readonly thumbnails: Thumbnails
  readonly #managed: ManagedDestinations

  constructor(parts: NodeControlParts) {
    const {
      config,
      version,
      database,
      objects,
      queue,
      progress,
      pipelines,
      destinations,
      remotes,
      hub,
      space,
      box,
      log,
      now,
    } = parts
    const clock = now ? { now } : {}
    const poke = () => parts.work()?.poke()
    const { dataDir, page } = config
    const control = new QueueControl({
      knex: database,
      queue,
      progress,
      slots: { infer: config.infer.slots, deliver: config.deliver.slots },
      cancelRunning: (id, by) => parts.work()?.cancel(id, by) ?? false,
      poke,
      onChange: () => hub.publish({ kind: 'queue' }),
      ...clock,
    })
    const managed = new ManagedDestinations({
      config,
      database,
      destinations,
      self: parts.self,
      box,
      log,
      onChange: () => {
        poke()
        hub.publish({ kind: 'destination' })
      },
      ...clock,
    })
    this.#managed = managed
    this.thumbnails = new Thumbnails({ database, objects, dataDir, mostBytes: page.thumbnails })
    const overview = new NodeOverview({
      database,
      queue: control,
      dataDir,
      space,
      destinations,
      arrivals: { list: () => parts.receiving()?.open.list() ?? [] },
      receiver: () => parts.receiving()?.receiver ?? null,
      workers: () => parts.work()?.workers() ?? [],
      lateAfter: page.lateAfter,
      ...clock,
    })
    const acts = new StudyActs({
      database,
      objects,
      queue,
      log,
      pipeline: (reference) => pipelines.get(reference),
      pinnedPipeline: (reference) => pipelines.pinned(reference),
      destinations,
      onChange: (studyInstanceUID) => {
        poke()
        hub.publish({ kind: 'study', studyInstanceUID })
      },
      onDeleted: (studyInstanceUID) => this.thumbnails.forget(studyInstanceUID),
      ...clock,
    })
    const pipelinesControl = new PipelinesControl({
      database,
      installed: pipelines,
      folder: config.pipelines.folder,
      dataDir,
      mostBytes: page.uploads,
      minimumFree: config.receive.minimumFree,
      log,
      onChange: () => {
        poke()
        hub.publish({ kind: 'pipeline' })
      },
      ...clock,
    })
    this.api = {
      idempotency: new Idempotency({ knex: database, box, ...clock }),
      queue: control,
      overview: () => overview.read(),
      acts,
      thumbnails: this.thumbnails.deps,
      pipelines: pipelinesControl,
      destinations: managed,
      settings: () => ({ file: fileOf(config), version, settings: shownSettings(config) }),
      certificates: () => watchedCertificates({ config, database, remotes }),
    }
  }

  /** Takes the destinations of the database into use. */
  async start(): Promise<void> {
    await this.#managed.start()
  }

  async stop(): Promise<void> {
    this.#managed.stop()
    await this.thumbnails.close()
  }
}
