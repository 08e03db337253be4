import type { RequestHandler } from 'express'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { uid } from './api-schemas.ts'
import type { Audit } from './audit.ts'
import { identityOf } from './auth.ts'
import type { Sighting } from './sightings.ts'

/** The node's own reading, of what it has delivered to itself. */
const ownActor = 'token:self'

/** Records what is asked for and retrieved by QIDO-RS and WADO-RS, and the viewer's opening; gathered by person, study and minutes. */
export function auditRequests(audit: Pick<Audit, 'saw'>, log: Log): RequestHandler {
  return (req, res, next) => {
    if (req.method === 'GET') {
      const asked = req.originalUrl
      // Not `finish`: whoever hangs up before the last byte has seen the others.
      res.on('close', () => {
        const actor = identityOf(req)?.actor
        if (actor === undefined || actor === ownActor || !res.headersSent || res.statusCode >= 400) return
        const seen = sightingOf(asked)
        if (seen === null) return
        audit.saw({ ...seen, actor, address: req.ip }).catch((error: unknown) => {
          log.error('what was seen cannot be recorded', { reason: messageOf(error) })
        })
      })
    }
    next()
  }
}

/** What a request below the origin lets somebody see; null where it is no patient's data. */
export function sightingOf(url: string): Pick<Sighting, 'action' | 'studyInstanceUID' | 'detail'> | null {
  const [path = '', query] = url.split('?')
  const where = decoded(path)
  const retrieved = /^\/dicomweb\/studies\/([\d.]{1,64})(\/.*)?$/i.exec(where)
  const detail = query === undefined ? {} : { detail: { query } }
  if (retrieved && !isSearch(retrieved[2] ?? ''))
    return { action: 'study-retrieve', studyInstanceUID: retrieved[1] ?? '' }
  if (/^\/dicomweb\//i.test(where)) {
    const study = retrieved?.[1] ?? ''
    return { action: 'query', ...detail, ...(uid.safeParse(study).success && { studyInstanceUID: study }) }
  }
  return null
}

/** As the router reads it. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** QIDO-RS within a study. */
function isSearch(rest: string): boolean {
  return /^\/(series|instances|series\/[\d.]+\/instances)\/?$/i.test(rest)
}
