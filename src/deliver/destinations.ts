import type { DicomwebServerOptions } from '../dicomweb/client.ts'
import { DicomwebServer } from '../dicomweb/client.ts'
import { HilumError, messageOf } from '../errors.ts'
import type { Destination } from './destination.ts'

/** The answer to "does this destination work?", for a person. */
export interface DestinationEcho {
  destination: string
  url: string
  ok: boolean
  /** Milliseconds. */
  ms: number
  sentence: string
}

/**
 * The destinations by name: those of the configuration, those that were added while the node runs, and `self`, the node's own DICOMweb
 * store, over HTTP like any other.
 */
export class Destinations {
  readonly #byName: Map<string, Destination>
  /** Those that were replaced or removed: deliveries under way go on with them. */
  readonly #retired: Destination[] = []

  constructor(byName: ReadonlyMap<string, Destination>) {
    this.#byName = new Map(byName)
  }

  /** Adds a destination, or puts it in the place of one; deliveries under way go on with the one that they began with. */
  set(name: string, options: DicomwebServerOptions): void {
    this.remove(name)
    this.#byName.set(name, new DicomwebServer(options))
  }

  /** Nothing more is delivered there. */
  remove(name: string): void {
    const there = this.#byName.get(name)
    if (there) this.#retired.push(there)
    this.#byName.delete(name)
  }

  names(): string[] {
    return [...this.#byName.keys()]
  }

  get(name: string): Destination | undefined {
    return this.#byName.get(name)
  }

  /** Name and address of each, without credentials. */
  list(): { name: string; kind: 'self' | 'stow-rs'; url: string }[] {
    return [...this.#byName].map(([name, { url }]) => ({ name, kind: name === 'self' ? 'self' : 'stow-rs', url }))
  }

  /**
   * Asks a destination for one study (QIDO-RS, limit 1).
   * @returns null where no destination has that name
   */
  async test(name: string): Promise<DestinationEcho | null> {
    const destination = this.#byName.get(name)
    if (!destination) return null
    const begun = performance.now()
    const answer = (ok: boolean, sentence: string): DestinationEcho => {
      return { destination: name, url: destination.url, ok, ms: Math.round(performance.now() - begun), sentence }
    }
    try {
      const studies = await destination.echo()
      return answer(true, studies > 0 ? 'QIDO-RS lists studies' : 'QIDO-RS answers; it lists no study')
    } catch (error) {
      const retry = error instanceof HilumError ? error.retry : 'permanent'
      return answer(false, `${messageOf(error)}; ${advice[retry]}`)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byName.values(), ...this.#retired].map((destination) => destination.close()))
  }
}

const advice = {
  transient: 'deliveries are tried again until it answers',
  ambiguous: 'deliveries are tried again, after a look whether the object is there',
  permanent: 'deliveries fail until the configuration is changed, here or there',
} as const

/** The node's own store as a destination. */
export interface SelfDestination {
  /** The DICOMweb root of the node itself, such as `http://127.0.0.1:8080/dicomweb`. */
  url: string
  /** A token that the node accepts from itself. */
  token: string
}

/**
 * Makes the destinations of the configuration.
 * @param configured name to server; `self` is not among them
 */
export function createDestinations(
  configured: Record<string, DicomwebServerOptions>,
  self: SelfDestination,
): Destinations {
  const byName = new Map<string, Destination>()
  byName.set('self', new DicomwebServer({ url: self.url, auth: { kind: 'bearer', token: self.token } }))
  for (const [name, options] of Object.entries(configured)) {
    if (name === 'self')
      throw new HilumError('destination-name', 'the destination name self belongs to the node itself')
    byName.set(name, new DicomwebServer(options))
  }
  return new Destinations(byName)
}
