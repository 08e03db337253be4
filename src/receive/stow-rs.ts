import { randomUUID } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import { parseMediaType } from '../dicomweb/media-type.ts'
import { problemHandler } from '../dicomweb/problem.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import { jsonType, serviceURL } from '../dicomweb/service-request.ts'
import { uidParameter } from '../dicomweb/uid-parameter.ts'
import type { Log } from '../log.ts'
import { IncomingError, type IncomingFolder } from '../store/incoming.ts'
import type { QuarantinedObject, ReceivedInstance } from './received.ts'
import { SeriesSeen } from './series-seen.ts'
import { storeParts } from './stow-body.ts'
import { type MetadataLimits, tooManyInstances } from './stow-json.ts'
import { MetadataInstances } from './stow-metadata.ts'
import { defaultPace, type Pace } from './stow-pace.ts'
import { type StoreRequestContext, takePart } from './stow-part.ts'
import { type PartOutcome, type StoreOutcome, storeResponse } from './stow-response.ts'

export interface StoreLimits extends MetadataLimits {
  /** Bytes of one instance, or of one value of bulk data. */
  partBytes: number
}

export interface StowOptions {
  incoming: Pick<IncomingFolder, 'begin' | 'beginRaw'>
  /** Resolves when the instances are indexed. */
  indexWriter: { add(instances: readonly ReceivedInstance[]): Promise<void> }
  onQuarantined(object: QuarantinedObject): unknown
  /** Told of each request, as of an association: what it brought is indexed before it has ended. */
  onRequest?: { began(association: string): void; ended(association: string): Promise<void> }
  log: Log
  limits?: Partial<StoreLimits>
  pace?: Partial<Pace>
}

const defaultLimits: StoreLimits = {
  partBytes: 16 * 1024 ** 3,
  instances: 10_000,
  metadataBytes: 64 * 1024 ** 2,
  dataSetBytes: 16 * 1024 ** 2,
}

/** Parts of one request: a frame may be one. */
const maximumParts = 500_000
/** Instances that are handed to the index together. */
const batchSize = 50
/** ms for which what is left of a refused request is taken and dropped: clients read the answer after they have sent everything. */
const lingerMs = 30_000

/**
 * STOW-RS (PS3.18 10.5): `POST /studies` and `POST /studies/{study}`, below where the DICOMweb service is mounted. No body parser may
 * have read the request. Instances are durable and indexed before the answer says that they are stored.
 */
export function stowRouter(options: StowOptions): Router {
  const router = express.Router()
  const series = new SeriesSeen()
  router.post(['/studies', '/studies/:study'], async (request, response) => {
    const study = request.params.study === undefined ? null : uidParameter(request, 'study')
    const answerType = jsonType(request)
    const outcome = await storeInstances(request, contextOf(request, { study, series, options }), options)
    const { status, body } = storeResponse(outcome, { base: serviceURL(request), study })
    response.status(status).type(answerType).send(JSON.stringify(body))
  })
  router.use((error: unknown, request: Request, response: Response, next: express.NextFunction) => {
    dropRest(request, response, error)
    tellRefusal(request, error, options.log)
    problemHandler(options.log)(error, request, response, next)
  })
  return router
}

function contextOf(
  request: Request,
  { study, series, options }: { study: string | null; series: SeriesSeen; options: StowOptions },
): StoreRequestContext {
  return {
    incoming: options.incoming,
    series,
    log: options.log,
    onQuarantined: (object) => options.onQuarantined(object),
    association: `stow-${randomUUID()}`,
    via: 'stow-rs',
    sender: { callingAETitle: 'STOW-RS', calledAETitle: '', address: (request.ip ?? '').replace(/^::ffff:/, '') },
    study,
    maximumBytes: options.limits?.partBytes ?? defaultLimits.partBytes,
  }
}

/** The sender of a refused request often shows its user no more than the status. */
function tellRefusal(request: Request, error: unknown, log: Log): void {
  if (!(error instanceof RequestError)) return
  const { type = null } = parseMediaType(request.get('content-type') ?? '') ?? {}
  const address = (request.ip ?? '').replace(/^::ffff:/, '')
  log.warn('request by STOW-RS refused', { address, type, code: error.code, reason: error.message })
}

