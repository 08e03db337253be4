import type { Request } from 'express'
import { type AcceptedType, isWithin, parseAccept } from './media-type.ts'
import { RequestError } from './request-error.ts'

/**
 * What the client accepts: the `accept` query parameter before the header (PS3.18 8.3.3.1), most wanted first.
 */
export function acceptedTypes(request: Request): AcceptedType[] {
  const parameter = queryOf(request).get('accept')
  return parseAccept(parameter ?? request.get('accept'))
}

/** The query part of the URL, in order and with repetitions. */
export function queryOf(request: Request): URLSearchParams {
  const at = request.originalUrl.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : request.originalUrl.slice(at + 1))
}

/** URL of the DICOMweb service as the client reaches it. */
export function serviceURL(request: Request): string {
  return `${request.protocol}://${request.get('host') ?? 'localhost'}${request.baseUrl}`
}

/**
 * The JSON media type that the client accepts.
 * @throws RequestError 'not-acceptable'
 */
export function jsonType(request: Request): string {
  for (const { multipart, type } of acceptedTypes(request)) {
    if (multipart === true) continue
    if (isWithin('application/dicom+json', type)) return 'application/dicom+json'
    if (type === 'application/json') return 'application/json'
  }
  throw new RequestError('not-acceptable', 'This resource is offered as application/dicom+json only.')
}
