import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import type { Audit } from '../admin/audit.ts'
import type { EventHub } from '../admin/events.ts'
import type { NodeMetrics } from '../admin/metrics.ts'
import type { Assembler } from '../assemble/assembler.ts'
import type { Config } from '../config.ts'
import type { EventReport } from '../dimse/sub-operation.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { IndexWriter } from '../receive/index-writer.ts'
import { type IndexedBatch, Indexer } from '../receive/indexer.ts'
import { insertQuarantined } from '../receive/quarantine-queries.ts'
import type { ReceiverAnswer, RemoteAddress } from '../receive/questions.ts'
import type { QuarantinedObject, ReceivedInstance } from '../receive/received.ts'
import { ReceiverProcess, type ReceptionEvent } from '../receive/receiver-process.ts'
import { recoverIncoming } from '../receive/recovery.ts'
import { setAside } from '../receive/set-aside.ts'
import type { Objects } from '../store/objects.ts'
import { Answers, type StatementQuestion } from './answers.ts'
import { ArrivalAudit } from './arrival-audit.ts'
import { Commitments } from './commitments.ts'
import { DimseAudit } from './dimse-audit.ts'
import { identityJudge } from './identity.ts'
import { OpenArrivals } from './open-arrivals.ts'
import { receiverOptions } from './receiver-options.ts'
import type { Remotes } from './remotes.ts'
import { reportTo } from './report-commitment.ts'

export interface ArrivalsOptions {
  config: Config
  database: Knex
  objects: Objects
  assembler: Assembler
  hub: EventHub
  metrics: NodeMetrics
  log: Log
  /** Who may call. */
  remotes: Remotes
  /** True for the name and password of a user of this node. */
  verify?(name: string, password: string, address: string): Promise<boolean>
  /** Takes performed procedure steps and availability notifications; without it they are refused. */
  takeStatement?(question: StatementQuestion): Promise<ReceiverAnswer>
  /** Is told what arrives, and what callers ask for. */
  audit: Audit
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
  /** Associations that are open now. */
  readonly open: OpenArrivals
  readonly #remotes: Remotes
  readonly #answers: Answers
  readonly #arrivalAudit: ArrivalAudit
  readonly #dimseAudit: DimseAudit
  /** Storage commitments that are owed a report. */
  readonly commitments: Commitments
  /** Events are acted on in their order: an association has ended when all that it brought is indexed. */
  #order: Promise<void> = Promise.resolve()
  #stopping = false
  /** Of the receiving process, as it told last. */
  #residentBytes: number | null = null

