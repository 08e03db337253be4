import type { Router } from 'express'
import { Router as createRouter, json } from 'express'
import type { AccessDeps } from './api-access.ts'
import { accessEndpoints } from './api-access.ts'
import type { ExportsDeps } from './api-exports.ts'
import { exportEndpoints } from './api-exports.ts'
import type { FeedbackDeps } from './api-feedback.ts'
import { feedbackEndpoints } from './api-feedback.ts'
import type { FoldersDeps } from './api-folders.ts'
import { folderEndpoints } from './api-folders.ts'
import type { JobsDeps } from './api-jobs.ts'
import { jobEndpoints } from './api-jobs.ts'
import type { QuarantineDeps } from './api-quarantine.ts'
import { quarantineEndpoints } from './api-quarantine.ts'
import type { RemotesDeps } from './api-remotes.ts'
import { remoteEndpoints } from './api-remotes.ts'
import type { SessionDeps } from './api-session.ts'
import { sessionEndpoints } from './api-session.ts'
import type { StorageDeps } from './api-storage.ts'
import { storageEndpoints } from './api-storage.ts'
import type { StudiesDeps } from './api-studies.ts'
import { studyEndpoints } from './api-studies.ts'
import type { SystemDeps } from './api-system.ts'
import { systemEndpoints } from './api-system.ts'
import { requireRole } from './auth.ts'
import { endpointRouter } from './endpoint.ts'
import { openApiDocument } from './openapi.ts'
import { refuse } from './refusal.ts'

export type ApiDeps = SessionDeps &
  AccessDeps &
  StudiesDeps &
  JobsDeps &
  SystemDeps &
  RemotesDeps &
  QuarantineDeps &
  FoldersDeps &
  FeedbackDeps &
  ExportsDeps &
  StorageDeps

/**
 * Everything below /api. `authenticate` has to stand before it.
 * @param version of the node, for the API's description
 */
export function adminRouter(deps: ApiDeps, version: string): Router {
  const endpoints = [
    ...sessionEndpoints(deps),
    ...studyEndpoints(deps),
    ...jobEndpoints(deps),
    ...systemEndpoints(deps),
    ...remoteEndpoints(deps),
    ...quarantineEndpoints(deps),
    ...folderEndpoints(deps),
    ...feedbackEndpoints(deps),
    ...exportEndpoints(deps),
    ...storageEndpoints(deps),
    ...accessEndpoints(deps),
  ]
  const router = createRouter()
  router.use(json({ limit: '100kb' }))
  router.use(endpointRouter(endpoints, deps.audit))
  const description = openApiDocument(endpoints, version)
  router.get('/openapi.json', requireRole('viewer'), (_req, res) => void res.json(description))
  router.use(requireRole('viewer'), (_req, res) =>
    refuse(res, 404, 'not-found', 'The API has no such address: see /api/openapi.json.'),
  )
  return router
}
