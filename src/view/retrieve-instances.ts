import type { Request, Response } from 'express'
import type { AcceptedType } from '../dicomweb/media-type.ts'
import { isWithin } from '../dicomweb/media-type.ts'
import { writeMultipart } from '../dicomweb/multipart.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import { acceptedTypes, serviceURL } from '../dicomweb/service-request.ts'
import { readObject } from './object-bytes.ts'
import { isUnchanged, sendBody } from './send.ts'
import type { StoredInstance } from './stored-instances.ts'

/** Where the bytes of objects lie. */
export interface ObjectPaths {
  pathOf(key: string): Promise<string>
}

/**
 * Sends whole instances as they are stored (PS3.18 10.4.1.1): multipart, or the bare file when one instance is asked for as
 * `application/dicom`.
 * @param single whether the URL names one instance
 * @throws RequestError 'not-acceptable' where a transfer syntax is asked for that an instance does not have
 */
export async function retrieveInstances(
  { request, response, objects }: { request: Request; response: Response; objects: ObjectPaths },
  instances: StoredInstance[],
  single: boolean,
): Promise<void> {
  const multipart = isMultipartWanted(acceptedTypes(request), instances, single)
  if (isUnchanged(request, response, String(multipart), ...instances.map((instance) => instance.objectKey))) return
  const parts = instances.map((instance) => ({
    headers: {
      'Content-Type': `application/dicom; transfer-syntax=${instance.transferSyntaxUID}`,
      'Content-Location': `${serviceURL(request)}/${locationOf(instance)}`,
    },
    length: instance.size,
    bytes: () => readObject(() => objects.pathOf(instance.objectKey), instance.size),
  }))
  const [first] = parts
  if (!multipart && first) await sendBody(request, response, { ...first, contentType: first.headers['Content-Type'] })
  else await sendBody(request, response, writeMultipart('application/dicom', parts))
}

function isMultipartWanted(accepted: AcceptedType[], instances: StoredInstance[], single: boolean): boolean {
  const isHeld = (uid: string | null) =>
    uid === null || uid === '*' || instances.every((instance) => instance.transferSyntaxUID === uid)
  const ofType = accepted.filter((wanted) => isWithin('application/dicom', wanted.type))
  for (const wanted of ofType) {
    if (wanted.multipart === false && !single) continue
    if (isHeld(wanted.transferSyntax)) return wanted.multipart !== false
  }
  const stored = [...new Set(instances.map((instance) => instance.transferSyntaxUID))]
  throw new RequestError(
    'not-acceptable',
    `Instances are offered as multipart/related; type="application/dicom"${single ? ' or application/dicom' : ''}, in the transfer syntax that they were received in (${stored.join(', ')}).`,
    { detail: { transferSyntaxUIDs: stored } },
  )
}

function locationOf({ studyInstanceUID, seriesInstanceUID, sopInstanceUID }: StoredInstance): string {
  return `studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`
}
