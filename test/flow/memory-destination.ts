import { existsSync } from 'node:fs'
import type { Destination } from '../../src/deliver/destination.ts'
import { digestFile } from '../../src/dicomweb/client-digest.ts'

/** A destination in memory: the paths of what it holds, by SOP Instance UID. */
export class MemoryDestination implements Destination {
  url = 'memory:'
  readonly held = new Map<string, string>()
  asked = 0
  /** Thrown instead of an answer. */
  failure: Error | null = null
  /** UIDs of one page at most, whatever is asked for. */
  pageLength = 2

  async store(): Promise<never[]> {
    return []
  }

  async searchInstance(_study: string, _series: string, sopInstanceUID: string) {
    this.#ask()
    return this.held.has(sopInstanceUID) ? {} : null
  }

  async listInstances(_study: string, { limit, offset }: { limit: number; offset: number }): Promise<string[]> {
    this.#ask()
    return [...this.held.keys()].slice(offset, offset + Math.min(limit, this.pageLength))
  }

  async retrieveInstance(_study: string, _series: string, sopInstanceUID: string) {
    this.#ask()
    const path = this.held.get(sopInstanceUID)
    return path !== undefined && existsSync(path) ? digestFile(path) : null
  }

  async countInstances(): Promise<null> {
    return null
  }

  async echo(): Promise<number> {
    return 0
  }

  async close(): Promise<void> {
    this.held.clear()
  }

  #ask(): void {
    this.asked++
    if (this.failure) throw this.failure
  }
}
