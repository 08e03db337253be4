import type { Router } from 'express'
import { Router as createRouter, json } from 'express'
import type { AccessDeps } from './api-access.ts'
import { accessEndpoints } from './api-access.ts'
import type { AuditDeps } from './api-audit.ts'
import { auditEndpoints } from './api-audit.ts'
import type { DestinationsDeps } from './api-destinations.ts'
import { destinationEndpoints } from './api-destinations.ts'
import type { ExportsDeps } from './api-exports.ts'
import { exportEndpoints } from './api-exports.ts'
import type { FeedbackDeps } from './api-feedback.ts'
import { feedbackEndpoints } from './api-feedback.ts'
import type { FoldersDeps } from './api-folders.ts'
import { folderEndpoints } from './api-folders.ts'
import type { InsightsDeps } from './api-insights.ts'
import { insightEndpoints } from './api-insights.ts'
import type { JobsDeps } from './api-jobs.ts'
import { jobEndpoints } from './api-jobs.ts'
import type { NotificationsDeps } from './api-notifications.ts'
import { notificationEndpoints } from './api-notifications.ts'
import { oidcEndpoints } from './api-oidc.ts'
import type { OverviewDeps } from './api-overview.ts'
import { overviewEndpoints } from './api-overview.ts'
import type { PipelinesDeps } from './api-pipelines.ts'
import { pipelineEndpoints } from './api-pipelines.ts'
import type { QuarantineDeps } from './api-quarantine.ts'
import { quarantineEndpoints } from './api-quarantine.ts'
import type { RemotesDeps } from './api-remotes.ts'
import { remoteEndpoints } from './api-remotes.ts'
import type { RouteActivityDeps } from './api-route-activity.ts'
import { routeActivityEndpoints } from './api-route-activity.ts'
import type { RouteTrialsDeps } from './api-route-trials.ts'
import { routeTrialEndpoints } from './api-route-trials.ts'
import type { RoutesDeps } from './api-routes.ts'
import { routeEndpoints } from './api-routes.ts'
import type { SchedulesDeps } from './api-schedules.ts'
import { scheduleEndpoints } from './api-schedules.ts'
import type { SessionDeps } from './api-session.ts'
import { sessionEndpoints } from './api-session.ts'
import type { SettingsDeps } from './api-settings.ts'
import { settingsEndpoints } from './api-settings.ts'
import type { StorageDeps } from './api-storage.ts'
import { storageEndpoints } from './api-storage.ts'
import type { StudiesDeps } from './api-studies.ts'
import { studyEndpoints } from './api-studies.ts'
import type { StudyActsDeps } from './api-study-acts.ts'
import { studyActEndpoints } from './api-study-acts.ts'
import type { ThumbnailsDeps } from './api-thumbnails.ts'
import { thumbnailEndpoints } from './api-thumbnails.ts'
import { requirePermission } from './auth.ts'
import type { Endpoint } from './endpoint.ts'
import { endpointRouter } from './endpoint.ts'
import type { Idempotency } from './idempotency.ts'
import { openApiDocument } from './openapi.ts'
import { addresses } from './permissions.ts'
import { refuse } from './refusal.ts'

export type ApiDeps = GeneralDeps &
  SessionDeps &
  OverviewDeps &
  StudyActsDeps &
  ThumbnailsDeps &
  PipelinesDeps &
  DestinationsDeps &
  SettingsDeps &
  AccessDeps &
  AuditDeps &
  StudiesDeps &
  JobsDeps &
  RoutesDeps &
  RouteTrialsDeps &
  RouteActivityDeps &
  RemotesDeps &
  QuarantineDeps &
  FoldersDeps &
  FeedbackDeps &
  ExportsDeps &
  InsightsDeps &
  NotificationsDeps &
  SchedulesDeps &
  StorageDeps

/** What the API needs whatever is asked. */
export interface GeneralDeps {
  /** Keeps the answers of actions by their Idempotency-Key. */
  idempotency: Idempotency
}

/** Every operation below /api. */
export function apiEndpoints(deps: ApiDeps): Endpoint[] {
  return [
    ...sessionEndpoints(deps),
    ...oidcEndpoints(deps),
    ...overviewEndpoints(deps),
    ...studyEndpoints(deps),
    ...studyActEndpoints(deps),
    ...thumbnailEndpoints(deps),
    ...jobEndpoints(deps),
    ...routeTrialEndpoints(deps),
    ...routeActivityEndpoints(deps),
    ...routeEndpoints(deps),
    ...pipelineEndpoints(deps),
    ...destinationEndpoints(deps),
    ...remoteEndpoints(deps),
    ...quarantineEndpoints(deps),
    ...folderEndpoints(deps),
    ...feedbackEndpoints(deps),
    ...exportEndpoints(deps),
    ...insightEndpoints(deps),
    ...notificationEndpoints(deps),
    ...scheduleEndpoints(deps),
    ...storageEndpoints(deps),
    ...settingsEndpoints(deps),
    ...accessEndpoints(deps),
    ...auditEndpoints(deps),
  ]
}

/**
 * Everything below /api. `authenticate` has to stand before it.
 * @param version of the node, for the API's description
 */
export function adminRouter(deps: ApiDeps, version: string): Router {
  const endpoints = apiEndpoints(deps)
  const router = createRouter()
  router.use(json({ limit: '100kb' }))
  router.use(endpointRouter(endpoints, deps.audit, undefined, deps.idempotency))
  const description = openApiDocument(endpoints, version)
  router.get(
    '/openapi.json',
    requirePermission(addresses['GET /api/openapi.json']),
    (_req, res) => void res.json(description),
  )
  router.use(requirePermission('login'), (_req, res) =>
    refuse(res, 404, 'not-found', 'The API has no such address: see /api/openapi.json.'),
  )
  return router
}
