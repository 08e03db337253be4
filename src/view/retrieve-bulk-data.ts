import type { Request, Response } from 'express'
import { transferSyntax } from '../dicom/transfer-syntax.ts'
import { isWithin } from '../dicomweb/media-type.ts'
import { writeMultipart } from '../dicomweb/multipart.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import { acceptedTypes } from '../dicomweb/service-request.ts'
import { type BulkValue, type Described, type Descriptions, describe } from './described.ts'
import { readInflated } from './inflated-bytes.ts'
import { openObject, readRange, swapBytes } from './object-bytes.ts'
import type { ObjectPaths } from './retrieve-instances.ts'
import { isUnchanged, sendBody } from './send.ts'
import type { StoredInstance } from './stored-instances.ts'

/** Bytes of one word of a value, which are swapped when the value is stored big endian (PS3.5 7.3). */
const wordBytesOfVR: Readonly<Record<string, number>> = {
  OW: 2,
  US: 2,
  SS: 2,
  OF: 4,
  OL: 4,
  UL: 4,
  SL: 4,
  FL: 4,
  AT: 2,
  OD: 8,
  OV: 8,
  FD: 8,
  SV: 8,
  UV: 8,
}

/**
 * Sends one binary value that the metadata named (PS3.18 10.4.1.4): only places that the header itself tells of, never any bytes that a URL
 * happens to ask for.
 * @param place `offset,length` as in the BulkDataURI
 * @throws RequestError 'not-found', 'not-acceptable'
 */
export async function retrieveBulkData(
  exchange: { request: Request; response: Response; objects: ObjectPaths; descriptions: Descriptions },
  instance: StoredInstance,
  place: string,
): Promise<void> {
  const { request, response, objects, descriptions } = exchange
  const path = await objects.pathOf(instance.objectKey)
  const described = await descriptions.get(instance.objectKey, () => describe(path))
  const value = described.bulk.get(place)
  if (value === undefined) throw new RequestError('not-found', 'The instance has no such bulk data.')
  const { multipart, mediaType } = chooseForm(request, described, value)
  if (isUnchanged(request, response, instance.objectKey, place, mediaType, String(multipart))) return
  const file = await openObject(path)
  try {
    const syntax = transferSyntax(described.transferSyntaxUID)
    const bytes = () => {
      if (syntax.deflated) return readInflated(file, described.dataSetOffset, [value])
      return swapBytes(readRange(file, value), syntax.littleEndian ? 1 : (wordBytesOfVR[value.vr] ?? 1))
    }
    const part = { headers: { 'Content-Type': mediaType }, length: value.length, bytes }
    await sendBody(
      request,
      response,
      multipart ? writeMultipart(mediaType, [part]) : { ...part, contentType: mediaType },
    )
  } finally {
    await file.close()
  }
}

function chooseForm(
  request: Request,
  described: Described,
  value: BulkValue,
): { multipart: boolean; mediaType: string } {
  const isDocument = value.tag === '00420011' && described.documentType !== null
  const offered = ['application/octet-stream', ...(isDocument ? [described.documentType as string] : [])]
  for (const wanted of acceptedTypes(request)) {
    // A document is more use under its own type than as octets, where either will do.
    const candidates = wanted.type === '*/*' ? [...offered].reverse() : offered
    const mediaType = candidates.find((type) => isWithin(type, wanted.type))
    if (mediaType !== undefined) return { multipart: wanted.multipart === true, mediaType }
  }
  throw new RequestError('not-acceptable', `This bulk data is offered as ${offered.join(' or ')}.`)
}
