import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import type { EventHub } from '../admin/events.ts'
import type { NodeMetrics } from '../admin/metrics.ts'
import type { Assembler } from '../assemble/assembler.ts'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { recordRefusedCaller } from '../receive/callers-queries.ts'
import { IndexWriter } from '../receive/index-writer.ts'
import { type IndexedBatch, Indexer } from '../receive/indexer.ts'
import { insertQuarantined } from '../receive/quarantine-queries.ts'
import type { QuarantinedObject, ReceivedInstance } from '../receive/received.ts'
import type { ReceiverOptions } from '../receive/receiver-options.ts'
import { ReceiverProcess, type ReceptionEvent } from '../receive/receiver-process.ts'
import { recoverIncoming } from '../receive/recovery.ts'
import type { Objects } from '../store/objects.ts'

export interface ArrivalsOptions {
  config: Config
  database: Knex
  objects: Objects
  assembler: Assembler
  hub: EventHub
  metrics: NodeMetrics
  log: Log
}

/** How soon a repair of the incoming folder that failed is tried again. */
const recoverAgainMs = 10_000
/** How often a failed indexing is looked at again before the receiving process is told that there is room. */
const lookAgainMs = 1_000

/** Everything that arrives: the receiving process, the index, and what the other stages are told of both. */
export class Arrivals {
  readonly #options: ArrivalsOptions
  readonly #indexer: Indexer
  readonly #writer: IndexWriter
  readonly receiver: ReceiverProcess
  /** Events are acted on in their order: an association has ended when all that it brought is indexed. */
  #order: Promise<void> = Promise.resolve()
  #stopping = false

  constructor(options: ArrivalsOptions) {
    this.#options = options
    const { database, objects, log } = options
    this.#indexer = new Indexer({ database, objects, incomingFolder: this.#folder('incoming'), log })
    this.#writer = new IndexWriter({ indexer: this.#indexer, log, onIndexed: (batch) => this.#onIndexed(batch) })
    this.receiver = new ReceiverProcess(receiverOptions(options.config), {
      log,
      onEvent: (event) => this.#onEvent(event),
      onLost: () => void this.#recoverLost(),
    })
  }

  /** Indexes what a crash left in the incoming folder. Unfinished files may only be deleted while nobody writes any. */
  async recover({ deleteUnfinished }: { deleteUnfinished: boolean }): Promise<void> {
    const { assembler, database, objects, log } = this.#options
    await this.#writer.drained()
    const recovered = await recoverIncoming({
      incomingFolder: this.#folder('incoming'),
      quarantineFolder: this.#folder('quarantine'),
      database,
      objects,
      indexer: this.#indexer,
      log,
      deleteUnfinished,
    })
    if (Object.values(recovered).some((n) => n > 0)) log.info('incoming folder repaired', { ...recovered })
    // Nobody was told of what was indexed here: the assembler has to look for itself. Before its start it does nothing.
    await assembler.completeDue()
  }

  /** After the loss of the receiving process: what it had acknowledged and not told is indexed, now or as soon as that is possible. */
  async #recoverLost(): Promise<void> {
    while (!this.#stopping) {
      try {
        return await this.recover({ deleteUnfinished: false })
      } catch (error) {
        this.#options.log.error('the incoming folder cannot be repaired now', { reason: messageOf(error) })
        await sleep(recoverAgainMs, undefined, { ref: false })
      }
    }
  }

  /** Counts and indexes instances that are durable, by whichever entry they came; resolves when they are indexed. */
  add(instances: readonly ReceivedInstance[]): Promise<void> {
    const { metrics } = this.#options
    for (const { via, size } of instances) {
      metrics.instancesReceived.inc({ via })
      metrics.bytesReceived.inc({ via }, size)
    }
    return this.#writer.add(instances)
  }

  /** An object that was put into quarantine, by whichever entry it came. */
  onQuarantined(object: QuarantinedObject): void {
    const { database, hub, metrics, log } = this.#options
    metrics.quarantined.inc({ code: object.code })
    insertQuarantined(database, object).then(
      () => hub.publish({ kind: 'quarantine' }),
      (error: unknown) => log.error('a quarantined object has no row', { file: object.file, reason: messageOf(error) }),
    )
  }

  /** Ends the receiving process in order, then writes what is left to the index. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    await this.receiver.stop(graceMs)
    await this.#order
    await this.#writer.stop()
  }

  #folder(name: string): string {
    return path.join(this.#options.config.dataDir, name)
  }

  #onIndexed(batch: IndexedBatch): void {
    const { assembler, hub } = this.#options
    for (const study of batch.studies) {
      if (study.changed) for (const association of study.associations) assembler.touched(association, [study.id])
      hub.publish({ kind: 'study', studyInstanceUID: study.studyInstanceUID })
    }
  }

  #onEvent(event: ReceptionEvent): void {
    const { assembler, metrics, database, hub } = this.#options
    switch (event.kind) {
      case 'received':
        void this.#index(event.instances)
        return
      case 'quarantined':
        this.onQuarantined(event.object)
        return
      case 'association-opened':
        metrics.associationsOpen.inc()
        assembler.associationOpened(event.association)
        return
      case 'association-closed':
        metrics.associationsOpen.dec()
        metrics.associations.inc({ outcome: event.how })
        this.#inOrder(async () => {
          await this.#writer.drained()
          // Only a release says that the sender has finished; after an abort it will most likely try again.
          if (event.how === 'released') await assembler.associationClosed(event.association, event.at)
          else await assembler.associationLost(event.association)
        })
        return
      case 'association-refused':
        metrics.associations.inc({ outcome: 'refused' })
        this.#inOrder(async () => {
          await recordRefusedCaller(database, event)
          hub.publish({ kind: 'remote' })
        })
        return
      case 'counters':
        metrics.receiverResidentBytes.set(event.rss)
        metrics.receiverStallSeconds.set(event.longestStallMs / 1000)
        return
    }
  }

  async #index(instances: ReceivedInstance[]): Promise<void> {
    const { log } = this.#options
    try {
      await this.add(instances)
    } catch (error) {
      // They are durable and will be tried again. Until the index is written again, the receiving process gets no room for more.
      log.error('instances cannot be indexed now', { instances: instances.length, reason: messageOf(error) })
      while (this.#writer.pending > 0) await sleep(lookAgainMs, undefined, { ref: false })
    }
    this.receiver.indexed(instances.length)
  }

  #inOrder(act: () => Promise<void>): void {
    this.#order = this.#order.then(act).catch((error: unknown) => {
      this.#options.log.error('an event of the receiving process cannot be acted on', { reason: messageOf(error) })
    })
  }
}

function receiverOptions(config: Config): ReceiverOptions {
  const { dimse, receive } = config
  return {
    aeTitle: config.aeTitle,
    acceptAnyCalledAE: dimse.acceptAnyCalledAETitle,
    remotes: config.remotes.map(({ aeTitle, addresses }) => ({ aeTitle, addresses: [...addresses] })),
    unknownCallers: dimse.unknownCallers,
    host: dimse.host,
    port: dimse.port,
    dataDir: config.dataDir,
    sync: receive.sync,
    minimumFreeBytes: receive.minimumFree,
    maxPdu: dimse.maxPduLength,
    maxAssociations: dimse.maxAssociations,
    maxPendingInstances: 10_000,
    associationTimeoutMs: dimse.associationTimeout * 1000,
    idleTimeoutMs: dimse.idleTimeout * 1000,
    pduTimeoutMs: dimse.pduTimeout * 1000,
  }
}
