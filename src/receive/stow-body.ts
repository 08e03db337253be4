import type { Request } from 'express'
import { parseMediaType } from '../dicomweb/media-type.ts'
import { boundaryOf, readMultipart } from '../dicomweb/multipart.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import { type Pace, paced } from './stow-pace.ts'

/** One part of a Store Instances request (PS3.18 10.5.1). The body is read once, before the next part is asked for. */
export type StorePart =
  /** An instance. `contentType` is null where the part gives none. */
  | { kind: 'instance'; contentType: string | null; body: AsyncIterable<Buffer> }
  /** Data sets in the DICOM JSON Model, whose bulk data may follow in parts of their own. */
  | { kind: 'metadata'; body: AsyncIterable<Buffer> }
  /** Bulk data of the metadata before it. */
  | { kind: 'bulk-data'; contentType: string; location: string | null; body: AsyncIterable<Buffer> }

const takenTypes =
  'Instances are taken as multipart/related; type="application/dicom" or type="application/dicom+json", one alone as application/dicom, ' +
  'data sets without bulk data as application/dicom+json.'

/**
 * The parts of a request, as they come.
 * @throws RequestError `unsupported-media-type`, `length-required`, `malformed-multipart`, `timed-out`
 */
export async function* storeParts(request: Request, pace: Pace): AsyncGenerator<StorePart, void, void> {
  const header = request.get('content-type') ?? ''
  const type = parseMediaType(header)
  checkHeaders(request)
  // The request outlives its iteration: an answer is due, whatever happens while it is read.
  const body = paced(request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>, pace)
  if (type?.type === 'application/dicom') {
    yield { kind: 'instance', contentType: header, body }
    return
  }
  if (type?.type === 'application/dicom+json') {
    yield { kind: 'metadata', body }
    return
  }
  if (type?.type !== 'multipart/related') throw unsupported(type?.type ?? null)
  const root = (type.parameters.get('type') ?? 'application/dicom').toLowerCase()
  if (root !== 'application/dicom' && root !== 'application/dicom+json') throw unsupported(root)
  for await (const part of readMultipart(body, boundaryOf(header))) {
    const contentType = part.headers.get('content-type') ?? null
    if (root === 'application/dicom') yield { kind: 'instance', contentType, body: part.body }
    else yield partBesideMetadata(contentType ?? root, part.headers.get('content-location') ?? null, part.body)
  }
}

function partBesideMetadata(contentType: string, location: string | null, body: AsyncIterable<Buffer>): StorePart {
  switch (parseMediaType(contentType)?.type) {
    case 'application/dicom+json':
    case 'application/json':
      return { kind: 'metadata', body }
    case 'application/dicom':
      return { kind: 'instance', contentType, body }
    default:
      return { kind: 'bulk-data', contentType, location, body }
  }
}

function unsupported(type: string | null): RequestError {
  const xml = type === 'application/dicom+xml' ? ' Metadata is taken as application/dicom+json only.' : ''
  return new RequestError('unsupported-media-type', `${takenTypes}${xml}`)
}

function checkHeaders(request: Request): void {
  if (!['', 'identity'].includes(request.get('content-encoding') ?? ''))
    throw new RequestError(
      'unsupported-media-type',
      'Requests with a Content-Encoding are not taken: send the bytes as they are.',
    )
  // Without either, HTTP/1.1 takes the request for empty (RFC 9112 6.3).
  if (request.get('content-length') === undefined && request.get('transfer-encoding') === undefined)
    throw new RequestError('length-required', 'The request has neither a Content-Length nor a Transfer-Encoding.')
}
