import { randomUUID } from 'node:crypto'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import type { FindResult } from './find.ts'

/** A page of a C-FIND's answers. */
export interface FoundPage {
  matches: DicomJson[]
  unsupported: boolean
  /** To ask for the page behind it; null after the last. */
  next: string | null
}

interface Session extends FindResult {
  timer: NodeJS.Timeout
}

/** Holds what is left of queries between their pages. One whose asker does not come back is dropped. */
export class FindSessions {
  readonly #sessions = new Map<string, Session>()
  readonly #idleMs: number
  readonly #maximum: number

  /**
   * @param options.idleMs ms that a query may wait for its next page
   * @param options.maximum queries between two pages; the one that has waited longest makes room for another
   */
  constructor({ idleMs = 600_000, maximum = 1000 }: { idleMs?: number; maximum?: number } = {}) {
    this.#idleMs = idleMs
    this.#maximum = maximum
  }

  /** Queries between two pages. */
  get size(): number {
    return this.#sessions.size
  }

  /** The first page of a query. @throws what its pages throw */
  first(result: FindResult): Promise<FoundPage> {
    return this.#page(result)
  }

  /** @throws RequestError 'not-found' for a query that was dropped, or never was; and what its pages throw */
  async next(id: string): Promise<FoundPage> {
    const session = this.#take(id)
    if (session === undefined) throw new RequestError('not-found', 'the query is no longer under way')
    return await this.#page(session)
  }

  /** Drops every query. */
  close(): void {
    for (const id of this.#sessions.keys()) this.#drop(id)
  }

  async #page({ pages, unsupported }: FindResult): Promise<FoundPage> {
    const { value, done } = await pages.next()
    if (done) return { matches: [], unsupported, next: null }
    return { matches: value, unsupported, next: this.#keep({ pages, unsupported }) }
  }

  #keep(result: FindResult): string {
    const id = randomUUID()
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size < this.#maximum) break
      this.#drop(oldest)
    }
    const timer = setTimeout(() => this.#drop(id), this.#idleMs)
    timer.unref()
    this.#sessions.set(id, { ...result, timer })
    return id
  }

  #take(id: string): Session | undefined {
    const session = this.#sessions.get(id)
    this.#sessions.delete(id)
    clearTimeout(session?.timer)
    return session
  }

  #drop(id: string): void {
    const dropped = this.#take(id)
    // Ends the generator where it stands.
    void dropped?.pages.return()
  }
}
