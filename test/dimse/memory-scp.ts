import { onTestFinished } from 'vitest'
import type { Association, AssociationEnd } from '../../src/dimse/association.ts'
import { DimseServer, type DimseServerOptions } from '../../src/dimse/server.ts'
import type { StoreRequest } from '../../src/dimse/store-message.ts'
import { silentLog } from '../../src/log.ts'

export interface Stored {
  request: StoreRequest
  bytes: Buffer
}

/** A service class provider that keeps data sets in memory, on a port of its own. */
export class MemoryScp {
  readonly stored: Stored[] = []
  readonly abandoned: StoreRequest[] = []
  readonly opened: Association[] = []
  readonly closed: AssociationEnd[] = []
  readonly refused: string[] = []
  /** Called at the end of each data set, before Success. */
  beforeSuccess: (stored: Stored) => Promise<void> = async () => undefined
  beforeStore: (request: StoreRequest) => void = () => undefined
  readonly server: DimseServer
  port = 0

  private constructor(options: Partial<DimseServerOptions>) {
    this.server = new DimseServer({
      host: '127.0.0.1',
      port: 0,
      maxPdu: 262144,
      maxAssociations: 10,
      associationTimeoutMs: 10_000,
      idleTimeoutMs: 10_000,
      pduTimeoutMs: 10_000,
      log: silentLog,
      admit: (request) =>
        request.calledAETitle === 'HILUM' ? null : { refusal: 'called-ae-title', sentence: 'another AE title' },
      beginStore: (request) => this.#begin(request),
      onOpened: (association) => this.opened.push(association),
      onClosed: (_, how) => this.closed.push(how),
      onRefused: (_, __, reason) => this.refused.push(reason),
      ...options,
    })
  }

  static async start(options: Partial<DimseServerOptions> = {}): Promise<MemoryScp> {
    const scp = new MemoryScp(options)
    scp.port = await scp.server.listen()
    return scp
  }

  #begin(request: StoreRequest) {
    this.beforeStore(request)
    const parts: Buffer[] = []
    return {
      write: (bytes: Buffer) => void parts.push(Buffer.from(bytes)),
      end: async () => {
        const stored = { request, bytes: Buffer.concat(parts) }
        await this.beforeSuccess(stored)
        this.stored.push(stored)
      },
      abandon: () => void this.abandoned.push(request),
    }
  }
}

/** Waits until something holds; the test's own time-out ends the wait. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A provider for one test: it is closed when the test ends. */
export async function startScp(options: Partial<DimseServerOptions> = {}): Promise<MemoryScp> {
  const scp = await MemoryScp.start(options)
  onTestFinished(() => scp.server.close())
  return scp
}
