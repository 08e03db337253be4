import { randomUUID } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import { type MediaType, parseMediaType } from '../dicomweb/media-type.ts'
import { boundaryOf, readMultipart } from '../dicomweb/multipart.ts'
import { problemHandler } from '../dicomweb/problem.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import { jsonType, serviceURL } from '../dicomweb/service-request.ts'
import { uidParameter } from '../dicomweb/uid-parameter.ts'
import type { Log } from '../log.ts'
import type { IncomingFolder } from '../store/incoming.ts'
import type { QuarantinedObject, ReceivedInstance } from './received.ts'
import { SeriesSeen } from './series-seen.ts'
import { type StoreRequestContext, takePart } from './stow-part.ts'
import { type PartOutcome, storeResponse } from './stow-response.ts'

export interface StoreLimits {
  /** Bytes of one instance. */
  partBytes: number
  /** Instances of one request. */
  parts: number
}

export interface StowOptions {
  incoming: Pick<IncomingFolder, 'beginRaw'>
  /** Resolves when the instances are indexed. */
  indexWriter: { add(instances: readonly ReceivedInstance[]): Promise<void> }
  onQuarantined(object: QuarantinedObject): void
  /** Told of each request, as of an association: what it brought is indexed before it has ended. */
  onRequest?: { began(association: string): void; ended(association: string): Promise<void> }
  log: Log
  limits?: Partial<StoreLimits>
}

const defaultLimits: StoreLimits = { partBytes: 16 * 1024 ** 3, parts: 10_000 }

/** Instances that are handed to the index together. */
const batchSize = 50

/**
 * STOW-RS (PS3.18 10.5): `POST /studies` and `POST /studies/{study}`, below where the DICOMweb service is mounted. No body parser may
 * have read the request. Instances are durable and indexed before the answer says that they are stored.
 */
export function stowRouter(options: StowOptions): Router {
  const router = express.Router()
  const limits = { ...defaultLimits, ...options.limits }
  const series = new SeriesSeen()
  router.post(['/studies', '/studies/:study'], async (request, response) => {
    const study = request.params.study === undefined ? null : uidParameter(request, 'study')
    const answerType = jsonType(request)
    const association = `stow-${randomUUID()}`
    const context: StoreRequestContext = {
      incoming: options.incoming,
      series,
      log: options.log,
      onQuarantined: options.onQuarantined,
      association,
      sender: { callingAETitle: 'STOW-RS', calledAETitle: '', address: (request.ip ?? '').replace(/^::ffff:/, '') },
      study,
      maximumPartBytes: limits.partBytes,
    }
    const outcomes = await storeInstances(request, { context, limits, options })
    const { status, body } = storeResponse(outcomes, { base: serviceURL(request), study })
    options.log.info('instances stored by STOW-RS', {
      association,
      stored: outcomes.filter((outcome) => outcome.kind === 'kept').length,
      refused: outcomes.filter((outcome) => outcome.kind === 'refused').length,
    })
    response.status(status).type(answerType).send(JSON.stringify(body))
  })
  router.use((error: unknown, request: Request, response: Response, next: express.NextFunction) => {
    // Clients read the answer after they have sent everything: what is left of the request is taken and dropped.
    request.resume()
    problemHandler(options.log)(error, request, response, next)
  })
  return router
}

async function storeInstances(
  request: Request,
  { context, limits, options }: { context: StoreRequestContext; limits: StoreLimits; options: StowOptions },
): Promise<PartOutcome[]> {
  const outcomes: PartOutcome[] = []
  let batch: ReceivedInstance[] = []
  const flush = async () => {
    const instances = batch
    batch = []
    await options.indexWriter.add(instances)
  }
  options.onRequest?.began(context.association)
  try {
    for await (const part of partsOf(request)) {
      if (outcomes.length === limits.parts) {
        throw new RequestError('too-large', `The request has more than ${limits.parts} parts.`)
      }
      const outcome = await takePart(part.body, part.contentType, context)
      outcomes.push(outcome)
      if (outcome.kind === 'kept') batch.push(outcome.instance)
      if (batch.length >= batchSize) await flush()
    }
  } finally {
    // What is durable is indexed, also when a later part broke the request off.
    try {
      await flush()
    } finally {
      await options.onRequest?.ended(context.association)
    }
  }
  if (outcomes.length === 0) throw new RequestError('malformed-multipart', 'The request has no parts.')
  return outcomes
}

async function* partsOf(request: Request): AsyncGenerator<{ contentType: string | null; body: AsyncIterable<Buffer> }> {
  const header = request.get('content-type') ?? ''
  const type = parseMediaType(header)
  checkEncoding(request)
  // The request outlives its iteration: an answer is due, whatever happens while it is read.
  const bytes = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  if (type?.type === 'application/dicom') {
    yield { contentType: header, body: bytes }
    return
  }
  const root = rootTypeOf(type)
  for await (const part of readMultipart(bytes, boundaryOf(header))) {
    yield { contentType: part.headers.get('content-type') ?? root, body: part.body }
  }
}

function rootTypeOf(type: MediaType | null): string {
  if (type?.type !== 'multipart/related') {
    throw new RequestError(
      'unsupported-media-type',
      'Instances are taken as multipart/related; type="application/dicom", or one as application/dicom.',
    )
  }
  const root = (type.parameters.get('type') ?? 'application/dicom').toLowerCase()
  if (root !== 'application/dicom') {
    throw new RequestError(
      'unsupported-media-type',
      'Metadata with bulk data beside it (application/dicom+json, application/dicom+xml) is not taken: send instances as application/dicom.',
    )
  }
  return root
}

function checkEncoding(request: Request): void {
  if (!['', 'identity'].includes(request.get('content-encoding') ?? '')) {
    throw new RequestError(
      'unsupported-media-type',
      'Requests with a Content-Encoding are not taken: send the bytes as they are.',
    )
  }
}
