import { monitorEventLoopDelay } from 'node:perf_hooks'
import { DimseServer } from '../dimse/server.ts'
import { dimseStatus } from '../dimse/status.ts'
import { messageOf } from '../errors.ts'
import type { Log, LogContext } from '../log.ts'
import { IncomingFolder } from '../store/incoming.ts'
import { JournalWriter } from '../store/journal-writer.ts'
import { Admission } from './admission.ts'
import { Asking } from './asking.ts'
import { receiveInstance, senderOf } from './c-store.ts'
import { commitmentReport } from './commitment-report.ts'
import { identifyBy } from './identify.ts'
import type { CommitmentOutcome } from './questions.ts'
import type { ReceiverCommand, ReceiverEvent } from './received.ts'
import { ReceivedBatch } from './received-batch.ts'
import type { ReceiverOptions } from './receiver-options.ts'
import { tellingRefusals } from './refused-instances.ts'
import { SeriesSeen } from './series-seen.ts'
import { receiverServices } from './services.ts'

const countersMs = 5000
/** ms that a message under way gets after the grace of a drain. */
const messageMs = 5000
/** Reading goes on when this part of the bound is free again. */
const resumeAt = 0.8

/**
 * The DIMSE side of the receive stage: listens, keeps instances, and tells what happened as events. It knows nothing of the
 * process that it runs in.
 */
export class Reception {
  readonly #options: ReceiverOptions
  readonly #emit: (event: ReceiverEvent) => void
  readonly #log: Log
  readonly #admission: Admission
  readonly #server: DimseServer
  readonly #batch: ReceivedBatch
  readonly #journal: JournalWriter | null
  readonly #asking: Asking
  readonly #delay = monitorEventLoopDelay({ resolution: 20 })
  #counters: NodeJS.Timeout | undefined
  #pending = 0
  #held = false

