import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Express } from 'express'
import { type Auth, createApp } from '../admin/app.ts'
import { type Check, databaseCheck, listenerCheck, spaceCheck } from '../admin/health.ts'
import type { NodeMetrics } from '../admin/metrics.ts'
import { packageRoot } from '../config.ts'
import { stowRouter } from '../receive/stow-rs.ts'
import type { IncomingFolder } from '../store/incoming.ts'
import type { Objects } from '../store/objects.ts'
import { dicomwebRouter } from '../view/router.ts'
import { viewerRouter } from '../view/viewer.ts'
import { type ApiParts, apiOf } from './api.ts'
import type { Arrivals } from './arrivals.ts'
import { quarantineActs } from './folders.ts'
import type { WorkParts } from './work.ts'

export interface NodeAppParts extends Omit<ApiParts, 'quarantine'>, Pick<WorkParts, 'log'> {
  auth: Auth
  metrics: NodeMetrics
  objects: Objects
  incoming: IncomingFolder
  arrivals: Arrivals
}

/** Everything that the node answers over HTTP. */
export function createNodeApp(parts: NodeAppParts): Express {
  const { config, database, objects, auth, metrics, log, incoming, arrivals, assembler, hub } = parts
  const quarantine = quarantineActs({ database, incoming, arrivals, hub, log })
  return createApp({
    version: packageVersion(),
    trustProxy: config.http.trustProxy,
    log,
    auth,
    metrics,
    api: apiOf({ ...parts, quarantine }),
    checks: checksOf(parts),
    routers: {
      dicomweb: dicomwebRouter({ database, objects, log }),
      stow: stowRouter({
        incoming,
        indexWriter: arrivals,
        onQuarantined: (object) => arrivals.onQuarantined(object),
        onRequest: {
          began: (association) => assembler.associationOpened(association),
          ended: (association) => assembler.associationClosed(association, new Date().toISOString()),
        },
        log,
      }),
      viewer: viewerRouter({ folder: config.roles.includes('serve') ? viewerFolder() : null, log }),
    },
  })
}

/** What `/readyz` asks: of the parts that this node has. */
function checksOf({ config, database, space, folders, arrivals: { receiver } }: NodeAppParts): Record<string, Check> {
  const checks: Record<string, Check> = { database: databaseCheck(database), disk: spaceCheck(space) }
  if (config.receive.folders.length > 0) checks.folders = () => folders.health()
  if (config.roles.includes('receive'))
    checks.dicom = listenerCheck(() => (receiver.pid === undefined ? null : receiver.port))
  return checks
}

/** OHIF, where set-up has fetched it. */
function viewerFolder(): string | null {
  const folder = path.join(packageRoot, 'dist', 'ohif')
  return existsSync(path.join(folder, 'index.html')) ? folder : null
}

/** Of the program. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version
}
