import type { Request, Response } from 'express'
import { serviceURL } from '../dicomweb/service-request.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Descriptions, describe, metadataFor } from './described.ts'
import type { ObjectPaths } from './retrieve-instances.ts'
import { sendJsonArray } from './send.ts'
import type { StoredInstance } from './stored-instances.ts'

/** Headers that are read at the same time. */
const readAhead = 8

/**
 * Sends the metadata of instances (PS3.18 10.4.1.1.2): every attribute of the stored header, bulk data by URI. An object among several
 * whose header cannot be read is left out, so that one bad file does not hide the others; the log says so.
 */
export async function retrieveMetadata(
  exchange: { request: Request; response: Response; objects: ObjectPaths; descriptions: Descriptions; log: Log },
  instances: StoredInstance[],
): Promise<void> {
  const { request, response, objects, descriptions, log } = exchange
  const base = serviceURL(request)
  const read = async (instance: StoredInstance): Promise<string | null> => {
    const { studyInstanceUID, seriesInstanceUID, sopInstanceUID, objectKey } = instance
    try {
      const described = await descriptions.get(objectKey, async () => describe(await objects.pathOf(objectKey)))
      return metadataFor(
        described,
        `${base}/studies/${studyInstanceUID}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`,
      )
    } catch (error) {
      if (instances.length === 1) throw error
      log.warn('metadata without an instance that cannot be read', { sopInstanceUID, reason: messageOf(error) })
      return null
    }
  }
  response.set('Cache-Control', 'private, no-cache')
  await sendJsonArray(request, response, inOrder(instances, read))
}

/** Makes several values at once and gives them in order; null ones are left out. */
async function* inOrder<Item>(items: readonly Item[], make: (item: Item) => Promise<string | null>) {
  const pending: Promise<string | null>[] = []
  let next = 0
  while (next < items.length || pending.length > 0) {
    while (pending.length < readAhead && next < items.length) {
      const made = make(items[next++] as Item)
      made.catch(() => {}) // awaited below, in its turn
      pending.push(made)
    }
    const text = await pending.shift()
    if (typeof text === 'string') yield text
  }
}
