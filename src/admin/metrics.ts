import { statfs } from 'node:fs/promises'
import type { Knex } from 'knex'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { countJobs } from '../jobs/job-list.ts'
import type { SpaceReading } from '../store/free-space.ts'
import { type CountedRemotes, collectRemotes } from './metrics-remotes.ts'

export interface NodeMetricsOptions {
  knex: Knex
  /** The folder whose file system is watched. */
  dataDir: string
  /** The watch over that file system's free space. */
  space?: { read(): SpaceReading }
  remotes?: CountedRemotes
}

/**
 * What the node tells Prometheus. Stages count what they do; what the database knows (studies and jobs by state) is asked for when a
 * scrape comes, so that it is right after a restart too. No label carries a UID or anything of a patient.
 */
export class NodeMetrics {
  readonly registry = new Registry()
  /** Instances made durable, by the way they came and what they were. */
  readonly instancesReceived: Counter<'via'>
  readonly bytesReceived: Counter<'via'>
  readonly quarantined: Counter<'code'>
  /** Associations that ended: released, aborted, lost, refused. */
  readonly associations: Counter<'outcome'>
  readonly associationsOpen: Gauge
  readonly jobDuration: Histogram<'kind' | 'outcome'>
  /** Objects by destination and what became of them. */
  readonly deliveries: Counter<'destination' | 'state'>
  /** Studies that retention deleted, and the bytes of their files. */
  readonly studiesDeleted: Counter<'rule'>
  readonly bytesDeleted: Counter<'rule'>
  readonly receiverResidentBytes: Gauge
  readonly receiverStallSeconds: Gauge

  constructor(options: NodeMetricsOptions) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Counter({ name: `hilum_${name}`, help, labelNames, registers })
    const gauge = (name: string, help: string) => new Gauge({ name: `hilum_${name}`, help, registers })

    this.instancesReceived = counter('instances_received_total', 'Instances received and made durable', ['via'])
    this.bytesReceived = counter('bytes_received_total', 'Bytes of instances received and made durable', ['via'])
    this.quarantined = counter('quarantined_total', 'Objects put into quarantine', ['code'])
    this.associations = counter('associations_total', 'DICOM associations that ended', ['outcome'])
    this.deliveries = counter('deliveries_total', 'Result objects delivered, by destination and state reached', [
      'destination',
      'state',
    ])
    this.studiesDeleted = counter('retention_studies_deleted_total', 'Studies deleted by retention', ['rule'])
    this.bytesDeleted = counter('retention_bytes_deleted_total', 'Bytes of the studies deleted by retention', ['rule'])
    this.associationsOpen = gauge('associations_open', 'DICOM associations open now')
    this.receiverResidentBytes = gauge('receiver_resident_bytes', 'Resident memory of the receiving process')
    this.receiverStallSeconds = gauge(
      'receiver_stall_seconds',
      'Longest event loop stall of the receiving process since the last report',
    )
    this.jobDuration = new Histogram({
      name: 'hilum_job_duration_seconds',
      help: 'Duration of job attempts',
      labelNames: ['kind', 'outcome'],
      buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000],
      registers,
    })
    collectFromDatabase(this.registry, options.knex)
    collectDisk(this.registry, options.dataDir)
    if (options.space) collectSpace(this.registry, options.space)
    if (options.remotes) collectRemotes(this.registry, options.remotes)
  }

  /** The text of a scrape, and its content type. */
  async scrape(): Promise<{ contentType: string; text: string }> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() }
  }
}

function collectFromDatabase(registry: Registry, knex: Knex): void {
  new Gauge({
    name: 'hilum_studies',
    help: 'Studies by state',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const rows = await knex('studies')
        .select<{ state: string; n: number }[]>('state')
        .count('* as n')
        .groupBy('state')
      this.reset()
      for (const state of ['receiving', 'complete', 'processing', 'done', 'failed']) this.set({ state }, 0)
      for (const row of rows) this.set({ state: String(row.state) }, Number(row.n))
    },
  })
  new Gauge({
    name: 'hilum_jobs',
    help: 'Jobs by kind and state',
    labelNames: ['kind', 'state'],
    registers: [registry],
    async collect() {
      const rows = await countJobs(knex)
      this.reset()
      for (const kind of ['infer', 'deliver'])
        for (const state of ['queued', 'running', 'done', 'failed']) this.set({ kind, state }, 0)
      for (const { kind, state, jobs } of rows) this.set({ kind, state }, jobs)
    },
  })
}

function collectDisk(registry: Registry, dataDir: string): void {
  new Gauge({
    name: 'hilum_disk_free_bytes',
    help: 'Free bytes on the file system of the data folder',
    registers: [registry],
    async collect() {
      const { bavail, bsize } = await statfs(dataDir)
      this.set(bavail * bsize)
    },
  })
}

function collectSpace(registry: Registry, space: { read(): SpaceReading }): void {
  new Gauge({
    name: 'hilum_disk_state',
    help: 'What the free space allows: the state that holds is 1',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const now = space.read().state
      for (const state of ['enough', 'warn', 'refuse', 'emergency']) this.set({ state }, state === now ? 1 : 0)
    },
  })
  new Gauge({
    name: 'hilum_disk_mark_bytes',
    help: 'Free bytes below which a state begins',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { warnFree, minimumFree, emergencyFree } = space.read()
      this.set({ state: 'warn' }, warnFree)
      this.set({ state: 'refuse' }, minimumFree)
      this.set({ state: 'emergency' }, emergencyFree)
    },
  })
}