/** Takes what the client still sends, but not for ever; one that has timed out is not waited for at all. */
function dropRest(request: Request, response: Response, error: unknown): void {
  request.resume()
  const isLate = error instanceof RequestError && error.code === 'timed-out'
  if (isLate) {
    response.set('Connection', 'close')
    response.once('finish', () => request.destroy())
    return
  }
  const timer = setTimeout(() => request.destroy(), lingerMs)
  timer.unref()
  request.once('close', () => clearTimeout(timer))
}

async function storeInstances(
  request: Request,
  context: StoreRequestContext,
  options: StowOptions,
): Promise<StoreOutcome> {
  const limits = { ...defaultLimits, ...options.limits }
  const storing = new Storing(options, limits.instances)
  const metadata = new MetadataInstances(context, { limits, base: `${serviceURL(request)}/studies/` })
  let parts = 0
  options.onRequest?.began(context.association)
  try {
    for await (const part of storeParts(request, { ...defaultPace, ...options.pace })) {
      parts++
      if (parts > maximumParts) throw new RequestError('too-large', `The request has more than ${maximumParts} parts.`)
      switch (part.kind) {
        case 'instance':
          await storing.add(await takePart(part.body, part.contentType, context))
          break
        case 'metadata':
          for await (const outcome of metadata.takeMetadata(part.body)) await storing.add(outcome)
          break
        case 'bulk-data':
          for await (const outcome of metadata.takeBulkData(part)) await storing.add(outcome)
          break
      }
    }
    for (const outcome of metadata.leftOver()) await storing.add(outcome)
  } finally {
    // What is durable is indexed, also when a later part broke the request off.
    try {
      await metadata.dispose()
      await storing.flush()
    } finally {
      await options.onRequest?.ended(context.association)
      const { stored, failures } = storing.outcome
      options.log.info('instances stored by STOW-RS', {
        association: context.association,
        stored: stored.length,
        refused: failures.length,
      })
    }
  }
  if (parts === 0) throw new RequestError('malformed-multipart', 'The request has no parts.')
  storing.checkRefused()
  return storing.outcome
}

/** Counts what became of a request's instances, and hands those that are kept to the index. */
class Storing {
  readonly outcome: StoreOutcome = { stored: [], failures: [] }
  readonly #options: Pick<StowOptions, 'indexWriter'>
  readonly #limit: number
  readonly #codes = new Set<string>()
  #sentence = ''
  #batch: ReceivedInstance[] = []

  /** @param limit instances of the request */
  constructor(options: Pick<StowOptions, 'indexWriter'>, limit: number) {
    this.#options = options
    this.#limit = limit
  }

  /** @throws RequestError `too-large` behind the last instance that a request may have */
  async add(outcome: PartOutcome): Promise<void> {
    const { stored, failures } = this.outcome
    if (stored.length + failures.length >= this.#limit) {
      if (outcome.kind === 'kept') this.#batch.push(outcome.instance)
      throw tooManyInstances(this.#limit)
    }
    if (outcome.kind === 'refused') {
      this.outcome.failures.push(outcome.failure)
      this.#codes.add(outcome.code)
      this.#sentence = outcome.sentence
      return
    }
    this.outcome.stored.push(outcome.reference)
    this.#batch.push(outcome.instance)
    if (this.#batch.length >= batchSize) await this.flush()
  }

  async flush(): Promise<void> {
    const instances = this.#batch
    this.#batch = []
    await this.#options.indexWriter.add(instances)
  }

  /**
   * Where nothing was kept, and all of it for a reason that has an HTTP status of its own, that is the answer.
   * @throws IncomingError `out-of-space`, RequestError `unsupported-media-type`
   */
  checkRefused(): void {
    if (this.outcome.stored.length > 0 || this.#codes.size !== 1) return
    if (this.#codes.has('out-of-space'))
      throw new IncomingError('out-of-space', 'there is no space for instances now (0xA700)', { retry: 'transient' })
    if (this.#codes.has('bulk-data-unsupported'))
      throw new RequestError('unsupported-media-type', `The bulk data is not taken: ${this.#sentence}.`)
  }
}
