import { statfs } from 'node:fs/promises'
import type { Knex } from 'knex'
import type { Overview } from '../admin/api-overview.ts'
import { countHeld, countIn } from '../admin/job-rows.ts'
import type { QueueControl } from '../admin/queue-control.ts'
import type { SlotState } from '../infer/worker-pool.ts'
import { failureGroups } from '../jobs/failure-groups.ts'
import { pauseOf, pauseSentence, pausesOf } from '../jobs/pauses.ts'
import { countUpTo } from '../store/count-up-to.ts'
import { DayFigures } from '../store/day-figures.ts'
import { deliveryHealth } from '../store/delivery-health.ts'
import type { SpaceReading } from '../store/free-space.ts'
import type { OpenArrival } from './open-arrivals.ts'

/** A child process that receives. */
export interface ReceiverState {
  pid: number | undefined
  startedAt: string | null
  restarts: number
  /** Bytes; null where it has not told. */
  residentBytes: number | null
}

export interface OverviewOptions {
  database: Knex
  queue: QueueControl
  dataDir: string
  space: { read(): SpaceReading }
  destinations: { list(): { name: string; kind: string; url: string }[] }
  /** Associations that are open now. */
  arrivals: { list(): OpenArrival[] }
  /** null where this node does not receive. */
  receiver(): ReceiverState | null
  /** Empty where this node does no work. */
  workers(): SlotState[]
  /** Seconds from the last instance to the last delivered result: more is late. */
  lateAfter: number
  now?: () => Date
}

const most = { associations: 20, studies: 20, running: 50, waiting: 10, groups: 5, failures: 1000 }
/** Questions within this time get one answer, ms: many pages are told of the same event. */
const sharedMs = 400

/** What the node does now, and did today. */
export class NodeOverview {
  readonly #options: OverviewOptions
  readonly #figures: DayFigures
  #shared: { at: number; answer: Promise<Overview> } | null = null

  constructor(options: OverviewOptions) {
    this.#options = options
    this.#figures = new DayFigures(options.database, options.lateAfter)
  }

