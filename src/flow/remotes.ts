import { accessSync, constants } from 'node:fs'
import type { Knex } from 'knex'
import type { Config } from '../config.ts'
import { isAddressOrBlock } from '../config-values.ts'
import { parseAETitle } from '../dicom/ae-title.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { Admission } from '../receive/admission.ts'
import { RefusedCallers } from '../receive/callers-queries.ts'
import type { RemoteAddress } from '../receive/questions.ts'
import type { AdmittedRemote } from '../receive/receiver-options.ts'
import {
  findRefusedCaller,
  forgetRefusalsOf,
  forgetRefusedCaller,
  listRefusedCallers,
  type RefusedCaller,
} from '../store/refused-callers.ts'
import { RemoteError } from '../store/remote-error.ts'
import {
  deleteRemote,
  insertRemote,
  type Remote,
  type RemotePermission,
  storedRemotes,
  updateRemote,
} from '../store/remotes.ts'
import { RemoteCounters } from './remote-counters.ts'
import { echoRemote, type RemoteEcho } from './remote-echo.ts'

/** A remote, and where it is written down: in the configuration file, or in the database. */
export interface KnownRemote extends Remote {
  origin: 'file' | 'api'
}

/** A remote to be added; what is absent has the configuration's default. */
export type NewRemote = Pick<Remote, 'aeTitle'> & Partial<Remote>

export interface RemotesOptions {
  config: Pick<Config, 'aeTitle' | 'dimse' | 'remotes'>
  database: Knex
  log: Log
  /** Told when callers were refused, or remotes have changed. */
  onNews?: () => void
  now?: () => Date
}

/** How soon a change by another process is noticed, ms. */
const lookMs = 1000

/**
 * The applications that may call and be called: those of the configuration file, and those that were added while the node ran. A name
 * in the file wins.
 */
export class Remotes {
  /** What each of them sends. */
  readonly counters: RemoteCounters
  /** Callers that were refused. */
  readonly refusals: RefusedCallers
  readonly #options: RemotesOptions
  readonly #file: readonly KnownRemote[]
  readonly #listeners: ((remotes: AdmittedRemote[]) => void)[] = []
  #known: ReadonlyMap<string, KnownRemote>
  #timer: NodeJS.Timeout | null = null

  constructor(options: RemotesOptions) {
    this.#options = options
    this.#file = options.config.remotes.map(ofFile)
    this.#known = byTitle(this.#file)
    const { database, log, now, onNews } = options
    this.counters = new RemoteCounters({
      database,
      log,
      isRemote: (aeTitle) => this.#known.has(aeTitle),
      ...(now && { now }),
    })
    this.refusals = new RefusedCallers({ database, log, ...(onNews && { onWritten: onNews }) })
  }

  get unknownCallers(): Config['dimse']['unknownCallers'] {
    return this.#options.config.dimse.unknownCallers
  }

