import { setImmediate as nextTurn } from 'node:timers/promises'
import express, { type RequestHandler, type Router } from 'express'
import type { Knex } from 'knex'
import { problemHandler } from '../dicomweb/problem.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import { jsonType, queryOf, serviceURL } from '../dicomweb/service-request.ts'
import { uidParameter } from '../dicomweb/uid-parameter.ts'
import type { Log } from '../log.ts'
import type { Level } from './attributes.ts'
import { createDescriptions } from './described.ts'
import { parseFrameList } from './frame-list.ts'
import { retrieveBulkData } from './retrieve-bulk-data.ts'
import { createFrameLayouts, retrieveFrames, retrievePixelData } from './retrieve-frames.ts'
import { type ObjectPaths, retrieveInstances } from './retrieve-instances.ts'
import { retrieveMetadata } from './retrieve-metadata.ts'
import { search } from './search.ts'
import { parseSearchRequest } from './search-request.ts'
import { sendJsonArray } from './send.ts'
import { findInstance, findInstances } from './stored-instances.ts'

const study = '/studies/:study'
const series = `${study}/series/:series`
const instance = `${series}/instances/:instance`

/**
 * QIDO-RS and WADO-RS (PS3.18 10.4, 10.6), and STOW-RS where a handler for it is given. Mounted at `/dicomweb`; who may ask is decided
 * before. Every error leaves as a problem document.
 */
export function dicomwebRouter({
  database,
  objects,
  log,
  storeInstances,
}: {
  database: Knex
  objects: ObjectPaths
  log: Log
  storeInstances?: RequestHandler
}): Router {
  const router = express.Router()
  if (storeInstances !== undefined) router.use(storeInstances)
  addSearches(router, database)
  addRetrievals(router, { database, objects, log })
  router.get([`${instance}/rendered`, `${instance}/frames/:frames/rendered`, /\/thumbnail$/, /\/rendered$/], () => {
    throw new RequestError(
      'not-offered',
      'Rendered images and thumbnails are not offered: retrieve the frames, and render them in the viewer.',
    )
  })
  router.use((request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD' || request.method === 'POST') {
      throw new RequestError('not-found', 'There is no such DICOMweb resource.')
    }
    response.set('Allow', 'GET, HEAD, POST')
    throw new RequestError('method-not-allowed', 'DICOMweb resources are read with GET, and stored with POST.')
  })
  router.use(problemHandler(log))
  return router
}

function addSearches(router: Router, database: Knex): void {
  const searchFor =
    (level: Level): RequestHandler =>
    async (request, response) => {
      jsonType(request)
      const { study: inStudy, series: inSeries } = request.params
      const scope = {
        ...(inStudy !== undefined && { studyInstanceUID: uidParameter(request, 'study') }),
        ...(inSeries !== undefined && { seriesInstanceUID: uidParameter(request, 'series') }),
      }
      const question = { level, scope, request: parseSearchRequest(queryOf(request), level), base: serviceURL(request) }
      const { matches, truncated, incomplete } = await search(database, question)
      if (truncated) {
        warn('There are additional results that can be requested with the offset parameter')
      }
      if (incomplete !== null) warn(incomplete)
      if (question.request.fuzzyMatching) {
        warn('The fuzzymatching parameter is not supported. Only literal matching has been performed.')
      }
      response.set('Cache-Control', 'private, no-cache')
      await sendJsonArray(request, response, texts(matches))

      function warn(sentence: string): void {
        response.append('Warning', `299 ${request.get('host') ?? 'hilum'} "${sentence}"`)
      }
    }
  router.get('/studies', searchFor('study'))
  router.get(['/series', `${study}/series`], searchFor('series'))
  router.get(['/instances', `${study}/instances`, `${series}/instances`], searchFor('instance'))
}

/** The matches as texts; a long list gives way to everything else now and then, since a fast client never holds it up. */
async function* texts(matches: readonly unknown[]): AsyncGenerator<string> {
  for (const [i, match] of matches.entries()) {
    if (i % 100 === 99) await nextTurn()
    yield JSON.stringify(match)
  }
}

function addRetrievals(
  router: Router,
  { database, objects, log }: { database: Knex; objects: ObjectPaths; log: Log },
): void {
  const descriptions = createDescriptions()
  const layouts = createFrameLayouts()
  const scopeOf = (request: express.Request) => ({
    study: uidParameter(request, 'study'),
    ...(request.params.series !== undefined && { series: uidParameter(request, 'series') }),
    ...(request.params.instance !== undefined && { instance: uidParameter(request, 'instance') }),
  })
  const instanceOf = (request: express.Request) =>
    findInstance(database, {
      study: uidParameter(request, 'study'),
      series: uidParameter(request, 'series'),
      instance: uidParameter(request, 'instance'),
    })

  router.get([study, series, instance], async (request, response) => {
    const found = await findInstances(database, scopeOf(request))
    await retrieveInstances({ request, response, objects }, found, request.params.instance !== undefined)
  })
  router.get([`${study}/metadata`, `${series}/metadata`, `${instance}/metadata`], async (request, response) => {
    jsonType(request)
    const found = await findInstances(database, scopeOf(request))
    await retrieveMetadata({ request, response, objects, descriptions, log }, found)
  })
  router.get(`${instance}/frames/:frames`, async (request, response) => {
    const numbers = parseFrameList(request.params.frames)
    await retrieveFrames({ request, response, objects, layouts }, await instanceOf(request), numbers)
  })
  router.get(`${instance}/bulkdata/:place`, async (request, response) => {
    const place = request.params.place
    const found = await instanceOf(request)
    if (/^7FE000(08|09|10)$/i.test(place)) await retrievePixelData({ request, response, objects, layouts }, found)
    else await retrieveBulkData({ request, response, objects, descriptions }, found, place)
  })
}