  constructor(options: ArrivalsOptions) {
    this.#options = options
    const { database, objects, log, audit } = options
    this.#arrivalAudit = new ArrivalAudit(audit, log)
    this.#dimseAudit = new DimseAudit(audit, log)
    this.open = new OpenArrivals(() => options.hub.publish({ kind: 'arrival' }))
    this.#indexer = new Indexer({ database, objects, incomingFolder: this.#folder('incoming'), log })
    this.#writer = new IndexWriter({
      indexer: this.#indexer,
      log,
      onIndexed: (batch) => this.#onIndexed(batch),
      setAside: (instance, refusal) => this.#setAside(instance, refusal),
    })
    this.receiver = new ReceiverProcess(receiverOptions(options.config), {
      log,
      onEvent: (event) => this.#onEvent(event),
      onLost: () => {
        options.hub.publish({ kind: 'process' })
        void this.#recoverLost()
      },
      onQuestion: (question) => this.#answers.answer(question),
    })
    this.#remotes = options.remotes
    this.#remotes.onChange((remotes) => this.receiver.admit(remotes))
    const { aeTitle, dataDir } = options.config
    const drained = () => this.#writer.drained()
    const remote = (title: string) => this.#remotes.addressOf(title)
    const report = (address: RemoteAddress, event: EventReport) => reportTo(address, event, aeTitle)
    this.commitments = new Commitments({ database, objects, aeTitle, drained, remote, report, log })
    this.#answers = new Answers({
      database,
      objects,
      dataDir,
      aeTitle,
      drained,
      remote,
      commitments: this.commitments,
      judgeIdentity: identityJudge({
        settings: options.config.dimse.userIdentity,
        verify: options.verify ?? (() => Promise.resolve(false)),
        log,
      }),
      takeStatement: options.takeStatement ?? (() => Promise.resolve(notTaken)),
      onAsked: (question) => this.#dimseAudit.asked(question),
    })
  }

  /** Starts the receiving process, and reports the storage commitments that are owed. @throws {HilumError} `receiver-start-failed` */
  async start(): Promise<void> {
    await this.receiver.start()
    await this.commitments.start()
  }

  /** The process that receives, as it is now. */
  receiverState(): {
    pid: number | undefined
    startedAt: string | null
    restarts: number
    residentBytes: number | null
  } {
    return { pid: this.receiver.pid, ...this.receiver.life, residentBytes: this.#residentBytes }
  }

  /** Indexes what a crash left in the incoming folder. Unfinished files may only be deleted while nobody writes any. */
  async recover({ deleteUnfinished }: { deleteUnfinished: boolean }): Promise<void> {
    // Journals that a receiving process begins from now on are its own.
    await this.#recover({ deleteUnfinished, journals: this.#options.objects.journals.names() })
  }

  async #recover({ deleteUnfinished, journals }: { deleteUnfinished: boolean; journals: string[] }): Promise<void> {
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
      journals,
    })
    if (Object.values(recovered).some((n) => n > 0)) log.info('incoming folder repaired', { ...recovered })
    // Nobody was told of what was indexed here: the assembler has to look for itself. Before its start it does nothing.
    await assembler.completeDue()
  }

  /** After the loss of the receiving process: what it had acknowledged and not told is indexed, now or as soon as that is possible. */
  async #recoverLost(): Promise<void> {
    const journals = this.#options.objects.journals.names()
    while (!this.#stopping) {
      try {
        return await this.#recover({ deleteUnfinished: false, journals })
      } catch (error) {
        this.#options.log.error('the incoming folder cannot be repaired now', { reason: messageOf(error) })
        await sleep(recoverAgainMs, undefined, { ref: false })
      }
    }
  }

  /** Counts and indexes instances that are durable, by whichever entry they came; resolves when they are indexed. */
  add(instances: readonly ReceivedInstance[]): Promise<void> {
    this.#count(instances)
    this.#arrivalAudit.add(instances)
    return this.#writer.add(instances)
  }

  /** An object that was put into quarantine, by whichever entry it came; resolves when it has its row. */
  onQuarantined(object: QuarantinedObject): Promise<void> {
    const { database, hub, metrics, log } = this.#options
    metrics.quarantined.inc({ code: object.code })
    // A refused C-STORE is counted by its own event.
    if (object.via !== 'c-store') this.#remotes.counters.count(object.sender.callingAETitle, { rejected: 1 })
    return insertQuarantined(database, object).then(
      () => hub.publish({ kind: 'quarantine' }),
      (error: unknown) => log.error('a quarantined object has no row', { file: object.file, reason: messageOf(error) }),
    )
  }

  /** Ends the receiving process in order, then writes what is left to the index. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    await this.receiver.stop(graceMs)
    await this.commitments.stop()
    this.#answers.close()
    await this.#order
    await this.#writer.stop()
    await this.#arrivalAudit.stop()
    await this.#options.objects.journals.settled()
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
    const { assembler, metrics } = this.#options
    switch (event.kind) {
      case 'received':
        this.open.received(event.instances)
        void this.#index(event.instances)
        return
      case 'quarantined':
        void this.onQuarantined(event.object)
        return
      case 'journal-closed':
        void this.#settle(event)
        return
      case 'association-opened':
        metrics.associationsOpen.inc()
        this.#remotes.counters.count(event.sender.callingAETitle, { associations: 1 })
        this.open.opened(event.association, event.sender, event.at)
        assembler.associationOpened(event.association)
        return
      case 'association-closed':
        metrics.associationsOpen.dec()
        this.open.closed(event.association)
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
        this.#remotes.counters.count(event.sender.callingAETitle, { refused: 1 })
        this.#remotes.refusals.add(event)
        this.#dimseAudit.refused(event)
        return
      case 'instance-refused':
        this.#remotes.counters.count(event.sender.callingAETitle, { rejected: 1 })
        return
      case 'counters':
        metrics.receiverResidentBytes.set(event.rss)
        this.#residentBytes = event.rss
        metrics.receiverStallSeconds.set(event.longestStallMs / 1000)
        return
    }
  }

  /** Once a batch: a metric with labels costs more to count than an instance to index. */
  #count(instances: readonly ReceivedInstance[]): void {
    const { metrics } = this.#options
    const byVia = sumsBy(instances, ({ via }) => via)
    for (const [via, sum] of byVia) {
      metrics.instancesReceived.inc({ via }, sum.instances)
      metrics.bytesReceived.inc({ via }, sum.bytes)
    }
    const bySender = sumsBy(instances, ({ sender }) => sender.callingAETitle)
    for (const [callingAETitle, sum] of bySender) this.#remotes.counters.count(callingAETitle, sum)
  }

  /** Makes files of what lies in a journal, now or as soon as that is possible; the next start does it otherwise. */
  async #settle({ journal, records }: { journal: string; records: number }): Promise<void> {
    for (;;) {
      try {
        return await this.#options.objects.journals.close(journal, records)
      } catch (error) {
        this.#options.log.error('a journal cannot be made into files now', { journal, reason: messageOf(error) })
        if (this.#stopping) return
        await sleep(recoverAgainMs, undefined, { ref: false })
      }
    }
  }

  async #setAside(instance: ReceivedInstance, refusal: unknown): Promise<void> {
    const { database, objects, hub, metrics, log } = this.#options
    const [incomingFolder, quarantineFolder] = [this.#folder('incoming'), this.#folder('quarantine')]
    const { code, file, reason } = await setAside(instance, refusal, {
      database,
      objects,
      incomingFolder,
      quarantineFolder,
    })
    log.error('an acknowledged instance was put into quarantine', { file, reason })
    metrics.quarantined.inc({ code })
    hub.publish({ kind: 'quarantine' })
  }

  async #index(instances: ReceivedInstance[]): Promise<void> {
    const { log } = this.#options
    try {
      await this.add(instances)
    } catch (error) {
      // They are durable, and set aside or tried again. Until the index is written again, the receiving process gets no room for more.
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

const notTaken: ReceiverAnswer = { about: 'failure', status: 0x0110, comment: 'the node does not take it' }

interface Sum {
  instances: number
  bytes: number
}

function sumsBy(
  instances: readonly ReceivedInstance[],
  keyOf: (instance: ReceivedInstance) => string,
): Map<string, Sum> {
  const sums = new Map<string, Sum>()
  for (const instance of instances) {
    const key = keyOf(instance)
    const sum = sums.get(key) ?? { instances: 0, bytes: 0 }
    sum.instances++
    sum.bytes += instance.size
    sums.set(key, sum)
  }
  return sums
}