  /** Reads those of the database, and goes on looking whether another process has changed them. */
  async start(): Promise<void> {
    await this.refresh()
    this.counters.start()
    this.#timer ??= setInterval(() => {
      this.refresh().catch((error: unknown) =>
        this.#options.log.warn('the remotes cannot be read now', { reason: messageOf(error) }),
      )
    }, lookMs)
    this.#timer.unref()
  }

  /** Writes what was counted and refused. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    await this.refusals.flush()
    await this.counters.stop()
  }

  /** Calls a listener with those who may call, now and with every change. */
  onChange(listener: (remotes: AdmittedRemote[]) => void): void {
    this.#listeners.push(listener)
    listener(this.admitted())
  }

  /** Reads those of the database. */
  async refresh(): Promise<void> {
    const stored = (await storedRemotes(this.#options.database)).map((one) => ({ ...one, origin: 'api' as const }))
    const known = byTitle([...stored, ...this.#file])
    const changed = JSON.stringify([...known]) !== JSON.stringify([...this.#known])
    this.#known = known
    if (!changed) return
    this.counters.forget()
    for (const listener of this.#listeners) listener(this.admitted())
    this.#options.onNews?.()
  }

  /** All, by AE title. */
  list(): KnownRemote[] {
    return [...this.#known.values()].sort((a, b) => (a.aeTitle < b.aeTitle ? -1 : 1))
  }

  /** The one of an AE title, or null. */
  find(aeTitle: string): KnownRemote | null {
    return this.#known.get(aeTitle) ?? null
  }

  /** Where the one of an AE title listens; null where that is not known. */
  addressOf(aeTitle: string): RemoteAddress | null {
    const { host, port, tls } = this.find(aeTitle) ?? { host: null, port: 0, tls: null }
    return host === null ? null : { aeTitle, host, port, tls }
  }

  /** Those who may call, as the receiving process takes them. */
  admitted(): AdmittedRemote[] {
    return [...this.#known.values()].map(({ aeTitle, addresses, may }) => ({ aeTitle, addresses, may }))
  }

  /** @throws RemoteError `remote-exists`, `remote-in-file`, `bad-definition` @throws DicomError `invalid-ae-title` */
  async add(remote: NewRemote, author: string): Promise<KnownRemote> {
    const whole = this.#checked(remote)
    if (!(await insertRemote(this.#options.database, whole, this.#by(author))))
      throw new RemoteError(
        'remote-exists',
        `there is a remote ${whole.aeTitle} already: remove it first, or define it anew over the API (PUT)`,
      )
    await this.refresh()
    return { ...whole, origin: 'api' }
  }

  /** Puts a definition in place of the earlier one. @throws RemoteError `remote-unknown`, `remote-in-file`, `bad-definition` */
  async replace(remote: NewRemote, author: string): Promise<KnownRemote> {
    const whole = this.#checked(remote)
    if (!(await updateRemote(this.#options.database, whole, this.#by(author)))) throw unknown(whole.aeTitle)
    await this.refresh()
    return { ...whole, origin: 'api' }
  }

  /** @throws RemoteError `remote-unknown`, `remote-in-file` */
  async remove(aeTitle: string): Promise<void> {
    if (!(await deleteRemote(this.#options.database, this.#writable(aeTitle)))) throw unknown(aeTitle)
    await this.refresh()
  }

  /** C-ECHO to a remote, with the answer explained. @throws RemoteError `remote-unknown`, `remote-without-host` */
  async echo(aeTitle: string): Promise<RemoteEcho> {
    const remote = this.find(aeTitle)
    if (remote === null) throw unknown(aeTitle)
    return echoRemote(remote, this.#options.config.aeTitle)
  }

  /** Refused callers, the last refused first, each with the reason why admitting it would be of no use; null: it would be. */
  async refused(): Promise<(RefusedCaller & { useless: string | null })[]> {
    await this.refusals.flush()
    const callers = await listRefusedCallers(this.#options.database)
    const admission = this.#admission()
    return callers.map((caller) => ({ ...caller, useless: this.#whyUseless(caller, admission)?.message ?? null }))
  }

  /** Forgets a refused caller, and tells who it was. @throws RemoteError `refusal-unknown` */
  async forget(id: number): Promise<RefusedCaller> {
    const { database } = this.#options
    const caller = await findRefusedCaller(database, id)
    if (caller === null || !(await forgetRefusedCaller(database, id))) throw unknownRefusal(id)
    this.refusals.forgotten()
    this.#options.onNews?.()
    return caller
  }

  /**
   * Adds a refused caller to the remotes: its AE title, at exactly the address that it called from.
   * @throws RemoteError `refusal-unknown`, `admission-useless`, `remote-in-file`
   */
  async admit(id: number, may: RemotePermission[] | undefined, author: string): Promise<KnownRemote> {
    const { database } = this.#options
    const caller = await findRefusedCaller(database, id)
    if (caller === null) throw unknownRefusal(id)
    await this.refresh()
    const { callingAETitle: aeTitle, address } = caller
    const useless = this.#whyUseless(caller, this.#admission())
    if (useless !== null) throw useless
    const there = this.find(aeTitle)
    const admitted =
      there === null
        ? await this.add({ aeTitle, addresses: [address], ...(may ? { may } : {}) }, author)
        : await this.replace({ ...there, addresses: [...there.addresses, address], may: may ?? there.may }, author)
    await forgetRefusalsOf(database, caller)
    this.refusals.forgotten()
    return admitted
  }

  /** As the receiving process decides now. */
  #admission(): Admission {
    const { aeTitle, dimse } = this.#options.config
    const { acceptAnyCalledAETitle: acceptAnyCalledAE, unknownCallers } = dimse
    return new Admission({ aeTitle, acceptAnyCalledAE, unknownCallers, remotes: this.admitted() })
  }

  /** Why a caller need not, or cannot, be added to the remotes; null where its refusal was for who it is. */
  #whyUseless(caller: RefusedCaller, admission: Admission): RemoteError | null {
    const { aeTitle } = this.#options.config
    const { callingAETitle, calledAETitle, address, reason } = caller
    const useless = (why: string) => new RemoteError('admission-useless', why)
    if (callingAETitle === '') return useless('this entry stands for several callers: admit them one by one')
    const judgement = admission.judge(caller, address)
    if ('permissions' in judgement)
      return useless(
        `${callingAETitle} may call from this address already, to ${[...judgement.permissions].join(', ')}; it was refused because: ${reason}`,
      )
    if (judgement.refusal === 'called-ae-title')
      return useless(
        `it called ${calledAETitle}, and this node is ${aeTitle}: correct that at the caller, or set dimse.acceptAnyCalledAETitle`,
      )
    return this.#isOfFile(callingAETitle) ? ofTheFile(callingAETitle) : null
  }

  #checked(remote: NewRemote): Remote {
    const whole = { ...defaults, ...remote, aeTitle: this.#writable(remote.aeTitle) }
    const wrong = whole.addresses.find((address) => !isAddressOrBlock(address))
    if (wrong !== undefined)
      throw new RemoteError('bad-definition', `${wrong}: an IP address, or a block as in 10.0.0.0/8, is expected`)
    for (const file of Object.values(whole.tls ?? {})) checkReadable(file)
    return whole
  }

  /** @throws RemoteError `remote-in-file` @throws DicomError `invalid-ae-title` */
  #writable(aeTitle: string): string {
    const title = parseAETitle(aeTitle)
    if (this.#isOfFile(title)) throw ofTheFile(title)
    return title
  }

  #isOfFile(aeTitle: string): boolean {
    return this.#file.some((remote) => remote.aeTitle === aeTitle)
  }

  #by(author: string): { at: string; author: string } {
    return { at: (this.#options.now?.() ?? new Date()).toISOString(), author: author.slice(0, 255) }
  }
}

/** As in the configuration. */
const defaults: Omit<Remote, 'aeTitle'> = { addresses: [], may: ['store'], host: null, port: 104, tls: null }

function ofFile({ aeTitle, addresses, may, host, port, tls }: Config['remotes'][number]): KnownRemote {
  return {
    aeTitle,
    addresses: [...addresses],
    may: [...may],
    host: host ?? null,
    port,
    tls: tls ? pathsOf(tls) : null,
    origin: 'file',
  }
}

function pathsOf({ ca, certificate, key }: NonNullable<Config['remotes'][number]['tls']>): NonNullable<Remote['tls']> {
  return { ...(ca && { ca }), ...(certificate && { certificate }), ...(key && { key }) }
}

/** The later of two of one AE title stays. */
function byTitle(remotes: readonly KnownRemote[]): Map<string, KnownRemote> {
  return new Map(remotes.map((remote) => [remote.aeTitle, remote]))
}

/** @throws RemoteError `bad-definition` */
function checkReadable(file: string): void {
  try {
    accessSync(file, constants.R_OK)
  } catch {
    throw new RemoteError('bad-definition', `${file}: a PEM file that the node can read is expected`)
  }
}

function ofTheFile(aeTitle: string): RemoteError {
  return new RemoteError('remote-in-file', `${aeTitle} is in the configuration file, and can only be changed there`)
}

function unknown(aeTitle: string): RemoteError {
  return new RemoteError('remote-unknown', `there is no remote ${aeTitle}`)
}

function unknownRefusal(id: number): RemoteError {
  return new RemoteError('refusal-unknown', `no refused caller ${id} is remembered`)
}
