import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Log } from '../../src/log.ts'
import { receiverDefaults } from '../../src/receive/receiver-options.ts'
import { ReceiverProcess, type ReceptionEvent } from '../../src/receive/receiver-process.ts'
import type { FuzzCase } from './cases.ts'
import { patientMarker } from './data-sets.ts'
import { makeCase } from './kinds.ts'
import { Ledger } from './ledger.ts'
import { type Played, play } from './player.ts'
import { type Measures, ProcessWatch } from './process-watch.ts'

export interface CampaignOptions {
  cases: number
  seed: number
  /** Connections at once. */
  concurrency?: number
  /** The receiving process's program. */
  entry: string
  /** Only cases of this kind, or only this case. */
  kind?: string
  only?: number
  /** Sync each instance, as the node does. */
  sync?: boolean
  /** Take small instances into journals, as the node does. */
  journals?: boolean
  onProgress?(done: number, total: number): void
}

export interface CampaignReport {
  cases: number
  seed: number
  seconds: number
  byKind: Record<string, number>
  /** How often each kind of answer came. */
  answers: Record<string, number>
  /** Why the node aborted or refused, with the numbers taken out. */
  reasons: Record<string, number>
  acknowledged: number
  received: number
  quarantined: number
  before: Measures
  after: Measures
  peakRss: number
  longestStallMs: number
  /** Of the receiving process, the warm-up included. */
  cpuSeconds: number
  /** Files in the data folder that nobody was told of. */
  filesLeft: string[]
  crashes: number
  /** What was wrong, with the numbers of the cases. */
  faults: string[]
}

const maximumFaults = 50
const timeOutMs = 15_000
/**
 * Bytes beyond a tenth that are no growth: what the allocator has in its arenas changes by as much from one look to the next, and
 * the code that V8 compiles for a path that was taken for the first time.
 */
const rssSlack = 8 * 1024 ** 2
const heapSlack = 2 * 1024 ** 2
/** Part of the cases that only warm the process up: code is compiled, pools and arenas grow to their size. */
const warmUp = 0.2