  constructor(options: ReceiverOptions, emit: (event: ReceiverEvent) => void) {
    this.#options = options
    this.#emit = emit
    this.#log = eventLog(emit)
    this.#admission = new Admission(options)
    this.#batch = new ReceivedBatch((instances) => emit({ kind: 'received', instances }))
    this.#journal = options.journals === true ? this.#makeJournal() : null
    this.#asking = new Asking({
      emit: (id, question) => {
        // What was stored before the question was asked is told before it.
        this.#batch.flush()
        emit({ kind: 'question', id, question })
      },
    })
    this.#server = this.#makeServer()
  }

  /** @returns the port listened on @throws {DimseError} `connection-failed` when it cannot be had */
  async start(): Promise<number> {
    const port = await this.#server.listen()
    this.#delay.enable()
    this.#counters = setInterval(() => this.#count(), countersMs)
    this.#emit({ kind: 'listening', port, tlsPort: this.#server.tlsPort })
    return port
  }

  async command(command: ReceiverCommand): Promise<void> {
    switch (command.kind) {
      case 'indexed':
        this.#indexed(command.instances)
        return
      case 'answer':
        this.#asking.answer(command.id, command.answer)
        return
      case 'drain':
        await this.drain(command.graceMs, messageMs)
        this.#emit({ kind: 'drained' })
        return
      case 'remotes':
        this.#admission.update(command)
        return
    }
  }

  /** Ends every association, each after its message under way, and flushes what was received. */
  async drain(graceMs: number, lastMessageMs: number): Promise<void> {
    // What waits for the index must not keep messages from ending.
    this.#release()
    await this.#server.drain(graceMs, lastMessageMs)
    clearInterval(this.#counters)
    this.#delay.disable()
    this.#batch.flush()
    await this.#journal?.close()
    this.#asking.close()
  }

  /** The node is gone: whoever waits for an answer of it is told so. */
  nodeLost(): void {
    this.#asking.close()
  }

  #makeJournal(): JournalWriter {
    const { dataDir, sync } = this.#options
    return new JournalWriter({
      dataDir,
      sync,
      onClosed: (journal, records) => this.#emit({ kind: 'journal-closed', journal, records }),
      onFailure: (error) => this.#log.error('a journal cannot be made', { reason: messageOf(error) }),
    })
  }

  #makeServer(): DimseServer {
    const { dataDir, sync, minimumFreeBytes, emergencyFreeBytes } = this.#options
    const context = {
      folder: new IncomingFolder({ dataDir, sync, minimumFreeBytes, emergencyFreeBytes }),
      journal: this.#journal,
      series: new SeriesSeen(),
      log: this.#log,
      onReceived: (instance: Parameters<ReceivedBatch['add']>[0]) => this.#received(instance),
      onQuarantined: (object: Extract<ReceiverEvent, { kind: 'quarantined' }>['object']) =>
        this.#emit({ kind: 'quarantined', object }),
    }
    const { aeTitle, userIdentity } = this.#options
    const { ask } = this.#asking
    const identify = identifyBy(ask, userIdentity)
    return new DimseServer({
      ...this.#options,
      log: this.#log,
      services: receiverServices({ ask, aeTitle, log: this.#log, report: (...report) => this.#report(...report) }),
      ...(identify && { identify }),
      admit: (request, address) => this.#admission.judge(request, address),
      beginStore: (request) =>
        tellingRefusals(
          () => receiveInstance(request, context),
          () => this.#emit({ kind: 'instance-refused', sender: senderOf(request.association), at: now() }),
        ),
      onOpened: (association) =>
        this.#emit({
          kind: 'association-opened',
          association: association.id,
          sender: senderOf(association),
          at: now(),
        }),
      onRefused: ({ callingAETitle, calledAETitle }, address, reason) => {
        this.#log.warn('association refused', { callingAETitle, calledAETitle, address, reason })
        this.#emit({
          kind: 'association-refused',
          sender: { callingAETitle, calledAETitle, address },
          at: now(),
          reason,
        })
      },
      onClosed: (association, how) => {
        this.#batch.flush()
        const sender = senderOf(association)
        this.#emit({ kind: 'association-closed', association: association.id, sender, at: now(), how })
      },
    })
  }

  /** @returns true when the peer took the report of its storage commitment on the association given */
  async #report(association: string, transactionUID: string, outcome: CommitmentOutcome): Promise<boolean> {
    const event = commitmentReport(transactionUID, outcome, this.#options.aeTitle)
    return (await this.#server.reportEvent(association, event)) === dimseStatus.success
  }

  #received(instance: Parameters<ReceivedBatch['add']>[0]): void {
    this.#batch.add(instance)
    this.#pending++
    if (this.#held || this.#pending < this.#options.maxPendingInstances) return
    this.#held = true
    this.#batch.flush()
    this.#server.hold()
  }

  #indexed(instances: number): void {
    this.#pending = Math.max(0, this.#pending - instances)
    if (this.#pending < this.#options.maxPendingInstances * resumeAt) this.#release()
  }

  #release(): void {
    if (!this.#held) return
    this.#held = false
    this.#server.release()
  }

  #count(): void {
    this.#emit({
      kind: 'counters',
      openAssociations: this.#server.openAssociations,
      pendingInstances: this.#pending,
      rss: process.memoryUsage.rss(),
      longestStallMs: this.#delay.max / 1e6,
    })
    this.#delay.reset()
  }
}

const now = (): string => new Date().toISOString()

/** A log whose lines are events: the process that owns the log file writes them. Debug lines stay here. */
function eventLog(emit: (event: ReceiverEvent) => void, base: LogContext = {}): Log {
  const line =
    (level: 'info' | 'warn' | 'error') =>
    (sentence: string, context: LogContext = {}): void => {
      const known = Object.entries({ ...base, ...context }).filter(([, value]) => value !== undefined)
      emit({ kind: 'log', level, sentence, context: Object.fromEntries(known) as Record<string, string> })
    }
  return {
    debug() {},
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (context) => eventLog(emit, { ...base, ...context }),
  }
}