  read(): Promise<Overview> {
    const now = performance.now()
    if (this.#shared && now - this.#shared.at < sharedMs) return this.#shared.answer
    const answer = this.#read()
    this.#shared = { at: now, answer }
    answer.catch(() => {
      this.#shared = null
    })
    return answer
  }

  async #read(): Promise<Overview> {
    const { database, queue, lateAfter, arrivals } = this.#options
    const now = this.#options.now?.() ?? new Date()
    const midnight = new Date(now)
    midnight.setHours(0, 0, 0, 0)
    const since = midnight.toISOString()
    const quarters = await this.#figures.since(midnight.getTime(), now.getTime())
    const sum = (of: (quarter: (typeof quarters)[number]) => number) => quarters.reduce((all, one) => all + of(one), 0)
    const pauses = await pausesOf(database)
    const open = arrivals.list()
    const { jobs: running } = await queue.list({ state: 'running', limit: most.running, offset: 0 })
    const { jobs: next } = await queue.list({ state: 'queued', limit: most.waiting, offset: 0 })
    const { groups } = await failureGroups(database, {
      most: most.failures,
      jobs: (rows) => void rows.where({ cancelled: 0 }),
    })
    const inState = async (state: string, from?: string) => {
      const studies = database('studies').where({ state })
      if (from !== undefined) studies.where('updated_at', '>=', from)
      return (await countUpTo(database, studies)).total
    }
    return {
      at: now.toISOString(),
      today: {
        since,
        finished: await inState('done', since),
        failed: await inState('failed', since),
        late: sum(({ late }) => late) + (await this.#waitsTooLong(now)),
        receivedStudies: sum(({ studies }) => studies),
        receivedInstances: sum(({ instances }) => instances),
        receivedBytes: await bytesOf(database, now.toISOString().slice(0, 10)),
      },
      lateAfter,
      arriving: {
        associations: open.slice(0, most.associations),
        openAssociations: open.length,
        studies: await receivingStudies(database),
        receiving: await inState('receiving'),
      },
      running,
      waiting: {
        infer: await countIn(database, 'infer', 'queued'),
        deliver: await countIn(database, 'deliver', 'queued'),
        held: await countHeld(database, pauses),
        next,
      },
      failed: {
        studies: await inState('failed'),
        jobs: (await countIn(database, 'infer', 'failed')) + (await countIn(database, 'deliver', 'failed')),
        groups: groups.slice(0, most.groups),
      },
      quarantined: (await countUpTo(database, database('quarantine').where({ state: 'quarantined' }))).total,
      disk: await this.#disk(),
      quarters,
      destinations: await Promise.all(
        this.#options.destinations.list().map(async (one) => {
          const held = pauseOf({ kind: 'deliver', pipeline: null, destination: one.name }, pauses)
          const health = await deliveryHealth(database, one.name)
          return { ...one, ...health, paused: held ? pauseSentence(held) : null }
        }),
      ),
      processes: this.#processes(),
      pauses: await queue.pauses(),
    }
  }

  /** Studies that are complete and have waited for longer than they should. */
  async #waitsTooLong(now: Date): Promise<number> {
    const { database, lateAfter } = this.#options
    const before = new Date(now.getTime() - lateAfter * 1000).toISOString()
    const waiting = database('studies')
      .whereIn('state', ['complete', 'processing'])
      .andWhere('last_instance_at', '<', before)
    return (await countUpTo(database, waiting, 10_000)).total
  }

  async #disk(): Promise<Overview['disk']> {
    const { state, free, warnFree, minimumFree, emergencyFree } = this.#options.space.read()
    const { blocks, bsize } = await statfs(this.#options.dataDir)
    return { state, free, total: blocks * bsize, warnFree, minimumFree, emergencyFree }
  }

  #processes(): Overview['processes'] {
    const { receiver, workers } = this.#options
    const processes: Overview['processes'] = [
      {
        kind: 'node',
        name: 'node',
        pid: process.pid,
        state: 'ready',
        since: new Date(Date.now() - process.uptime() * 1000).toISOString(),
        residentBytes: process.memoryUsage.rss(),
        restarts: 0,
        job: null,
      },
    ]
    const receiving = receiver()
    if (receiving)
      processes.push({
        kind: 'receiver',
        name: 'receiver',
        pid: receiving.pid ?? null,
        state: receiving.pid === undefined ? 'ended' : 'ready',
        since: receiving.startedAt,
        residentBytes: receiving.residentBytes,
        restarts: receiving.restarts,
        job: null,
      })
    for (const [slot, worker] of workers().entries())
      processes.push({
        kind: 'worker',
        name: `inference ${slot + 1}`,
        pid: worker.pid,
        state: worker.state,
        since: worker.startedAt,
        residentBytes: worker.rss || null,
        restarts: worker.restarts,
        job: worker.jobId,
      })
    return processes
  }
}

/** Bytes that came over DICOM on a day (UTC). */
async function bytesOf(database: Knex, day: string): Promise<number> {
  const [row] = await database('remote_days')
    .where({ day })
    .sum<{ bytes: number | string | null }[]>({ bytes: 'bytes' })
  return Number(row?.bytes ?? 0)
}

async function receivingStudies(database: Knex): Promise<Overview['arriving']['studies']> {
  const rows: (Omit<Overview['arriving']['studies'][number], 'modalities'> & { id: number })[] = await database(
    'studies',
  )
    .where({ state: 'receiving' })
    .orderBy('updated_at', 'desc')
    .limit(most.studies)
    .select({
      id: 'id',
      studyInstanceUID: 'study_instance_uid',
      patientName: 'patient_name',
      studyDescription: 'study_description',
      instances: 'source_instances',
      createdAt: 'created_at',
      lastInstanceAt: 'last_instance_at',
    })
  const series: { study_id: number; modality: string }[] = await database('series')
    .whereIn(
      'study_id',
      rows.map(({ id }) => id),
    )
    .andWhere({ origin: 'source' })
    .whereNotNull('modality')
    .distinct('study_id', 'modality')
  return rows.map(({ id, ...study }) => ({
    ...study,
    modalities: series.flatMap(({ study_id, modality }) => (study_id === id ? [modality] : [])).sort(),
  }))
}