/** Runs cases against a receiving process of its own, and finds out whether it stayed whole. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const campaign = new Campaign(options)
  try {
    return await campaign.run()
  } finally {
    await campaign.dispose()
  }
}

class Campaign {
  readonly #options: CampaignOptions
  readonly #dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-fuzz-'))
  readonly #receiver: ReceiverProcess
  readonly #watch: ProcessWatch
  readonly #began = performance.now()
  readonly #byKind: Record<string, number> = {}
  readonly #answers: Record<string, number> = {}
  readonly #reasons: Record<string, number> = {}
  readonly #faults: string[] = []
  readonly #ledger = new Ledger(this.#dataDir)
  #open = 0
  #crashes = 0

  constructor(options: CampaignOptions) {
    this.#options = options
    this.#receiver = new ReceiverProcess(
      {
        ...receiverDefaults,
        aeTitle: 'HILUM',
        host: '127.0.0.1',
        port: 0,
        dataDir: this.#dataDir,
        minimumFreeBytes: 0,
        sync: options.sync ?? true,
        journals: options.journals ?? true,
        maxAssociations: 1000,
        // Longer than any pause of a busy machine: nothing but a stall may run into them.
        associationTimeoutMs: timeOutMs,
        idleTimeoutMs: timeOutMs,
        pduTimeoutMs: timeOutMs,
      },
      {
        log: this.#log(),
        entry: options.entry,
        onEvent: (event) => this.#onEvent(event),
        onLost: () => this.#crashes++,
      },
    )
    this.#watch = new ProcessWatch(this.#receiver)
  }

  async run(): Promise<CampaignReport> {
    await this.#receiver.start()
    const { cases, only } = this.#options
    if (only !== undefined) await this.#playCase(only)
    const first = only === undefined ? Math.floor(cases * warmUp) : 0
    await this.#playCases(0, first)
    const before = await this.#watch.settled(() => this.#open === 0)
    if (only === undefined) await this.#playCases(first, cases)
    const after = await this.#watch.settled(() => this.#open === 0)
    await this.#playSound()
    const cpuSeconds = this.#watch.cpuSeconds()
    await this.#receiver.stop(5000)
    this.#compare(before, after)
    return this.#report({ before, after, cpuSeconds })
  }

  async dispose(): Promise<void> {
    this.#watch.stop()
    await this.#receiver.stop(0)
    rmSync(this.#dataDir, { recursive: true, force: true })
  }

  async #playCases(from: number, to: number): Promise<void> {
    let next = from
    const worker = async (): Promise<void> => {
      while (next < to && this.#faults.length < maximumFaults && this.#crashes === 0) {
        const number = next++
        await this.#playCase(number)
        if (number % 1000 === 999) this.#options.onProgress?.(number + 1, this.#options.cases)
      }
    }
    await Promise.all(Array.from({ length: this.#options.concurrency ?? 32 }, worker))
  }

  async #playCase(number: number): Promise<void> {
    const fuzzCase = makeCase(this.#options.seed, number, this.#options.kind)
    const pid = this.#receiver.pid
    const played = await play(fuzzCase, this.#receiver.port)
    count(this.#byKind, fuzzCase.kind)
    for (const answer of answersOf(played)) count(this.#answers, answer)
    this.#note(played)
    const faults = [...played.faults, ...wrongFates(fuzzCase, played)]
    if (this.#receiver.pid !== pid) faults.push('the receiving process ended')
    for (const fault of faults) this.#fault(`case ${number} (${fuzzCase.kind}): ${fault}`)
  }

  #note(played: Played): void {
    this.#ledger.note(played)
    for (const message of played.answers.messages)
      if (message.comment.includes(patientMarker)) this.#fault('a comment holds the patient’s name')
  }

  /** A normal C-ECHO and C-STOREs, after everything. */
  async #playSound(): Promise<void> {
    for (const [n, kind] of ['valid echo', 'valid stores', 'large instances'].entries()) {
      const fuzzCase = makeCase(this.#options.seed, 1_000_000_000 + n, kind)
      const played = await play(fuzzCase, this.#receiver.port)
      this.#note(played)
      for (const fault of [...played.faults, ...wrongFates(fuzzCase, played)])
        this.#fault(`afterwards, ${kind}: ${fault}`)
    }
  }

  #onEvent(event: ReceptionEvent): void {
    switch (event.kind) {
      case 'received':
        for (const instance of event.instances) this.#ledger.received(instance)
        this.#receiver.indexed(event.instances.length)
        return
      case 'quarantined':
        this.#ledger.quarantined(event.object.file)
        if (event.object.reason.includes(patientMarker)) this.#fault('a reason holds the patient’s name')
        return
      case 'journal-closed':
        this.#ledger.journalClosed(event.journal, event.records)
        return
      case 'association-opened':
        this.#open++
        return
      case 'association-closed':
        this.#open--
        return
      case 'counters':
        this.#watch.counted(event)
        return
      default:
    }
  }

  #compare(before: Measures, after: Measures): void {
    for (const difference of this.#ledger.differences()) this.#fault(difference)
    if (this.#open !== 0) this.#fault(`${this.#open} associations were never told as closed`)
    if (this.#crashes > 0) this.#fault(`the receiving process ended ${this.#crashes} times`)
    for (const [what, held, slack] of [
      ['resident memory', (measures: Measures) => measures.rss, rssSlack],
      ['JavaScript memory', (measures: Measures) => measures.heap + measures.external, heapSlack],
    ] as const)
      if (held(after) > held(before) * 1.1 + slack)
        this.#fault(`${what} grew from ${mebibytes(held(before))} to ${mebibytes(held(after))} MiB`)
    if (after.descriptors > before.descriptors)
      this.#fault(`open descriptors grew from ${before.descriptors} to ${after.descriptors}`)
  }

  #report(measured: Pick<CampaignReport, 'before' | 'after' | 'cpuSeconds'>): CampaignReport {
    const filesLeft = readdirSync(this.#dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(path.relative(this.#dataDir, entry.parentPath), entry.name))
    if (filesLeft.length > 0)
      this.#fault(`${filesLeft.length} files were left behind: ${filesLeft.slice(0, 5).join(' ')}`)
    return {
      cases: Object.values(this.#byKind).reduce((sum, found) => sum + found, 0),
      seed: this.#options.seed,
      seconds: (performance.now() - this.#began) / 1000,
      byKind: this.#byKind,
      answers: this.#answers,
      reasons: this.#reasons,
      ...this.#ledger.counts,
      ...measured,
      peakRss: this.#watch.peakRss,
      longestStallMs: this.#watch.longestStallMs,
      filesLeft,
      crashes: this.#crashes,
      faults: this.#faults,
    }
  }

  #fault(sentence: string): void {
    if (this.#faults.length < maximumFaults) this.#faults.push(sentence)
  }

  #log(): Log {
    const line = (sentence: string, context: unknown = {}): void => {
      if (this.#watch.logged(sentence, context)) return
      const { sentence: reason } = context as { sentence?: unknown }
      if (typeof reason === 'string') count(this.#reasons, `${sentence}: ${reason.replace(/\d+/g, 'N')}`)
      if (`${sentence}${JSON.stringify(context)}`.includes(patientMarker))
        this.#fault('a log line holds the patient’s name')
    }
    return { debug: line, info: line, warn: line, error: line, child: () => this.#log() }
  }
}

function wrongFates({ fates }: FuzzCase, { answered }: Played): string[] {
  return answered.flatMap(({ request, response }) => {
    const fate = request.commandField === 1 ? fates.get(request.sopInstance) : undefined
    if (fate === undefined || (response.status === 0) === (fate === 'stored')) return []
    return [`an instance that has to be ${fate} was answered ${hex(response.status)}: ${response.comment}`]
  })
}

const count = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1
}

export const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1)
const hex = (status: number | null): string =>
  status === null ? 'nothing' : `0x${status.toString(16).padStart(4, '0')}`

function answersOf({ answers, closedBy }: Played): string[] {
  const association =
    answers.kind === 'accepted' ? ['A-ASSOCIATE-AC'] : answers.kind === 'rejected' ? ['A-ASSOCIATE-RJ'] : []
  const end = answers.aborted ? 'A-ABORT' : answers.released ? 'A-RELEASE-RP' : `closed by ${closedBy}`
  const names: Record<number, string> = { 1: 'C-STORE', 0x30: 'C-ECHO' }
  const statuses = answers.messages.map(
    ({ commandField, status }) => `${names[commandField & 0x7fff] ?? 'other service'} ${hex(status)}`,
  )
  return [...association, ...statuses, end]
}
