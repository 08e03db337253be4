/** Generated from the OpenAPI document: see docs/page.md. Not to be edited. */

export type SecretInput =
  | string
  | {
      env: string
    }
  | {
      file: string
    }
  | {
      keep: true
    }
export type NotifySecretInput =
  | string
  | {
      env: string
    }
  | {
      file: string
    }
  | {
      keep: true
    }

export interface Operations {
  'GET /session/methods': {
    path: {}
    query: {}
    answer: {
      oidc: {
        label: string
        /**
         * where a browser goes; takes ?next=
         */
        url: string
      } | null
    }
  }
  'POST /session': {
    path: {}
    query: {}
    body: {
      name: string
      password: string
    }
    answer: {
      name: string
      /**
       * AE title of this node: by which people tell several apart
       */
      node: string
      /**
       * null for a token with a scope of its own
       */
      role: ('viewer' | 'radiologist' | 'operator' | 'administrator') | null
      /**
       * what the caller may do
       */
      permissions: (
        | 'node.read'
        | 'metrics.read'
        | 'studies.read'
        | 'studies.store'
        | 'studies.act'
        | 'studies.delete'
        | 'feedback.read'
        | 'feedback.give'
        | 'insights.read'
        | 'insights.manage'
        | 'queue.act'
        | 'quarantine.read'
        | 'quarantine.act'
        | 'routes.test'
        | 'routes.draft'
        | 'routes.activate'
        | 'pipelines.test'
        | 'pipelines.manage'
        | 'destinations.test'
        | 'destinations.manage'
        | 'remotes.test'
        | 'remotes.manage'
        | 'retention.run'
        | 'settings.read'
        | 'notifications.read'
        | 'notifications.manage'
        | 'schedules.read'
        | 'schedules.manage'
        | 'users.manage'
        | 'tokens.manage'
        | 'audit.read'
      )[]
      mustChangePassword: boolean
    }
  }
  'GET /session': {
    path: {}
    query: {}
    answer: {
      name: string
      /**
       * AE title of this node: by which people tell several apart
       */
      node: string
      /**
       * null for a token with a scope of its own
       */
      role: ('viewer' | 'radiologist' | 'operator' | 'administrator') | null
      /**
       * what the caller may do
       */
      permissions: (
        | 'node.read'
        | 'metrics.read'
        | 'studies.read'
        | 'studies.store'
        | 'studies.act'
        | 'studies.delete'
        | 'feedback.read'
        | 'feedback.give'
        | 'insights.read'
        | 'insights.manage'
        | 'queue.act'
        | 'quarantine.read'
        | 'quarantine.act'
        | 'routes.test'
        | 'routes.draft'
        | 'routes.activate'
        | 'pipelines.test'
        | 'pipelines.manage'
        | 'destinations.test'
        | 'destinations.manage'
        | 'remotes.test'
        | 'remotes.manage'
        | 'retention.run'
        | 'settings.read'
        | 'notifications.read'
        | 'notifications.manage'
        | 'schedules.read'
        | 'schedules.manage'
        | 'users.manage'
        | 'tokens.manage'
        | 'audit.read'
      )[]
      mustChangePassword: boolean
    }
  }
  'DELETE /session': {
    path: {}
    query: {}
    answer: {
      /**
       * where the browser goes to log out at the OpenID provider too
       */
      logoutUrl: string | null
    }
  }
  'POST /session/password': {
    path: {}
    query: {}
    body: {
      current: string
      next: string
    }
  }
  'GET /session/sessions': {
    path: {}
    query: {}
    answer: {
      sessions: LoginSession[]
    }
  }
  'DELETE /session/sessions/{id}': {
    path: {
      id: string
    }
    query: {}
  }
  'GET /session/oidc': {
    path: {}
    query: {
      /**
       * path to go to afterwards
       */
      next?: string
    }
  }
  'GET /session/oidc/callback': {
    path: {}
    query: {}
  }
  'POST /session/oidc/logout': {
    path: {}
    query: {}
  }
  'GET /overview': {
    path: {}
    query: {}
    answer: Overview
  }
  'GET /studies': {
    path: {}
    query: {
      limit?: number
      offset?: number
      /**
       * part of the patient name, patient ID, accession number or description, or a whole Study Instance UID
       */
      search?: string
      state?: 'receiving' | 'complete' | 'processing' | 'done' | 'failed'
      /**
       * part of the patient name or ID
       */
      patient?: string
      /**
       * accession number, or its beginning with * behind it
       */
      accession?: string
      /**
       * Study Date, the first
       */
      from?: string
      /**
       * Study Date, the last
       */
      to?: string
      /**
       * of a source series
       */
      modality?: string
      /**
       * name of a finding of the newest revision, as it is listed
       */
      finding?: string
      /**
       * how the finding compares with value; without it: any value
       */
      is?: 'lt' | 'le' | 'eq' | 'ge' | 'gt'
      value?: number
      /**
       * what comes first: the last changed, the newest Study Date, or the last arrived
       */
      sort?: 'changed' | 'date' | 'arrived'
    }
    answer: StudyList
  }
  'GET /studies/findings': {
    path: {}
    query: {}
    answer: {
      findings: FindingName[]
    }
  }
  'GET /studies/{studyInstanceUID}': {
    path: {
      studyInstanceUID: string
    }
    query: {}
    answer: Timeline
  }
  'DELETE /studies/{studyInstanceUID}': {
    path: {
      studyInstanceUID: string
    }
    query: {
      /**
       * the Study Instance UID once more: nothing brings it back
       */
      confirm: string
    }
    answer: {
      sentence: string
    }
  }
  'POST /studies/{studyInstanceUID}/complete': {
    path: {
      studyInstanceUID: string
    }
    query: {}
    answer: {
      sentence: string
    }
  }
  'GET /events': {
    path: {}
    query: {}
  }
  'POST /studies/{studyInstanceUID}/retry': {
    path: {
      studyInstanceUID: string
    }
    query: {}
    body: {
      /**
       * route: decide every route anew on the newest revision; infer: run its pipelines again; deliver: deliver its results again
       */
      from: 'route' | 'infer' | 'deliver'
      /**
       * infer, deliver: only what this route asked for
       */
      route?: string
      /**
       * deliver: only to this destination
       */
      destination?: string
    }
    answer: Acted
  }
  'POST /studies/{studyInstanceUID}/run': {
    path: {
      studyInstanceUID: string
    }
    query: {}
    body: {
      /**
       * name for the newest version, name@1.2.0, or name@sha256:…
       */
      pipeline: string
      /**
       * input to Series Instance UID; an input that is left out takes the one series that fits
       */
      inputs?: {
        [k: string]: string
      }
      /**
       * where the results go; empty: they are kept here
       *
       * @maxItems 20
       */
      destinations?: string[]
      priority?: 'urgent' | 'normal' | 'low'
    }
    answer: Acted
  }
  'POST /studies/{studyInstanceUID}/deliver': {
    path: {
      studyInstanceUID: string
    }
    query: {}
    body: {
      destination: string
      /**
       * SOP Instance UIDs; left out: all of the newest revision
       *
       * @minItems 1
       * @maxItems 500
       */
      results?: string[]
    }
    answer: Acted
  }
  'GET /studies/{studyInstanceUID}/thumbnail': {
    path: {
      studyInstanceUID: string
    }
    query: {
      /**
       * pixels of the longer side, at most
       */
      size?: number
    }
  }
  'GET /studies/{studyInstanceUID}/series/{seriesInstanceUID}/thumbnail': {
    path: {
      studyInstanceUID: string
      seriesInstanceUID: string
    }
    query: {
      /**
       * pixels of the longer side, at most
       */
      size?: number
    }
  }
  'GET /results/{sopInstanceUID}/thumbnail': {
    path: {
      sopInstanceUID: string
    }
    query: {
      /**
       * pixels of the longer side, at most
       */
      size?: number
    }
  }
  'GET /jobs': {
    path: {}
    query: {
      limit?: number
      offset?: number
      state?: 'queued' | 'running' | 'done' | 'failed'
      kind?: 'infer' | 'deliver'
      route?: string
      /**
       * name for all of its versions, or name@sha256:…
       */
      pipeline?: string
      destination?: string
      studyInstanceUID?: string
      /**
       * of a group of failures, as GET /queue/failures gives it
       */
      reason?: string
    }
    answer: {
      /**
       * on all pages
       */
      total: number
      /**
       * false where there are more than total, which were not counted
       */
      totalIsExact: boolean
      jobs: JobRow[]
    }
  }
  'POST /jobs/{id}/retry': {
    path: {
      id: string
    }
    query: {}
    answer: {
      id: string
      state: 'queued'
    }
  }
  'POST /jobs/{id}/cancel': {
    path: {
      id: string
    }
    query: {}
    answer: {
      id: string
      state: 'failed' | 'running'
    }
  }
  'POST /jobs/{id}/priority': {
    path: {
      id: string
    }
    query: {}
    body: {
      priority: 'urgent' | 'normal' | 'low'
    }
    answer: {
      id: string
      priority: 'urgent' | 'normal' | 'low'
    }
  }
  'GET /queue': {
    path: {}
    query: {}
    answer: QueueState
  }
  'GET /queue/failures': {
    path: {}
    query: {
      kind?: 'infer' | 'deliver'
    }
    answer: {
      groups: FailureGroup[]
      /**
       * how many failures were looked at, the newest
       */
      looked: number
      /**
       * true: there are no more
       */
      complete: boolean
    }
  }
  'POST /queue/retry': {
    path: {}
    query: {}
    body: {
      kind?: 'infer' | 'deliver'
      route?: string
      /**
       * name for all of its versions, or name@sha256:…
       */
      pipeline?: string
      destination?: string
      studyInstanceUID?: string
      /**
       * of a group of failures, as GET /queue/failures gives it
       */
      reason?: string
      /**
       * also those whose input is outside the declared limits
       */
      refused?: boolean
      /**
       * also those that somebody ended
       */
      cancelled?: boolean
    }
    answer: BulkOutcome
  }
  'POST /queue/cancel': {
    path: {}
    query: {}
    body: {
      kind?: 'infer' | 'deliver'
      route?: string
      /**
       * name for all of its versions, or name@sha256:…
       */
      pipeline?: string
      destination?: string
      studyInstanceUID?: string
      /**
       * of a group of failures, as GET /queue/failures gives it
       */
      reason?: string
    }
    answer: BulkOutcome
  }
  'GET /queue/pauses': {
    path: {}
    query: {}
    answer: {
      pauses: Pause[]
    }
  }
  'POST /queue/pauses': {
    path: {}
    query: {}
    /**
     * what is paused, and why
     */
    body:
      | {
          scope: 'all'
          reason: string
        }
      | {
          scope: 'kind'
          name: 'infer' | 'deliver'
          reason: string
        }
      | {
          scope: 'pipeline'
          /**
           * its name
           */
          name: string
          reason: string
        }
      | {
          scope: 'destination'
          name: string
          reason: string
        }
    answer: Pause
  }
  'DELETE /queue/pauses/{id}': {
    path: {
      id: number
    }
    query: {}
  }
  'POST /routes/test': {
    path: {}
    query: {}
    body: {
      studyInstanceUID: string
      definition?: RouteDraftDefinition
      /**
       * its draft is tried, or the version that is named
       */
      route?: string
      version?: number
      /**
       * routes to be explained; left out: the one that is tried, or else the first 50
       *
       * @maxItems 100
       */
      explain?: string[]
    }
    answer: {
      studyInstanceUID: string
      /**
       * of the patient, that were looked at
       */
      earlierStudies: number
      /**
       * of every route, in their order
       */
      decisions: RouteDecision[]
      explanations: ExplainedRoute[]
    }
  }
  'POST /routes/test/file': {
    path: {}
    query: {
      /**
       * its draft is tried, or the version that is named
       */
      route?: string
      version?: number
      explain?: string
    }
    answer: {
      studyInstanceUID: string
      /**
       * of the patient, that were looked at
       */
      earlierStudies: number
      /**
       * of every route, in their order
       */
      decisions: RouteDecision[]
      explanations: ExplainedRoute[]
    }
  }
  'GET /routes/vocabulary': {
    path: {}
    query: {
      /**
       * part of the keyword
       */
      search?: string
      level?: 'study' | 'series'
      limit?: number
    }
    answer: {
      /**
       * when the traffic was counted
       */
      at: string
      /**
       * that were counted: the newest
       */
      studies: number
      /**
       * fields that the search finds
       */
      total: number
      fields: {
        path: string
        keyword: string
        label: string
        vr: string
        /**
         * several values: always a list
         */
        list: boolean
        level: 'study' | 'series'
        computed: boolean
        description: string | null
        /**
         * studies that had a value
         */
        seen: number
        /**
         * the most frequent; none of what identifies people
         */
        values: {
          value: string | number
          /**
           * studies
           */
          count: number
        }[]
      }[]
    }
  }
  'POST /routes/replay': {
    path: {}
    query: {}
    body: {
      days: number
      definition?: RouteDraftDefinition1
      /**
       * its draft is tried, or the version that is named
       */
      route?: string
      version?: number
    }
    answer: RouteReplay
  }
  'GET /routes/replay/{id}': {
    path: {
      id: string
    }
    query: {}
    answer: RouteReplay
  }
  'DELETE /routes/replay/{id}': {
    path: {
      id: string
    }
    query: {}
    answer: RouteReplay
  }
  'GET /routes/calendar': {
    path: {}
    query: {}
    answer: {
      calendar: OffPeakCalendar
      /**
       * null: the one that the node comes with
       */
      author: string | null
      updatedAt: string | null
    }
  }
  'PUT /routes/calendar': {
    path: {}
    query: {}
    body: OffPeakCalendar
    answer: {
      calendar: OffPeakCalendar
      /**
       * null: the one that the node comes with
       */
      author: string | null
      updatedAt: string | null
    }
  }
  'GET /routes/calendar/next': {
    path: {}
    query: {}
    answer: {
      open: boolean
      /**
       * now where one is open; null: none within a year
       */
      opens: string | null
      /**
       * of the window that is open
       */
      closes: string | null
    }
  }
  'GET /routes/activity': {
    path: {}
    query: {
      days?: number
    }
    answer: {
      routes: RouteActivity[]
    }
  }
  'GET /routes': {
    path: {}
    query: {}
    answer: {
      routes: RouteVersion[]
      drafts: RouteDraft[]
      /**
       * the newest version of each
       */
      retired: RouteVersion[]
    }
  }
  'GET /routes/order': {
    path: {}
    query: {}
    answer: {
      names: string[]
    }
  }
  'PUT /routes/order': {
    path: {}
    query: {}
    body: {
      /**
       * @maxItems 5000
       */
      names: string[]
    }
    answer: {
      names: string[]
    }
  }
  'POST /routes/validate': {
    path: {}
    query: {}
    body: {
      definition: {
        [k: string]: unknown
      }
    }
    answer: {
      valid: boolean
      problems: RouteProblem[]
    }
  }
  'GET /routes/export': {
    path: {}
    query: {
      /**
       * of one; else all
       */
      name?: string
    }
  }
  'POST /routes/import': {
    path: {}
    query: {
      /**
       * true: drafts that are there are overwritten
       */
      replace?: 'true' | 'false'
    }
    answer: {
      drafts: string[]
      unchanged: string[]
      /**
       * where each is in the file
       */
      problems: {
        /**
         * as in inputs.ct.where; empty: the whole
         */
        path: string
        expectation: string
        /**
         * of a condition: in its text; of YAML: in the file; from 1
         */
        line: number | null
        column: number | null
        route: string
      }[]
    }
  }
  'GET /routes/{name}/draft': {
    path: {
      name: string
    }
    query: {}
    answer: RouteDraft
  }
  'POST /routes/{name}/draft': {
    path: {
      name: string
    }
    query: {}
    body: {
      definition?: RouteDraftDefinition2
      /**
       * left out, without a definition: the one in force
       */
      version?: number
    }
    answer: RouteDraft
  }
  'PUT /routes/{name}/draft': {
    path: {
      name: string
    }
    query: {}
    body: {
      definition: RouteDraftDefinition2
    }
    answer: RouteDraft
  }
  'DELETE /routes/{name}/draft': {
    path: {
      name: string
    }
    query: {}
  }
  'GET /routes/{name}': {
    path: {
      name: string
    }
    query: {}
    answer: {
      name: string
      /**
       * null: none is in force
       */
      activeVersion: number | null
      draft: RouteDraft | null
      /**
       * the newest first
       */
      versions: RouteVersion[]
      /**
       * the newest first; at most 200
       */
      activations: {
        /**
         * null: taken out of force
         */
        version: number | null
        actor: string
        comment: string | null
        /**
         * ISO 8601, UTC
         */
        at: string
      }[]
    }
  }
  'DELETE /routes/{name}': {
    path: {
      name: string
    }
    query: {}
  }
  'GET /routes/{name}/diff': {
    path: {
      name: string
    }
    query: {
      /**
       * a version, active or draft
       */
      from?: string
      /**
       * a version, active or draft
       */
      to?: string
    }
    answer: {
      changes: RouteChange[]
    }
  }
  'POST /routes/{name}/activate': {
    path: {
      name: string
    }
    query: {}
    body: {
      /**
       * left out: the draft
       */
      version?: number
      /**
       * why, for those who look at the versions
       */
      comment?: string
    }
    answer: {
      /**
       * in force now
       */
      version: number
    }
  }
  'POST /routes/{name}/enable': {
    path: {
      name: string
    }
    query: {}
    body: {
      /**
       * why, for those who look at the versions
       */
      comment?: string
    }
    answer: {
      /**
       * in force now
       */
      version: number
    }
  }
  'POST /routes/{name}/disable': {
    path: {
      name: string
    }
    query: {}
    body: {
      /**
       * why, for those who look at the versions
       */
      comment?: string
    }
    answer: {
      /**
       * in force now
       */
      version: number
    }
  }
  'GET /pipelines': {
    path: {}
    query: {}
    answer: {
      pipelines: PipelineVersion[]
    }
  }
  'GET /pipelines/{name}/versions/{version}': {
    path: {
      name: string
      version: string
    }
    query: {}
    answer: PipelineCard
  }
  'GET /pipelines/{name}/versions/{version}/evaluation': {
    path: {
      name: string
      version: string
    }
    query: {}
  }
  'GET /pipelines/{name}/statistics': {
    path: {
      name: string
    }
    query: {
      days?: number
    }
    answer: {
      statistics: PipelineStatistics[]
    }
  }
  'POST /pipelines/{name}/versions/{version}/enable': {
    path: {
      name: string
      version: string
    }
    query: {}
    answer: PipelineVersion
  }
  'POST /pipelines/{name}/versions/{version}/disable': {
    path: {
      name: string
      version: string
    }
    query: {}
    body: {
      reason?: string | null
    }
    answer: PipelineVersion
  }
  'GET /pipelines/uploads': {
    path: {}
    query: {}
    answer: {
      uploads: PipelineUpload[]
    }
  }
  'POST /pipelines/uploads': {
    path: {}
    query: {
      /**
       * its name
       */
      file: string
    }
    answer: PipelineUpload
  }
  'POST /pipelines/uploads/{id}/check': {
    path: {
      id: string
    }
    query: {}
    body: {
      /**
       * of the pipeline; of a whole pipeline its manifest has it
       */
      name?: string
      /**
       * segmentation-3d, segmentation-2d, classification-3d, …
       */
      kind?: string
      /**
       * question to answer
       */
      answers?: {
        [k: string]: string
      }
    }
    answer: ImportCheck
  }
  'POST /pipelines/uploads/{id}/install': {
    path: {
      id: string
    }
    query: {}
    body: {
      /**
       * of the pipeline; of a whole pipeline its manifest has it
       */
      name?: string
      /**
       * segmentation-3d, segmentation-2d, classification-3d, …
       */
      kind?: string
      /**
       * question to answer
       */
      answers?: {
        [k: string]: string
      }
    }
    answer: PipelineVersion
  }
  'DELETE /pipelines/uploads/{id}': {
    path: {
      id: string
    }
    query: {}
  }
  'GET /destinations': {
    path: {}
    query: {}
    answer: {
      destinations: Destination[]
    }
  }
  'POST /destinations': {
    path: {}
    query: {}
    body: {
      name: string
      kind?: 'stow-rs'
      url: string
      auth?:
        | {
            kind: 'none'
          }
        | {
            kind: 'basic'
            username: string
            password: SecretInput
          }
        | {
            kind: 'bearer'
            token: SecretInput
          }
      /**
       * further HTTP headers, sealed
       */
      headers?: {
        [k: string]: SecretInput
      }
      tls?: {
        /**
         * PEM: authorities to trust instead of the system’s
         */
        ca?: string | null
        /**
         * PEM: the client’s
         */
        certificate?: string | null
        /**
         * PEM: of the client’s certificate
         */
        key?: SecretInput | null
        /**
         * false accepts any certificate: for tests only
         */
        rejectUnauthorized?: boolean
      } | null
      /**
       * seconds for one request
       */
      timeout?: number
    }
    answer: Destination
  }
  'GET /destinations/{name}': {
    path: {
      name: string
    }
    query: {}
    answer: Destination
  }
  'PUT /destinations/{name}': {
    path: {
      name: string
    }
    query: {}
    body: {
      kind?: 'stow-rs'
      url: string
      auth?:
        | {
            kind: 'none'
          }
        | {
            kind: 'basic'
            username: string
            password: SecretInput
          }
        | {
            kind: 'bearer'
            token: SecretInput
          }
      /**
       * further HTTP headers, sealed
       */
      headers?: {
        [k: string]: SecretInput
      }
      tls?: {
        /**
         * PEM: authorities to trust instead of the system’s
         */
        ca?: string | null
        /**
         * PEM: the client’s
         */
        certificate?: string | null
        /**
         * PEM: of the client’s certificate
         */
        key?: SecretInput | null
        /**
         * false accepts any certificate: for tests only
         */
        rejectUnauthorized?: boolean
      } | null
      /**
       * seconds for one request
       */
      timeout?: number
    }
    answer: Destination
  }
  'DELETE /destinations/{name}': {
    path: {
      name: string
    }
    query: {}
  }
  'POST /destinations/{name}/echo': {
    path: {
      name: string
    }
    query: {}
    answer: DestinationTest
  }
  'POST /destinations/try': {
    path: {}
    query: {}
    body: {
      /**
       * whose secrets are kept
       */
      name?: string | null
      kind?: 'stow-rs'
      url: string
      auth?:
        | {
            kind: 'none'
          }
        | {
            kind: 'basic'
            username: string
            password: SecretInput
          }
        | {
            kind: 'bearer'
            token: SecretInput
          }
      /**
       * further HTTP headers, sealed
       */
      headers?: {
        [k: string]: SecretInput
      }
      tls?: {
        /**
         * PEM: authorities to trust instead of the system’s
         */
        ca?: string | null
        /**
         * PEM: the client’s
         */
        certificate?: string | null
        /**
         * PEM: of the client’s certificate
         */
        key?: SecretInput | null
        /**
         * false accepts any certificate: for tests only
         */
        rejectUnauthorized?: boolean
      } | null
      /**
       * seconds for one request
       */
      timeout?: number
    }
    answer: DestinationTest
  }
  'GET /remotes/refused': {
    path: {}
    query: {}
    answer: {
      refused: RefusedCaller[]
    }
  }
  'POST /remotes/refused/{id}/admit': {
    path: {
      id: number
    }
    query: {}
    body: {
      /**
       * @minItems 1
       */
      may?: ('store' | 'query' | 'retrieve')[]
    }
    answer: Remote
  }
  'DELETE /remotes/refused/{id}': {
    path: {
      id: number
    }
    query: {}
  }
  'GET /remotes': {
    path: {}
    query: {}
    answer: {
      unknownCallers: string
      configured: {
        aeTitle: string
        addresses: string[]
        may: ('store' | 'query' | 'retrieve')[]
        host: string | null
        port: number
        tls: boolean
        /**
         * file: in the configuration file, and changed only there
         */
        origin: 'file' | 'api'
        /**
         * for If-Match
         */
        etag: string
        traffic: {
          associations: number
          /**
           * associations
           */
          refused: number
          instances: number
          bytes: number
          /**
           * instances
           */
          rejected: number
          /**
           * ISO 8601, UTC
           */
          lastSeenAt: string | null
          lastMinute: {
            instances: number
            bytes: number
          }
          lastHour: {
            instances: number
            bytes: number
          }
          lastDay: {
            instances: number
            bytes: number
          }
        }
      }[]
      /**
       * of callers that are no remotes
       */
      others: {
        associations: number
        /**
         * associations
         */
        refused: number
        instances: number
        bytes: number
        /**
         * instances
         */
        rejected: number
        /**
         * ISO 8601, UTC
         */
        lastSeenAt: string | null
        lastMinute: {
          instances: number
          bytes: number
        }
        lastHour: {
          instances: number
          bytes: number
        }
        lastDay: {
          instances: number
          bytes: number
        }
      }
      refused: RefusedCaller[]
    }
  }
  'POST /remotes': {
    path: {}
    query: {}
    body: {
      aeTitle: string
      /**
       * IP addresses, or blocks as in 10.0.0.0/8, that it may call from; empty: any
       *
       * @maxItems 100
       */
      addresses?: string[]
      /**
       * @minItems 1
       */
      may?: ('store' | 'query' | 'retrieve')[]
      /**
       * where it listens
       */
      host?: string | null
      port?: number
      /**
       * paths of PEM files on the node; null: called without TLS
       */
      tls?: {
        ca?: string
        certificate?: string
        key?: string
      } | null
    }
    answer: Remote
  }
  'GET /remotes/{aeTitle}': {
    path: {
      aeTitle: string
    }
    query: {}
    answer: Remote
  }
  'PUT /remotes/{aeTitle}': {
    path: {
      aeTitle: string
    }
    query: {}
    body: {
      /**
       * IP addresses, or blocks as in 10.0.0.0/8, that it may call from; empty: any
       *
       * @maxItems 100
       */
      addresses?: string[]
      /**
       * @minItems 1
       */
      may?: ('store' | 'query' | 'retrieve')[]
      /**
       * where it listens
       */
      host?: string | null
      port?: number
      /**
       * paths of PEM files on the node; null: called without TLS
       */
      tls?: {
        ca?: string
        certificate?: string
        key?: string
      } | null
    }
    answer: Remote
  }
  'DELETE /remotes/{aeTitle}': {
    path: {
      aeTitle: string
    }
    query: {}
  }
  'POST /remotes/{aeTitle}/echo': {
    path: {
      aeTitle: string
    }
    query: {}
    answer: {
      aeTitle: string
      host: string
      port: number
      ok: boolean
      ms: number
      sentence: string
    }
  }
  'GET /quarantine': {
    path: {}
    query: {
      limit?: number
      offset?: number
      /**
       * quarantined: its bytes are there; reingested; discarded; or all
       */
      state?: 'quarantined' | 'reingested' | 'discarded' | 'all'
      code?: string
      via?: 'c-store' | 'stow-rs' | 'folder' | 'recovery'
      /**
       * AE title, or CALLINGAE@address
       */
      sender?: string
      sopInstanceUID?: string
      /**
       * quarantined at this time or later
       */
      from?: string
      /**
       * quarantined before this time
       */
      to?: string
    }
    answer: {
      total: number
      objects: QuarantinedObject[]
    }
  }
  'GET /quarantine/{id}/file': {
    path: {
      id: number
    }
    query: {}
  }
  'POST /quarantine/{id}/reingest': {
    path: {
      id: number
    }
    query: {}
    body: {
      /**
       * accept UIDs that differ from those of the C-STORE command, as the data set has them
       */
      accept?: boolean
    }
    answer: {
      studyInstanceUID: string
      seriesInstanceUID: string
      sopInstanceUID: string
    }
  }
  'POST /quarantine/{id}/discard': {
    path: {
      id: number
    }
    query: {}
    answer: {
      id: number
      state: 'discarded'
    }
  }
  'POST /quarantine/reingest': {
    path: {}
    query: {}
    body: {
      /**
       * ids of quarantined objects
       *
       * @minItems 1
       * @maxItems 1000
       */
      ids: number[]
      /**
       * accept UIDs that differ from those of the C-STORE command, as the data set has them
       */
      accept?: boolean
    }
    answer: {
      done: number
      results: {
        id: number
        ok: boolean
        /**
         * why not, for programs
         */
        code: string | null
        /**
         * why not, for people
         */
        sentence: string | null
      }[]
    }
  }
  'POST /quarantine/discard': {
    path: {}
    query: {}
    body: {
      /**
       * ids of quarantined objects
       *
       * @minItems 1
       * @maxItems 1000
       */
      ids: number[]
    }
    answer: {
      done: number
      results: {
        id: number
        ok: boolean
        /**
         * why not, for programs
         */
        code: string | null
        /**
         * why not, for people
         */
        sentence: string | null
      }[]
    }
  }
  'GET /folders': {
    path: {}
    query: {}
    answer: {
      folders: {
        path: string
        callingAETitle: string
        /**
         * why it cannot be read now, as a code of the file system
         */
        trouble: string | null
        /**
         * files taken in since the node started
         */
        taken: number
        quarantined: number
        /**
         * no DICOM instances, left where they are
         */
        ignored: number
        /**
         * files and folders in it that cannot be read or taken in now
         */
        unreadable: number
        /**
         * files that may still be written, or wait for their turn
         */
        waiting: number
      }[]
    }
  }
  'POST /results/{sopInstanceUID}/feedback': {
    path: {
      sopInstanceUID: string
    }
    query: {}
    body:
      | {
          verdict: 'accepted'
          reason?: string
          /**
           * of single findings, whatever the verdict
           *
           * @maxItems 200
           */
          truth?: StatedTruth[]
          /**
           * who accepts, where a program says it with its token: without, no verified document is written
           */
          observer?: {
            /**
             * as a PN: family^given
             */
            name: string
            /**
             * a code
             */
            identification?: {
              value: string
              scheme: string
              meaning: string
            }
          }
        }
      | {
          verdict: 'rejected'
          /**
           * why
           */
          reason: string
          /**
           * of single findings, whatever the verdict
           *
           * @maxItems 200
           */
          truth?: StatedTruth[]
        }
      | {
          verdict: 'missed'
          /**
           * what is not found
           */
          reason: string
          /**
           * of single findings, whatever the verdict
           *
           * @maxItems 200
           */
          truth?: StatedTruth[]
        }
      | {
          verdict: 'comment'
          /**
           * the comment
           */
          reason: string
          /**
           * of single findings, whatever the verdict
           *
           * @maxItems 200
           */
          truth?: StatedTruth[]
        }
      | {
          verdict: 'corrected'
          reason?: string
          /**
           * of single findings, whatever the verdict
           *
           * @maxItems 200
           */
          truth?: StatedTruth[]
          /**
           * the object that is right, such as a SEG or SR of the same study
           */
          correctedSOPInstanceUID: string
        }
    answer: {
      id: number
      /**
       * ISO 8601, UTC
       */
      at: string
      /**
       * user or token
       */
      givenBy: string
      verdict: 'accepted' | 'rejected' | 'corrected' | 'missed' | 'comment'
      reason: string | null
      correctedSOPInstanceUID: string | null
      studyInstanceUID: string
      /**
       * of the result
       */
      sopInstanceUID: string
      role: string
      revision: number
      route: string | null
      shadow: boolean
      /**
       * name@sha256:…
       */
      pipeline: string
      version: string | null
      /**
       * what the run measured
       */
      findings: {
        name: string
        value: number
        /**
         * UCUM
         */
        unit: string
        /**
         * scheme:value of the concept
         */
        code: string
        /**
         * scheme:value of the anatomy; null where the value speaks of the whole input
         */
        site: string | null
      }[]
      /**
       * what was said of single findings
       */
      truth: StatedTruth[]
      /**
       * the verified document that an acceptance made
       */
      verifiedSOPInstanceUID: string | null
      /**
       * false where the same person said something else of the result later; a comment takes nothing back
       */
      current: boolean
    }
  }
  'GET /feedback': {
    path: {}
    query: {
      limit?: number
      offset?: number
      verdict?: 'accepted' | 'rejected' | 'corrected' | 'missed' | 'comment'
      /**
       * name for all of its versions, or name@sha256:…
       */
      pipeline?: string
      studyInstanceUID?: string
      /**
       * of the result
       */
      sopInstanceUID?: string
      /**
       * given at this time or later
       */
      from?: string
      /**
       * given before this time
       */
      to?: string
    }
    answer: {
      total: number
      feedback: {
        id: number
        /**
         * ISO 8601, UTC
         */
        at: string
        /**
         * user or token
         */
        givenBy: string
        verdict: 'accepted' | 'rejected' | 'corrected' | 'missed' | 'comment'
        reason: string | null
        correctedSOPInstanceUID: string | null
        studyInstanceUID: string
        /**
         * of the result
         */
        sopInstanceUID: string
        role: string
        revision: number
        route: string | null
        shadow: boolean
        /**
         * name@sha256:…
         */
        pipeline: string
        version: string | null
        /**
         * what the run measured
         */
        findings: {
          name: string
          value: number
          /**
           * UCUM
           */
          unit: string
          /**
           * scheme:value of the concept
           */
          code: string
          /**
           * scheme:value of the anatomy; null where the value speaks of the whole input
           */
          site: string | null
        }[]
        /**
         * what was said of single findings
         */
        truth: StatedTruth[]
        /**
         * the verified document that an acceptance made
         */
        verifiedSOPInstanceUID: string | null
        /**
         * false where the same person said something else of the result later; a comment takes nothing back
         */
        current: boolean
      }[]
    }
  }
  'GET /feedback/export': {
    path: {}
    query: {
      verdict?: 'accepted' | 'rejected' | 'corrected' | 'missed' | 'comment'
      /**
       * name for all of its versions, or name@sha256:…
       */
      pipeline?: string
      studyInstanceUID?: string
      /**
       * of the result
       */
      sopInstanceUID?: string
      /**
       * given at this time or later
       */
      from?: string
      /**
       * given before this time
       */
      to?: string
      format?: 'csv' | 'json'
    }
  }
  'GET /studies/{studyInstanceUID}/exports': {
    path: {
      studyInstanceUID: string
    }
    query: {}
    answer: {
      exports: {
        id: number
        name: string
        mediaType: string
        size: number
        sha256: string
        /**
         * id of the output of the pipeline, or its kind
         */
        output: string
        pipeline: string
        route: string | null
        revision: number
        createdAt: string
      }[]
    }
  }
  'GET /exports/{id}': {
    path: {
      id: number
    }
    query: {}
  }
  'GET /insights/options': {
    path: {}
    query: {}
    answer: InsightOptions
  }
  'GET /insights/groups': {
    path: {}
    query: {
      /**
       * inferences that ended at this time or later. ISO 8601, UTC
       */
      from?: string
      /**
       * inferences that ended before this time
       */
      to?: string
      /**
       * name
       */
      pipeline?: string
      version?: string
      route?: string
      modality?: string
      /**
       * as /insights/options gives it
       */
      scanner?: string
      bodyPart?: string
      sex?: string
      /**
       * years, this or older
       */
      ageFrom?: number
      /**
       * years, younger than this
       */
      ageTo?: number
      /**
       * true: with those of shadow routes
       */
      shadow?: 'true' | 'false'
      by:
        | 'age'
        | 'sex'
        | 'modality'
        | 'scanner'
        | 'bodyPart'
        | 'hour'
        | 'weekday'
        | 'day'
        | 'week'
        | 'month'
        | 'pipeline'
        | 'version'
        | 'route'
      /**
       * id of a finding, as /insights/options gives it
       */
      finding?: string
    }
    answer: InsightGroups
  }
  'GET /insights/volumes': {
    path: {}
    query: {
      /**
       * inferences that ended at this time or later. ISO 8601, UTC
       */
      from?: string
      /**
       * inferences that ended before this time
       */
      to?: string
      /**
       * name
       */
      pipeline?: string
      version?: string
      route?: string
      modality?: string
      /**
       * as /insights/options gives it
       */
      scanner?: string
      bodyPart?: string
      sex?: string
      /**
       * years, this or older
       */
      ageFrom?: number
      /**
       * years, younger than this
       */
      ageTo?: number
      /**
       * true: with those of shadow routes
       */
      shadow?: 'true' | 'false'
      by:
        | 'age'
        | 'sex'
        | 'modality'
        | 'scanner'
        | 'bodyPart'
        | 'hour'
        | 'weekday'
        | 'day'
        | 'week'
        | 'month'
        | 'pipeline'
        | 'version'
        | 'route'
    }
    answer: InsightVolumes
  }
  'GET /insights/scatter': {
    path: {}
    query: {
      /**
       * inferences that ended at this time or later. ISO 8601, UTC
       */
      from?: string
      /**
       * inferences that ended before this time
       */
      to?: string
      /**
       * name
       */
      pipeline?: string
      version?: string
      route?: string
      modality?: string
      /**
       * as /insights/options gives it
       */
      scanner?: string
      bodyPart?: string
      sex?: string
      /**
       * years, this or older
       */
      ageFrom?: number
      /**
       * years, younger than this
       */
      ageTo?: number
      /**
       * true: with those of shadow routes
       */
      shadow?: 'true' | 'false'
      /**
       * id of a finding, as /insights/options gives it
       */
      finding: string
      x?: 'age' | 'sliceThickness' | 'pixelSpacing' | 'kvp' | 'fieldStrength' | 'images'
      /**
       * points
       */
      limit?: number
    }
    answer: InsightScatter
  }
  'GET /insights/patient/{studyInstanceUID}': {
    path: {
      studyInstanceUID: string
    }
    query: {
      /**
       * true: with those of shadow routes
       */
      shadow?: 'true' | 'false'
    }
    answer: InsightPatient
  }
  'GET /insights/agreement': {
    path: {}
    query: {
      /**
       * inferences that ended at this time or later. ISO 8601, UTC
       */
      from?: string
      /**
       * inferences that ended before this time
       */
      to?: string
      /**
       * name
       */
      pipeline?: string
      version?: string
      route?: string
      modality?: string
      /**
       * as /insights/options gives it
       */
      scanner?: string
      bodyPart?: string
      sex?: string
      /**
       * years, this or older
       */
      ageFrom?: number
      /**
       * years, younger than this
       */
      ageTo?: number
      /**
       * true: with those of shadow routes
       */
      shadow?: 'true' | 'false'
      by?: 'pipeline' | 'version' | 'scanner' | 'route' | 'day' | 'week' | 'month'
    }
    answer: InsightAgreement
  }
  'GET /insights/drift': {
    path: {}
    query: {
      /**
       * name
       */
      pipeline?: string
    }
    answer: Drift
  }
  'POST /insights/drift': {
    path: {}
    query: {}
    answer: Drift
  }
  'GET /insights/drift/history': {
    path: {}
    query: {
      pipeline: string
      /**
       * left out: where it is not known
       */
      version?: string
      /**
       * as a measure of the evaluation names it
       */
      subject: string
    }
    answer: DriftHistory
  }
  'GET /insights/export': {
    path: {}
    query: {
      /**
       * inferences that ended at this time or later. ISO 8601, UTC
       */
      from?: string
      /**
       * inferences that ended before this time
       */
      to?: string
      /**
       * name
       */
      pipeline?: string
      version?: string
      route?: string
      modality?: string
      /**
       * as /insights/options gives it
       */
      scanner?: string
      bodyPart?: string
      sex?: string
      /**
       * years, this or older
       */
      ageFrom?: number
      /**
       * years, younger than this
       */
      ageTo?: number
      /**
       * true: with those of shadow routes
       */
      shadow?: 'true' | 'false'
      table: 'groups' | 'histogram' | 'volumes' | 'agreement' | 'performance' | 'drift'
      /**
       * left out: pipeline
       */
      by?:
        | 'age'
        | 'sex'
        | 'modality'
        | 'scanner'
        | 'bodyPart'
        | 'hour'
        | 'weekday'
        | 'day'
        | 'week'
        | 'month'
        | 'pipeline'
        | 'version'
        | 'route'
      /**
       * needed for the histogram
       */
      finding?: string
    }
  }
  'GET /notifications/vocabulary': {
    path: {}
    query: {}
    answer: {
      events: {
        event:
          | 'received'
          | 'completed'
          | 'matched'
          | 'finding'
          | 'critical'
          | 'delivered'
          | 'failed'
          | 'late'
          | 'disk'
          | 'drift'
          | 'destination-down'
          | 'certificate'
          | 'quarantine'
          | 'schedule'
          | 'report'
        description: string
        template: NotificationTemplate
      }[]
      placeholders: {
        name: string
        description: string
        /**
         * only for targets that may be told who the patient is
         */
        phi: boolean
      }[]
    }
  }
  'GET /notifications/targets': {
    path: {}
    query: {}
    answer: {
      targets: NotificationTarget[]
    }
  }
  'POST /notifications/targets': {
    path: {}
    query: {}
    body: {
      name: string
      enabled?: boolean
      /**
       * true: templates for this target may name the patient; false: they are refused
       */
      phi?: boolean
      /**
       * more are gathered, and sent as one; urgent ones have as many of their own
       */
      mostPerHour?: number
      /**
       * what is not urgent is gathered for so long and sent as one; 0: each at once
       */
      digestMinutes?: number
      /**
       * seconds for one message
       */
      timeout?: number
      via:
        | {
            kind: 'webhook'
            /**
             * messages are POSTed there as JSON; redirections are not followed
             */
            url: string
            /**
             * the key of the signature (HMAC-SHA256); null: unsigned
             */
            secret?: NotifySecretInput | null
            /**
             * further HTTP headers, sealed
             */
            headers?: {
              [k: string]: NotifySecretInput
            }
            /**
             * PEM: authorities to trust instead of the system’s
             */
            ca?: string | null
            /**
             * false accepts any certificate: for tests only
             */
            rejectUnauthorized?: boolean
          }
        | {
            kind: 'email'
            /**
             * the mail server
             */
            host: string
            port?: number
            /**
             * tls: from the first byte, usually on port 465; none: in the clear
             */
            security?: 'starttls' | 'tls' | 'none'
            username?: string | null
            password?: NotifySecretInput | null
            from: string
            /**
             * @minItems 1
             * @maxItems 50
             */
            to: string[]
            /**
             * PEM: authorities to trust instead of the system’s
             */
            ca?: string | null
            /**
             * false accepts any certificate: for tests only
             */
            rejectUnauthorized?: boolean
          }
    }
    answer: NotificationTarget
  }
  'PUT /notifications/targets/{id}': {
    path: {
      id: number
    }
    query: {}
    body: {
      name: string
      enabled?: boolean
      /**
       * true: templates for this target may name the patient; false: they are refused
       */
      phi?: boolean
      /**
       * more are gathered, and sent as one; urgent ones have as many of their own
       */
      mostPerHour?: number
      /**
       * what is not urgent is gathered for so long and sent as one; 0: each at once
       */
      digestMinutes?: number
      /**
       * seconds for one message
       */
      timeout?: number
      via:
        | {
            kind: 'webhook'
            /**
             * messages are POSTed there as JSON; redirections are not followed
             */
            url: string
            /**
             * the key of the signature (HMAC-SHA256); null: unsigned
             */
            secret?: NotifySecretInput | null
            /**
             * further HTTP headers, sealed
             */
            headers?: {
              [k: string]: NotifySecretInput
            }
            /**
             * PEM: authorities to trust instead of the system’s
             */
            ca?: string | null
            /**
             * false accepts any certificate: for tests only
             */
            rejectUnauthorized?: boolean
          }
        | {
            kind: 'email'
            /**
             * the mail server
             */
            host: string
            port?: number
            /**
             * tls: from the first byte, usually on port 465; none: in the clear
             */
            security?: 'starttls' | 'tls' | 'none'
            username?: string | null
            password?: NotifySecretInput | null
            from: string
            /**
             * @minItems 1
             * @maxItems 50
             */
            to: string[]
            /**
             * PEM: authorities to trust instead of the system’s
             */
            ca?: string | null
            /**
             * false accepts any certificate: for tests only
             */
            rejectUnauthorized?: boolean
          }
    }
    answer: NotificationTarget
  }
  'DELETE /notifications/targets/{id}': {
    path: {
      id: number
    }
    query: {}
  }
  'POST /notifications/targets/{id}/test': {
    path: {
      id: number
    }
    query: {}
    answer: NotificationTest
  }
  'GET /notifications/subscriptions': {
    path: {}
    query: {}
    answer: {
      subscriptions: NotificationSubscription[]
    }
  }
  'POST /notifications/subscriptions': {
    path: {}
    query: {}
    body: {
      targetId: number
      event:
        | 'received'
        | 'completed'
        | 'matched'
        | 'finding'
        | 'critical'
        | 'delivered'
        | 'failed'
        | 'late'
        | 'disk'
        | 'drift'
        | 'destination-down'
        | 'certificate'
        | 'quarantine'
        | 'schedule'
        | 'report'
      enabled?: boolean
      filters?: {
        /**
         * only of these routes; empty: of all
         *
         * @maxItems 50
         */
        routes?: string[]
        /**
         * only of these pipelines, by name; empty: of all
         *
         * @maxItems 50
         */
        pipelines?: string[]
        /**
         * only of studies that have one of these modalities; empty: of all
         *
         * @maxItems 50
         */
        modalities?: string[]
        /**
         * of finding: only where one of these is above `over` or below `under`; empty: whatever was measured
         *
         * @maxItems 50
         */
        findings?: {
          name: string
          over?: number | null
          under?: number | null
        }[]
        /**
         * of late: minutes from the last instance of a study until it counts as late
         */
        lateMinutes?: number
      }
      /**
       * null: the node’s own
       */
      template?: NotificationTemplateInput | null
    }
    answer: NotificationSubscription
  }
  'PUT /notifications/subscriptions/{id}': {
    path: {
      id: number
    }
    query: {}
    body: {
      targetId: number
      event:
        | 'received'
        | 'completed'
        | 'matched'
        | 'finding'
        | 'critical'
        | 'delivered'
        | 'failed'
        | 'late'
        | 'disk'
        | 'drift'
        | 'destination-down'
        | 'certificate'
        | 'quarantine'
        | 'schedule'
        | 'report'
      enabled?: boolean
      filters?: {
        /**
         * only of these routes; empty: of all
         *
         * @maxItems 50
         */
        routes?: string[]
        /**
         * only of these pipelines, by name; empty: of all
         *
         * @maxItems 50
         */
        pipelines?: string[]
        /**
         * only of studies that have one of these modalities; empty: of all
         *
         * @maxItems 50
         */
        modalities?: string[]
        /**
         * of finding: only where one of these is above `over` or below `under`; empty: whatever was measured
         *
         * @maxItems 50
         */
        findings?: {
          name: string
          over?: number | null
          under?: number | null
        }[]
        /**
         * of late: minutes from the last instance of a study until it counts as late
         */
        lateMinutes?: number
      }
      /**
       * null: the node’s own
       */
      template?: NotificationTemplateInput | null
    }
    answer: NotificationSubscription
  }
  'DELETE /notifications/subscriptions/{id}': {
    path: {
      id: number
    }
    query: {}
  }
  'POST /notifications/preview': {
    path: {}
    query: {}
    body: {
      event:
        | 'received'
        | 'completed'
        | 'matched'
        | 'finding'
        | 'critical'
        | 'delivered'
        | 'failed'
        | 'late'
        | 'disk'
        | 'drift'
        | 'destination-down'
        | 'certificate'
        | 'quarantine'
        | 'schedule'
        | 'report'
      /**
       * null: the node’s own
       */
      template?: NotificationTemplateInput | null
      /**
       * as of the target
       */
      phi?: boolean
      /**
       * null: a sample
       */
      studyInstanceUID?: string | null
    }
    answer: NotificationPreview
  }
  'GET /notifications/messages': {
    path: {}
    query: {
      state?: 'waiting' | 'sending' | 'sent' | 'dead'
      /**
       * its id
       */
      target?: number
      /**
       * the answer’s `before` of the page before
       */
      before?: number
      limit?: number
    }
    answer: {
      messages: NotificationMessage[]
      before: number | null
    }
  }
  'GET /notifications/messages/{id}/attempts': {
    path: {
      id: number
    }
    query: {}
    answer: {
      attempts: {
        /**
         * ISO 8601, UTC
         */
        at: string
        ms: number
        /**
         * that were sent as one
         */
        messages: number
        ok: boolean
        /**
         * what the other side said, or why it could not be asked
         */
        answer: string
      }[]
    }
  }
  'POST /notifications/messages/{id}/retry': {
    path: {
      id: number
    }
    query: {}
    answer: {
      messages: number
    }
  }
  'POST /notifications/messages/retry': {
    path: {}
    query: {}
    answer: {
      messages: number
    }
  }
  'DELETE /notifications/messages/{id}': {
    path: {
      id: number
    }
    query: {}
  }
  'GET /schedules': {
    path: {}
    query: {}
    answer: {
      schedules: Schedule[]
    }
  }
  'GET /schedules/{name}': {
    path: {
      name: string
    }
    query: {}
    answer: Schedule
  }
  'PUT /schedules/{name}': {
    path: {
      name: string
    }
    query: {}
    body: {
      /**
       * five or six fields, as in 30 2 * * *; null: as the node comes
       */
      cron?: string | null
      /**
       * of the IANA list; null: that of the machine
       */
      timeZone?: string | null
      /**
       * null: as the node comes
       */
      enabled?: boolean | null
    }
    answer: Schedule
  }
  'POST /schedules/{name}/run': {
    path: {
      name: string
    }
    query: {}
    answer: ScheduleRun
  }
  'GET /schedules/{name}/runs': {
    path: {
      name: string
    }
    query: {
      /**
       * the id of the last run of the page before
       */
      before?: number
      limit?: number
    }
    answer: {
      runs: ScheduleRun[]
    }
  }
  'GET /storage': {
    path: {}
    query: {}
    answer: {
      disk: {
        state: 'enough' | 'warn' | 'refuse' | 'emergency'
        /**
         * bytes
         */
        free: number
        /**
         * bytes; with less free, a warning is given
         */
        warnFree: number
        /**
         * bytes; with less free, instances are refused
         */
        minimumFree: number
        /**
         * bytes; with less free, instances under way are ended and no job is started
         */
        emergencyFree: number
      }
    }
  }
  'GET /retention': {
    path: {}
    query: {}
    answer: {
      rules: {
        rule: {
          name: string
          /**
           * cron, local time
           */
          schedule: string
          olderThanDays: number
          states: string[]
          verifiedAt: string[]
          storedAt: string[]
          /**
           * bytes; 0: always
           */
          belowFree: number
        }
        nextRun: string | null
        lastRun: {
          rule: string
          dryRun: boolean
          startedAt: string
          finishedAt: string
          /**
           * that are old enough, as far as they were looked at
           */
          studies: number
          /**
           * of them; in a dry run those that would be
           */
          deleted: number
          bytes: number
          /**
           * why not all were looked at
           */
          stopped: string | null
          outcomes: {
            studyInstanceUID: string
            deleted: boolean
            /**
             * the proof, or why it is kept
             */
            reason: string
          }[]
        } | null
        preview: {
          rule: string
          dryRun: boolean
          startedAt: string
          finishedAt: string
          /**
           * that are old enough, as far as they were looked at
           */
          studies: number
          /**
           * of them; in a dry run those that would be
           */
          deleted: number
          bytes: number
          /**
           * why not all were looked at
           */
          stopped: string | null
          outcomes: {
            studyInstanceUID: string
            deleted: boolean
            /**
             * the proof, or why it is kept
             */
            reason: string
          }[]
        } | null
      }[]
    }
  }
  'POST /retention/run': {
    path: {}
    query: {}
    body: {
      rule?: string
      dryRun: boolean
    }
    answer: {
      runs: {
        rule: string
        dryRun: boolean
        startedAt: string
        finishedAt: string
        /**
         * that are old enough, as far as they were looked at
         */
        studies: number
        /**
         * of them; in a dry run those that would be
         */
        deleted: number
        bytes: number
        /**
         * why not all were looked at
         */
        stopped: string | null
        outcomes: {
          studyInstanceUID: string
          deleted: boolean
          /**
           * the proof, or why it is kept
           */
          reason: string
        }[]
      }[]
    }
  }
  'GET /retention/deletions': {
    path: {}
    query: {
      limit?: number
      offset?: number
    }
    answer: {
      total: number
      deletions: {
        studyInstanceUID: string
        at: string
        rule: string
        actor: string
        proof: string
        /**
         * the newest that there was
         */
        revision: number
        instances: number
        results: number
        bytes: number
      }[]
    }
  }
  'GET /settings': {
    path: {}
    query: {}
    answer: {
      file: string | null
      version: string
      settings: Setting[]
    }
  }
  'GET /certificates': {
    path: {}
    query: {}
    answer: {
      certificates: WatchedCertificate[]
    }
  }
  'GET /users': {
    path: {}
    query: {}
    answer: {
      users: User[]
    }
  }
  'POST /users': {
    path: {}
    query: {}
    body: {
      name: string
      role: 'viewer' | 'radiologist' | 'operator' | 'administrator'
    }
    answer: {
      name: string
      /**
       * shown this once; has to be changed at the first login
       */
      oneTimePassword: string
    }
  }
  'PUT /users/{name}/role': {
    path: {
      name: string
    }
    query: {}
    body: {
      role: 'viewer' | 'radiologist' | 'operator' | 'administrator'
    }
    answer: User
  }
  'PUT /users/{name}/disabled': {
    path: {
      name: string
    }
    query: {}
    body: {
      disabled: boolean
    }
    answer: User
  }
  'POST /users/{name}/password': {
    path: {
      name: string
    }
    query: {}
    answer: {
      /**
       * shown this once; has to be changed at the first login
       */
      oneTimePassword: string
    }
  }
  'DELETE /users/{name}': {
    path: {
      name: string
    }
    query: {}
  }
  'GET /sessions': {
    path: {}
    query: {
      user?: string
    }
    answer: {
      sessions: LoginSession[]
    }
  }
  'DELETE /sessions/{id}': {
    path: {
      id: string
    }
    query: {}
  }
  'GET /tokens': {
    path: {}
    query: {}
    answer: {
      tokens: Token[]
    }
  }
  'POST /tokens': {
    path: {}
    query: {}
    body: {
      name: string
      /**
       * viewer, where there are no permissions either
       */
      role?: 'viewer' | 'radiologist' | 'operator' | 'administrator'
      /**
       * a scope instead of a role; no wider than what the maker may do
       *
       * @minItems 1
       */
      permissions?: (
        | 'node.read'
        | 'metrics.read'
        | 'studies.read'
        | 'studies.store'
        | 'studies.act'
        | 'studies.delete'
        | 'feedback.read'
        | 'feedback.give'
        | 'insights.read'
        | 'insights.manage'
        | 'queue.act'
        | 'quarantine.read'
        | 'quarantine.act'
        | 'routes.test'
        | 'routes.draft'
        | 'routes.activate'
        | 'pipelines.test'
        | 'pipelines.manage'
        | 'destinations.test'
        | 'destinations.manage'
        | 'remotes.test'
        | 'remotes.manage'
        | 'retention.run'
        | 'settings.read'
        | 'notifications.read'
        | 'notifications.manage'
        | 'schedules.read'
        | 'schedules.manage'
        | 'users.manage'
        | 'tokens.manage'
        | 'audit.read'
      )[]
      expiresAt?: string | null
    }
    answer: {
      id: number
      token: string
    }
  }
  'DELETE /tokens/{id}': {
    path: {
      id: number
    }
    query: {}
  }
  'GET /audit': {
    path: {}
    query: {
      /**
       * at this time or later
       */
      from?: string
      /**
       * before this time
       */
      to?: string
      /**
       * user:NAME, token:NAME, …; the beginning with a * at its end
       */
      actor?: string
      action?: string
      outcome?: 'success' | 'failure'
      subject?: string
      studyInstanceUID?: string
      limit?: number
      /**
       * only entries with a smaller id: the next page
       */
      before?: number
    }
    answer: {
      /**
       * on all pages
       */
      total: number
      /**
       * false where there are more than total, which were not counted
       */
      totalIsExact: boolean
      entries: AuditEntry[]
    }
  }
  'GET /audit/actions': {
    path: {}
    query: {}
    answer: {
      actions: string[]
    }
  }
  'GET /audit/{sequence}/message': {
    path: {
      sequence: number
    }
    query: {}
  }
  'GET /audit/verification': {
    path: {}
    query: {}
    answer: {
      entries: number
      /**
       * of the last entry
       */
      sequence: number
      /**
       * of the last entry: what was noted elsewhere must be found in the audit
       */
      hash: string
      problems: {
        sequence: number | null
        problem: string
      }[]
      outlets: {
        name: string
        /**
         * the last entry that is there
         */
        sequence: number
        /**
         * entries that are not there yet
         */
        waiting: number
        trouble: string | null
      }[]
    }
  }
  'GET /audit/export': {
    path: {}
    query: {
      /**
       * at this time or later
       */
      from?: string
      /**
       * before this time
       */
      to?: string
    }
  }
}
export interface LoginSession {
  /**
   * names the session; not its secret
   */
  id: string
  user: string
  createdAt: string
  lastSeenAt: string
  expiresAt: string
  address: string | null
  /**
   * what the browser calls itself
   */
  agent: string | null
  /**
   * the one that asks
   */
  current: boolean
}
export interface Overview {
  /**
   * ISO 8601, UTC
   */
  at: string
  /**
   * studies
   */
  today: {
    /**
     * midnight of the node’s time zone
     */
    since: string
    /**
     * studies that were done today
     */
    finished: number
    /**
     * studies that failed today, and still have
     */
    failed: number
    /**
     * studies delivered later than lateAfter today, and those that wait for longer now
     */
    late: number
    /**
     * whose last instance came today
     */
    receivedStudies: number
    receivedInstances: number
    /**
     * over DICOM; counted by day in UTC
     */
    receivedBytes: number
  }
  /**
   * seconds from the last instance to the last delivered result: more is late
   */
  lateAfter: number
  arriving: {
    /**
     * open now, the newest first, at most 20
     */
    associations: OpenAssociation[]
    openAssociations: number
    /**
     * being received, the last changed first, at most 20
     */
    studies: ReceivingStudy[]
    /**
     * studies that are being received
     */
    receiving: number
  }
  /**
   * at most 50
   */
  running: JobRow[]
  waiting: {
    infer: number
    deliver: number
    /**
     * by pauses
     */
    held: number
    /**
     * at most 10, in the order in which they will run
     */
    next: JobRow[]
  }
  failed: {
    /**
     * in the state failed, of all days
     */
    studies: number
    jobs: number
    /**
     * the most frequent of the last 1000 failures, at most 5
     */
    groups: FailureGroup[]
  }
  quarantined: number
  disk: {
    state: 'enough' | 'warn' | 'refuse' | 'emergency'
    free: number
    total: number
    warnFree: number
    minimumFree: number
    emergencyFree: number
  }
  /**
   * of today, up to now
   */
  quarters: QuarterOfAnHour[]
  destinations: DestinationState[]
  processes: NodeProcess[]
  pauses: Pause[]
}
export interface OpenAssociation {
  association: string
  callingAETitle: string
  calledAETitle: string
  address: string
  /**
   * ISO 8601, UTC
   */
  since: string
  instances: number
  bytes: number
  /**
   * when the last instance came
   */
  lastAt: string | null
}
export interface ReceivingStudy {
  studyInstanceUID: string
  patientName: string | null
  studyDescription: string | null
  modalities: string[]
  instances: number
  /**
   * ISO 8601, UTC
   */
  createdAt: string
  /**
   * ISO 8601, UTC
   */
  lastInstanceAt: string
}
export interface JobRow {
  id: string
  kind: 'infer' | 'deliver'
  state: 'queued' | 'running' | 'done' | 'failed'
  studyInstanceUID: string
  patientName: string | null
  studyDescription: string | null
  /**
   * null where a person asked for it
   */
  route: string | null
  /**
   * name@sha256:…
   */
  pipeline: string | null
  pipelineName: string | null
  pipelineVersion: string | null
  destination: string | null
  /**
   * failed because the input is outside the pipeline's declared limits
   */
  refused: boolean
  /**
   * failed because somebody ended it
   */
  cancelled: boolean
  error: string | null
  attempts: number
  /**
   * larger first; urgent 10, normal 0, low -10, shadow -20
   */
  priority: number
  /**
   * of a shadow route
   */
  shadow: boolean
  /**
   * of a running inference
   */
  progress: Progress | null
  /**
   * the pause that keeps a waiting job back, in words; null: none does
   */
  held: string | null
  /**
   * ISO 8601, UTC
   */
  createdAt: string
  /**
   * ISO 8601, UTC
   */
  runAfter: string
  startedAt: string | null
  finishedAt: string | null
}
export interface Progress {
  /**
   * what it does now
   */
  stage: string
  fraction: number
}
export interface FailureGroup {
  /**
   * the sentence, with … where they differ; give it to the filter of POST /queue/retry
   */
  reason: string
  kind: 'infer' | 'deliver'
  refused: boolean
  cancelled: boolean
  jobs: number
  studies: number
  /**
   * the newest sentence
   */
  example: string
  /**
   * its job
   */
  exampleJob: string
  firstAt: string | null
  lastAt: string | null
  /**
   * names
   */
  pipelines: string[]
  destinations: string[]
}
export interface QuarterOfAnHour {
  /**
   * ISO 8601, UTC
   */
  from: string
  /**
   * whose last instance came then
   */
  studies: number
  /**
   * of those studies
   */
  instances: number
  /**
   * studies whose results were all delivered then
   */
  delivered: number
  /**
   * jobs that failed then; refusals and cancelled ones are not counted
   */
  failed: number
  /**
   * seconds from the last instance to the last delivered result
   */
  latencyMedian: number | null
  /**
   * the same, 95th percentile
   */
  latency95: number | null
  /**
   * of the delivered, those that took longer than lateAfter
   */
  late: number
}
export interface DestinationState {
  lastSuccessAt: string | null
  lastFailureAt: string | null
  /**
   * of the last failure, where that is later than the last success
   */
  lastError: string | null
  /**
   * objects that are not there yet
   */
  pending: number
  /**
   * objects that were given up
   */
  failed: number
  /**
   * the pause that holds, in words
   */
  paused: string | null
  name: string
  kind: string
  url: string
}
export interface NodeProcess {
  kind: 'node' | 'receiver' | 'worker'
  /**
   * for people
   */
  name: string
  pid: number | null
  state: 'starting' | 'ready' | 'busy' | 'ended'
  /**
   * when it was started
   */
  since: string | null
  residentBytes: number | null
  /**
   * since the node was started
   */
  restarts: number
  /**
   * what a worker runs
   */
  job: string | null
}
export interface Pause {
  id: number
  scope: 'all' | 'kind' | 'pipeline' | 'destination'
  /**
   * infer or deliver, name of the pipeline or of the destination; empty where the scope is all
   */
  name: string
  reason: string
  author: string
  /**
   * ISO 8601, UTC
   */
  at: string
  /**
   * what is paused, in words
   */
  sentence: string
  /**
   * jobs that it keeps back
   */
  waiting: number
}
export interface StudyList {
  /**
   * on all pages
   */
  total: number
  /**
   * false where there are more than total, which were not counted
   */
  totalIsExact: boolean
  studies: StudyRow[]
}
export interface StudyRow {
  studyInstanceUID: string
  state: 'receiving' | 'complete' | 'processing' | 'done' | 'failed'
  /**
   * the alphabetic component group, or the first there is
   */
  patientName: string | null
  patientNameIdeographic: string | null
  patientNamePhonetic: string | null
  patientID: string | null
  accessionNumber: string | null
  studyDate: string | null
  studyDescription: string | null
  modalities: string[]
  instances: number
  revision: number
  /**
   * of the newest revision
   */
  findings: {
    name: string
    value: number
    /**
     * UCUM
     */
    unit: string
    /**
     * scheme:value of the anatomy; null where the value speaks of the whole input
     */
    site: string | null
  }[]
  /**
   * why it failed, or the last thing that no other field tells
   */
  remark: string | null
  /**
   * ISO 8601, UTC
   */
  createdAt: string
  /**
   * ISO 8601, UTC
   */
  updatedAt: string
}
export interface FindingName {
  name: string
  unit: string
}
export interface Timeline {
  studyInstanceUID: string
  state: 'receiving' | 'complete' | 'processing' | 'done' | 'failed'
  instances: number
  /**
   * the newest complete revision; 0 before the first
   */
  revision: number
  completion: {
    /**
     * ISO 8601, UTC
     */
    at: string
    reason: string
  } | null
  revisions: {
    revision: number
    /**
     * ISO 8601, UTC
     */
    at: string
    reason: string
    instances: number
  }[]
  patient: {
    /**
     * the alphabetic component group, or the first there is
     */
    patientName: string | null
    patientNameIdeographic: string | null
    patientNamePhonetic: string | null
    patientID: string | null
    patientBirthDate: string | null
    patientSex: string | null
  }
  studyDate: string | null
  studyDescription: string | null
  accessionNumber: string | null
  /**
   * ISO 8601, UTC
   */
  createdAt: string
  /**
   * ISO 8601, UTC
   */
  updatedAt: string
  arrivals: Arrival[]
  decisions: Decision[]
  jobs: TimelineJob[]
  results: Result[]
  findings: Finding[]
  /**
   * what pipelines of shadow routes measured: for comparison, no findings
   */
  shadowFindings: {
    pipeline: string
    name: string
    value: number
    /**
     * UCUM
     */
    unit: string
    /**
     * scheme:value of the concept
     */
    code: string
    /**
     * scheme:value of the anatomy; null where the value speaks of the whole input
     */
    site: string | null
    revision: number
  }[]
  events: {
    /**
     * ISO 8601, UTC
     */
    at: string
    kind: string
    sentence: string
  }[]
}
export interface Arrival {
  /**
   * ISO 8601, UTC
   */
  at: string
  /**
   * ISO 8601, UTC
   */
  until: string
  /**
   * CALLINGAE@address
   */
  from: string
  via: string
  seriesInstanceUID: string
  modality: string | null
  seriesNumber: number | null
  seriesDescription: string | null
  /**
   * new ones
   */
  instances: number
  /**
   * here before, with the same bytes
   */
  identical: number
  /**
   * here before, with other bytes
   */
  replaced: number
}
export interface Decision {
  route: string
  matched: boolean
  expression: string
  /**
   * the values that decided
   */
  because: {
    [k: string]: unknown
  }
  /**
   * input of the pipeline to Series Instance UID
   */
  series: {
    [k: string]: string
  }
  reason: string
  routeVersion: number
  revision: number
  /**
   * the earlier revision whose results stand: the input is the same
   */
  standsFrom: number | null
  /**
   * ISO 8601, UTC
   */
  at: string
}
export interface TimelineJob {
  id: string
  kind: 'infer' | 'deliver'
  pipeline: string | null
  destination: string | null
  route: string | null
  state: 'queued' | 'running' | 'done' | 'failed'
  /**
   * failed because the input is outside the pipeline's declared limits
   */
  refused: boolean
  error: string | null
  revision: number
  /**
   * of a shadow route: it has no part in the state of the study
   */
  shadow: boolean
  /**
   * ISO 8601, UTC
   */
  createdAt: string
  /**
   * ISO 8601, UTC
   */
  runAfter: string
  startedAt: string | null
  finishedAt: string | null
  /**
   * attempts that ended with the process
   */
  interruptions: number
  attempts: Attempt[]
}
export interface Attempt {
  /**
   * ISO 8601, UTC
   */
  at: string
  ms: number | null
  provider: string | null
  error: string | null
  /**
   * what it did and fell back to, a sentence a line
   */
  log: string | null
}
export interface Result {
  sopInstanceUID: string
  sopClassUID: string
  seriesInstanceUID: string
  modality: string
  role: string
  pipeline: string
  supersedes: string | null
  revision: number
  /**
   * of a shadow route: stored for comparison, not delivered
   */
  shadow: boolean
  /**
   * a finding of its run is critical by the rule of its route
   */
  urgent: boolean
  deliveries: Delivery[]
}
export interface Delivery {
  destination: string
  state: 'pending' | 'sent' | 'verified' | 'failed'
  proof: string | null
  error: string | null
  /**
   * ISO 8601, UTC
   */
  at: string
}
export interface Finding {
  pipeline: string
  name: string
  value: number
  /**
   * UCUM
   */
  unit: string
  /**
   * scheme:value of the concept
   */
  code: string
  /**
   * scheme:value of the anatomy; null where the value speaks of the whole input
   */
  site: string | null
  revision: number
  /**
   * true where it holds for the newest revision
   */
  current: boolean
}
export interface Acted {
  sentence: string
  /**
   * ids of the jobs that are queued now
   */
  jobs: string[]
}
export interface QueueState {
  counts: {
    kind: 'infer' | 'deliver'
    queued: number
    running: number
    failed: number
  }[]
  /**
   * waiting jobs that pauses keep back
   */
  held: number
  /**
   * how many run at once
   */
  slots: {
    infer: number
    deliver: number
  }
  pauses: Pause[]
}
export interface BulkOutcome {
  changed: number
  /**
   * those that could not be, at most 100
   */
  left: {
    id: string
    reason: string
  }[]
  /**
   * true: there are more that match; ask again
   */
  more: boolean
}
/**
 * tried instead of the route of its name that is in force
 */
export interface RouteDraftDefinition {
  name: string
  description?: string
  enabled?: boolean
  /**
   * CEL over study
   */
  when?: string
  pipeline?: string
  canary?: {
    pipeline: string
    fraction: number
  }
  shadow?: boolean
  destinations?: string[]
  outputs?: {
    [k: string]: string[]
  }
  priority?: 'urgent' | 'normal' | 'low' | 'off-peak'
  /**
   * where it matches, the routes after it are not asked
   */
  stop?: boolean
  /**
   * asked after all others, and only where none of them has matched
   */
  fallback?: boolean
  assemble?: {
    quiet: number
  }
  /**
   * findings that are critical
   */
  urgent?: {
    /**
     * name of a measurement
     */
    finding: string
    over?: number
    under?: number
    /**
     * of the ACR
     */
    category?: 1 | 2 | 3
  }[]
  onAccept?: 'verified-sr'
  inputs?: {
    [k: string]: {
      /**
       * CEL over series and study
       */
      where?: string
      prefer?: (
        | ('thinnest-slices' | 'most-instances' | 'newest' | 'oldest')
        | {
            /**
             * CEL that gives a number
             */
            highest: string
          }
        | {
            /**
             * CEL that gives a number
             */
            lowest: string
          }
      )[]
      required?: boolean
      from?: 'study' | 'prior'
      of?: string
      several?: boolean
    }
  }
}
export interface RouteDecision {
  route: string
  /**
   * 0: the definition that is tried
   */
  routeVersion: number
  matched: boolean
  expression: string
  /**
   * the values that decided
   */
  because: {
    [k: string]: unknown
  }
  /**
   * input of the pipeline to Series Instance UID
   */
  series: {
    [k: string]: string
  }
  further?: {
    [k: string]: string[]
  }
  /**
   * input to the Study Instance UID of an earlier study
   */
  earlier?: {
    [k: string]: string
  }
  reason: string
}
export interface ExplainedRoute {
  route: string
  routeVersion: number
  decision: RouteDecision
  when: ExplainedCondition | null
  inputs: {
    name: string
    required: boolean
    from: 'study' | 'prior'
    where: string
    prefer: string[]
    sentence: string
    /**
     * Series Instance UIDs
     */
    chosen: string[]
    series: ExplainedSeries[]
    /**
     * series that are left out here
     */
    omitted: number
  }[]
}
export interface ExplainedCondition {
  kind: 'and' | 'or' | 'not' | 'term'
  text: string
  /**
   * not-decided: a value that it needs is missing; it counts as not satisfied
   */
  verdict: 'true' | 'false' | 'not-decided' | 'error'
  /**
   * of a term; null: no value
   */
  values: {
    path: string
    value: unknown
  }[]
  error: string | null
  members: ExplainedCondition[]
}
export interface ExplainedSeries {
  seriesInstanceUID: string
  /**
   * of an earlier study where the input takes those
   */
  studyInstanceUID: string
  modality: string | null
  seriesNumber: number | null
  seriesDescription: string | null
  instances: number
  condition: ExplainedCondition
  /**
   * to the series of the input that `of` names; null: it need not
   */
  refers: boolean | null
  preferences: {
    preference: string
    value: string | null
  }[]
  /**
   * 1: taken; then those it was preferred to; null: no candidate
   */
  place: number | null
}
/**
 * tried instead of the route of its name that is in force
 */
export interface RouteDraftDefinition1 {
  name: string
  description?: string
  enabled?: boolean
  /**
   * CEL over study
   */
  when?: string
  pipeline?: string
  canary?: {
    pipeline: string
    fraction: number
  }
  shadow?: boolean
  destinations?: string[]
  outputs?: {
    [k: string]: string[]
  }
  priority?: 'urgent' | 'normal' | 'low' | 'off-peak'
  /**
   * where it matches, the routes after it are not asked
   */
  stop?: boolean
  /**
   * asked after all others, and only where none of them has matched
   */
  fallback?: boolean
  assemble?: {
    quiet: number
  }
  /**
   * findings that are critical
   */
  urgent?: {
    /**
     * name of a measurement
     */
    finding: string
    over?: number
    under?: number
    /**
     * of the ACR
     */
    category?: 1 | 2 | 3
  }[]
  onAccept?: 'verified-sr'
  inputs?: {
    [k: string]: {
      /**
       * CEL over series and study
       */
      where?: string
      prefer?: (
        | ('thinnest-slices' | 'most-instances' | 'newest' | 'oldest')
        | {
            /**
             * CEL that gives a number
             */
            highest: string
          }
        | {
            /**
             * CEL that gives a number
             */
            lowest: string
          }
      )[]
      required?: boolean
      from?: 'study' | 'prior'
      of?: string
      several?: boolean
    }
  }
}
export interface RouteReplay {
  id: string
  route: string
  days: number
  startedBy: string
  /**
   * ISO 8601, UTC
   */
  startedAt: string
  state: 'running' | 'done' | 'failed' | 'cancelled'
  /**
   * studies
   */
  done: number
  total: number
  error: string | null
  result: {
    studies: number
    /**
     * there are older ones that were not looked at
     */
    truncated: boolean
    /**
     * ISO 8601, UTC
     */
    from: string
    /**
     * ISO 8601, UTC
     */
    to: string
    matched: number
    /**
     * what it was compared with; null: the route is new
     */
    activeVersion: number | null
    activeMatched: number | null
    gained: number
    lost: number
    /**
     * both match, with other series
     */
    otherSeries: number
    /**
     * the newest; at most 100
     */
    differences: {
      studyInstanceUID: string
      kind: 'gained' | 'lost' | 'series'
      before: {
        matched: boolean
        reason: string
        series: {
          [k: string]: string
        }
      }
      after: {
        matched: boolean
        reason: string
        series: {
          [k: string]: string
        }
      }
    }[]
    /**
     * studies that match, the newest; at most 20
     */
    sample: {
      studyInstanceUID: string
      reason: string
      series: {
        [k: string]: string
      }
    }[]
    /**
     * routes that would decide otherwise too, because one stops others or is a fallback
     */
    otherRoutes: {
      route: string
      gained: number
      lost: number
    }[]
    ms: number
  } | null
}
export interface OffPeakCalendar {
  /**
   * IANA; left out: that of the machine
   */
  timeZone?: string
  windows: {
    /**
     * local time such as 19:30
     */
    from: string
    /**
     * not later than from: of the next day
     */
    to: string
    days: ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[]
  }[]
  exceptions: {
    date: string
    open:
      | ('all-day' | 'closed')
      | {
          /**
           * local time such as 19:30
           */
          from: string
          /**
           * not later than from: of the next day
           */
          to: string
        }[]
    comment?: string
  }[]
}
export interface RouteActivity {
  route: string
  /**
   * studies that it decided on
   */
  asked: number
  matched: number
  /**
   * the oldest first
   */
  days: {
    /**
     * UTC
     */
    date: string
    /**
     * studies that it decided on
     */
    asked: number
    matched: number
  }[]
}
export interface RouteVersion {
  name: string
  version: number
  /**
   * in force now
   */
  active: boolean
  definition: RouteDefinition
  author: string | null
  comment: string | null
  /**
   * ISO 8601, UTC
   */
  createdAt: string
}
export interface RouteDefinition {
  name: string
  description?: string
  enabled: boolean
  /**
   * CEL over study
   */
  when?: string
  pipeline: string
  canary?: {
    pipeline: string
    fraction: number
  }
  shadow?: boolean
  destinations: string[]
  outputs?: {
    [k: string]: string[]
  }
  priority: 'urgent' | 'normal' | 'low' | 'off-peak'
  /**
   * where it matches, the routes after it are not asked
   */
  stop?: boolean
  /**
   * asked after all others, and only where none of them has matched
   */
  fallback?: boolean
  assemble?: {
    quiet: number
  }
  /**
   * findings that are critical
   */
  urgent?: {
    /**
     * name of a measurement
     */
    finding: string
    over?: number
    under?: number
    /**
     * of the ACR
     */
    category?: 1 | 2 | 3
  }[]
  onAccept?: 'verified-sr'
  inputs: {
    [k: string]: {
      /**
       * CEL over series and study
       */
      where: string
      prefer: (
        | ('thinnest-slices' | 'most-instances' | 'newest' | 'oldest')
        | {
            /**
             * CEL that gives a number
             */
            highest: string
          }
        | {
            /**
             * CEL that gives a number
             */
            lowest: string
          }
      )[]
      required: boolean
      from?: 'study' | 'prior'
      of?: string
      several?: boolean
    }
  }
}
export interface RouteDraft {
  name: string
  definition: RouteDraftDefinition2
  /**
   * the version that it was begun from; null: the route is new
   */
  basedOn: number | null
  createdBy: string
  updatedBy: string
  /**
   * ISO 8601, UTC
   */
  createdAt: string
  /**
   * ISO 8601, UTC
   */
  updatedAt: string
}
export interface RouteDraftDefinition2 {
  name: string
  description?: string
  enabled?: boolean
  /**
   * CEL over study
   */
  when?: string
  pipeline?: string
  canary?: {
    pipeline: string
    fraction: number
  }
  shadow?: boolean
  destinations?: string[]
  outputs?: {
    [k: string]: string[]
  }
  priority?: 'urgent' | 'normal' | 'low' | 'off-peak'
  /**
   * where it matches, the routes after it are not asked
   */
  stop?: boolean
  /**
   * asked after all others, and only where none of them has matched
   */
  fallback?: boolean
  assemble?: {
    quiet: number
  }
  /**
   * findings that are critical
   */
  urgent?: {
    /**
     * name of a measurement
     */
    finding: string
    over?: number
    under?: number
    /**
     * of the ACR
     */
    category?: 1 | 2 | 3
  }[]
  onAccept?: 'verified-sr'
  inputs?: {
    [k: string]: {
      /**
       * CEL over series and study
       */
      where?: string
      prefer?: (
        | ('thinnest-slices' | 'most-instances' | 'newest' | 'oldest')
        | {
            /**
             * CEL that gives a number
             */
            highest: string
          }
        | {
            /**
             * CEL that gives a number
             */
            lowest: string
          }
      )[]
      required?: boolean
      from?: 'study' | 'prior'
      of?: string
      several?: boolean
    }
  }
}
export interface RouteProblem {
  /**
   * as in inputs.ct.where; empty: the whole
   */
  path: string
  expectation: string
  /**
   * of a condition: in its text; of YAML: in the file; from 1
   */
  line: number | null
  column: number | null
}
export interface RouteChange {
  path: string
  /**
   * any JSON; null where it is not there
   */
  before: {
    [k: string]: unknown
  }
  /**
   * any JSON; null where it is not there
   */
  after: {
    [k: string]: unknown
  }
  /**
   * word by word, of texts
   */
  text:
    | {
        kind: 'same' | 'removed' | 'added'
        text: string
      }[]
    | null
}
export interface PipelineVersion {
  name: string
  version: string
  /**
   * sha256:… over the files that decide the result
   */
  digest: string
  title: string
  description: string
  intendedUse: string
  limits: string
  manufacturer: string
  /**
   * true: not for clinical use, which every result says
   */
  demonstrator: boolean
  /**
   * what a route runs that names no version
   */
  isDefault: boolean
  /**
   * false: nothing runs it, whatever a route says
   */
  enabled: boolean
  disabled: {
    by: string
    /**
     * ISO 8601, UTC
     */
    at: string
    reason: string | null
  } | null
  firstSeenAt: string | null
  usedBy: {
    route: string
    as: 'pipeline' | 'canary' | 'shadow'
    /**
     * of the studies of the route, 0 to 1
     */
    fraction: number
  }[]
}
export interface PipelineCard {
  name: string
  version: string
  /**
   * sha256:… over the files that decide the result
   */
  digest: string
  title: string
  description: string
  intendedUse: string
  limits: string
  manufacturer: string
  /**
   * true: not for clinical use, which every result says
   */
  demonstrator: boolean
  /**
   * what a route runs that names no version
   */
  isDefault: boolean
  /**
   * false: nothing runs it, whatever a route says
   */
  enabled: boolean
  disabled: {
    by: string
    /**
     * ISO 8601, UTC
     */
    at: string
    reason: string | null
  } | null
  firstSeenAt: string | null
  usedBy: {
    route: string
    as: 'pipeline' | 'canary' | 'shadow'
    /**
     * of the studies of the route, 0 to 1
     */
    fraction: number
  }[]
  inputs: {
    name: string
    kind: string
    modality: string[]
    sopClasses: string[]
    /**
     * what the input has to be, a sentence each
     */
    declared: string[]
  }[]
  measurements: {
    name: string
    unit: string
    of: string | null
  }[]
  segments: {
    label: string
    colour: number[]
  }[]
  outputs: {
    id: string
    kind: string
    title: string
  }[]
  files: {
    name: string
    bytes: number
  }[]
  /**
   * Markdown
   */
  readme: string | null
  /**
   * what hilum evaluate wrote into the folder evaluation of the pipeline; null where there is none
   */
  evaluation: {
    /**
     * ISO 8601, UTC
     */
    at: string
    /**
     * cases with a reference
     */
    compared: number
    refused: number
    failed: number
    figures: {
      of: string
      metric: string
      value: number
      low: number | null
      high: number | null
    }[]
    /**
     * false: it was made with other files
     */
    ofThisVersion: boolean
    /**
     * true: GET …/evaluation gives the whole report
     */
    report: boolean
  } | null
  /**
   * pipeline.yaml
   */
  manifest: string
}
export interface PipelineStatistics {
  digest: string
  version: string | null
  /**
   * of shadow routes
   */
  shadow: boolean
  runs: number
  done: number
  failed: number
  refused: number
  cancelled: number
  duration: {
    median: number
    p95: number
    most: number
  } | null
  failures: FailureGroup[]
  feedback: {
    accepted: number
    rejected: number
    corrected: number
  }
  /**
   * accepted of all that was said, 0 to 1; null where nothing was
   */
  agreement: number | null
}
export interface PipelineUpload {
  id: string
  file: string
  bytes: number
  /**
   * what was found in it
   */
  kind: 'pipeline' | 'onnx' | 'monai' | 'nnunet'
  /**
   * at most 200
   */
  files: string[]
  suggestedName: string
  uploadedBy: string
  /**
   * ISO 8601, UTC
   */
  at: string
}
export interface ImportCheck {
  /**
   * as far as they are known: an answer may bring others
   */
  questions: ImportQuestion[]
  /**
   * false: a question has to be answered before anything else can be said
   */
  answered: boolean
  problems: string[]
  /**
   * what somebody should look at
   */
  notes: string[]
  /**
   * what is missing
   */
  todo: string[]
  name: string | null
  version: string | null
  /**
   * pipeline.yaml as it would be installed
   */
  manifest: string | null
  installable: boolean
}
export interface ImportQuestion {
  id: string
  text: string
  kind: 'text' | 'choice'
  choices: string[]
  /**
   * what is taken without an answer; null: it has to be answered
   */
  proposal: string | null
  /**
   * what is taken now; null where nothing is
   */
  answer: string | null
}
export interface Destination {
  name: string
  kind: 'self' | 'stow-rs'
  url: string
  auth: {
    kind: 'none' | 'basic' | 'bearer'
    username: string | null
    /**
     * set, or where it comes from; null where none is needed
     */
    secret: string | null
  }
  /**
   * names; their values are secrets
   */
  headers: string[]
  tls: {
    ca: boolean
    /**
     * the client’s
     */
    certificate: Certificate | null
    key: boolean
    rejectUnauthorized: boolean
  } | null
  timeout: number
  /**
   * file: in the configuration file, and changed only there
   */
  origin: 'built-in' | 'file' | 'api'
  author: string | null
  createdAt: string | null
  updatedAt: string | null
  /**
   * routes that deliver there
   */
  usedBy: string[]
  health: DestinationHealth
  lastTest: DestinationTest | null
  /**
   * for If-Match
   */
  etag: string
}
export interface Certificate {
  subject: string
  issuer: string
  /**
   * Subject Alternative Names
   */
  names: string[]
  /**
   * ISO 8601, UTC
   */
  validFrom: string
  /**
   * ISO 8601, UTC
   */
  validTo: string
  /**
   * negative: it has expired
   */
  daysLeft: number
  /**
   * SHA-256
   */
  fingerprint: string
}
export interface DestinationHealth {
  lastSuccessAt: string | null
  lastFailureAt: string | null
  /**
   * of the last failure, where that is later than the last success
   */
  lastError: string | null
  /**
   * objects that are not there yet
   */
  pending: number
  /**
   * objects that were given up
   */
  failed: number
  /**
   * the pause that holds, in words
   */
  paused: string | null
}
export interface DestinationTest {
  destination: string
  url: string
  ok: boolean
  ms: number
  /**
   * ISO 8601, UTC
   */
  at: string
  /**
   * the whole in one sentence
   */
  sentence: string
  steps: TestStep[]
  certificate: Certificate | null
}
export interface TestStep {
  step: 'address' | 'connection' | 'tls' | 'answer' | 'access' | 'search' | 'store'
  title: string
  outcome: 'passed' | 'failed' | 'warning' | 'skipped'
  ms: number
  /**
   * what was seen
   */
  sentence: string
  /**
   * what may be done about it
   */
  advice: string | null
}
export interface RefusedCaller {
  id: number
  /**
   * empty where the entry stands for several callers
   */
  callingAETitle: string
  calledAETitle: string
  address: string
  reason: string
  times: number
  /**
   * ISO 8601, UTC
   */
  firstAt: string
  /**
   * ISO 8601, UTC
   */
  lastAt: string
  /**
   * why admitting it would be of no use; null: it would be
   */
  useless: string | null
}
export interface Remote {
  aeTitle: string
  addresses: string[]
  may: ('store' | 'query' | 'retrieve')[]
  host: string | null
  port: number
  tls: boolean
  /**
   * file: in the configuration file, and changed only there
   */
  origin: 'file' | 'api'
  /**
   * for If-Match
   */
  etag: string
}
export interface QuarantinedObject {
  id: number
  /**
   * ISO 8601, UTC
   */
  at: string
  code: string
  reason: string
  via: string
  sender: string
  sopClassUID: string | null
  sopInstanceUID: string | null
  transferSyntaxUID: string | null
  size: number
  state: 'quarantined' | 'reingested' | 'discarded'
  /**
   * when it was taken in again, or discarded
   */
  stateAt: string | null
  stateBy: string | null
  /**
   * SOP Instance UID under which it was taken in again
   */
  storedInstanceUID: string | null
}
export interface StatedTruth {
  /**
   * of the finding
   */
  name: string
  /**
   * left out: wherever
   */
  site?: string | null
  /**
   * whether it is there
   */
  present: boolean
}
export interface InsightOptions {
  /**
   * the end of the first inference; null: there is none
   */
  first: string | null
  last: string | null
  /**
   * true: earlier inferences are still being counted
   */
  filling: boolean
  pipelines: {
    name: string
    versions: string[]
  }[]
  findings: InsightFindingChoice[]
  routes: string[]
  modalities: string[]
  scanners: string[]
  bodyParts: string[]
  sexes: string[]
}
export interface InsightFindingChoice {
  /**
   * for the parameter finding
   */
  id: string
  name: string
  /**
   * scheme:value
   */
  code: string
  /**
   * scheme:value of the anatomy
   */
  site: string | null
  /**
   * UCUM
   */
  unit: string
  values: number
  /**
   * that give it
   */
  pipelines: string[]
}
export interface InsightGroups {
  by:
    | 'age'
    | 'sex'
    | 'modality'
    | 'scanner'
    | 'bodyPart'
    | 'hour'
    | 'weekday'
    | 'day'
    | 'week'
    | 'month'
    | 'pipeline'
    | 'version'
    | 'route'
  /**
   * null: none is asked for, inferences are counted
   */
  finding: InsightFinding | null
  total: InsightTotal
  /**
   * of the bins, one more than there are; a value on an edge is in the bin above, the last edge in the last bin
   */
  edges: number[] | null
  groups: InsightGroup[]
  /**
   * true: there is more than is looked at, and these are the newest
   */
  truncated: boolean
}
export interface InsightFinding {
  /**
   * for the parameter finding
   */
  id: string
  name: string
  /**
   * scheme:value
   */
  code: string
  /**
   * scheme:value of the anatomy
   */
  site: string | null
  /**
   * UCUM
   */
  unit: string
}
export interface InsightTotal {
  studies: number
  /**
   * that are known by an identifier
   */
  patients: number
  runs: number
  /**
   * null: no value
   */
  values: InsightSummary | null
  /**
   * values by the bins of the answer
   */
  histogram: number[] | null
}
export interface InsightSummary {
  n: number
  mean: number
  /**
   * of the sample; null for one value
   */
  deviation: number | null
  minimum: number
  p5: number
  q1: number
  median: number
  q3: number
  p95: number
  maximum: number
}
export interface InsightGroup {
  /**
   * of a period: its first day
   */
  key: string
  label: string
  studies: number
  /**
   * that are known by an identifier
   */
  patients: number
  runs: number
  /**
   * null: no value
   */
  values: InsightSummary | null
  /**
   * values by the bins of the answer
   */
  histogram: number[] | null
}
export interface InsightVolumes {
  by:
    | 'age'
    | 'sex'
    | 'modality'
    | 'scanner'
    | 'bodyPart'
    | 'hour'
    | 'weekday'
    | 'day'
    | 'week'
    | 'month'
    | 'pipeline'
    | 'version'
    | 'route'
  total: InsightVolumeTotal
  groups: InsightVolume[]
  truncated: boolean
}
export interface InsightVolumeTotal {
  studies: number
  /**
   * that are known by an identifier
   */
  patients: number
  runs: number
  done: number
  refused: number
  failed: number
}
export interface InsightVolume {
  key: string
  label: string
  studies: number
  /**
   * that are known by an identifier
   */
  patients: number
  runs: number
  done: number
  refused: number
  failed: number
}
export interface InsightScatter {
  x: 'age' | 'sliceThickness' | 'pixelSpacing' | 'kvp' | 'fieldStrength' | 'images'
  finding: InsightFinding
  points: {
    x: number
    y: number
    sex: string | null
    studyInstanceUID: string
    /**
     * ISO 8601, UTC
     */
    at: string
  }[]
  /**
   * points that there are; those given are evenly chosen among them
   */
  total: number
  /**
   * Pearson's, of all; null: not defined
   */
  correlation: number | null
  truncated: boolean
}
export interface InsightPatient {
  /**
   * false: the study has no patient identifier, or nothing was counted of it
   */
  known: boolean
  studies: {
    studyInstanceUID: string
    /**
     * YYYY-MM-DD
     */
    date: string | null
    /**
     * false: deleted
     */
    here: boolean
  }[]
  measurements: InsightMeasurement[]
}
export interface InsightMeasurement {
  finding: InsightFinding
  pipeline: string
  points: {
    studyInstanceUID: string
    /**
     * of the study, YYYY-MM-DD
     */
    date: string
    value: number
    version: string | null
  }[]
  /**
   * null: the values are of one day
   */
  change: InsightChange | null
}
export interface InsightChange {
  /**
   * from the first to the last
   */
  days: number
  /**
   * slope of the line of least squares, in the unit a year
   */
  perYear: number
  /**
   * of the first value, by the last; null where the first is 0
   */
  percent: number | null
  /**
   * of exponential growth by least squares; null where it does not grow, or a value is not positive
   */
  doublingDays: number | null
}
export interface InsightAgreement {
  by: 'pipeline' | 'version' | 'scanner' | 'route' | 'day' | 'week' | 'month'
  total: InsightAgreementTotal
  groups: InsightAgreementGroup[]
  performance: InsightPerformance[]
}
export interface InsightAgreementTotal {
  accepted: number
  rejected: number
  corrected: number
  missed: number
  comments: number
  agreement: InsightRate | null
}
export interface InsightRate {
  hits: number
  of: number
  rate: number
  /**
   * of Wilson's interval, 95 %
   */
  low: number
  high: number
}
export interface InsightAgreementGroup {
  key: string
  label: string
  accepted: number
  rejected: number
  corrected: number
  missed: number
  comments: number
  /**
   * accepted among accepted, rejected, corrected and missed
   */
  agreement: InsightRate | null
}
export interface InsightPerformance {
  key: string
  /**
   * of the group
   */
  label: string
  finding: string
  site: string | null
  truePositive: number
  falsePositive: number
  trueNegative: number
  falseNegative: number
  /**
   * statements that feedback does not tell the truth of
   */
  unknown: number
  precision: InsightRate | null
  recall: InsightRate | null
  specificity: InsightRate | null
  f1: number | null
}
export interface Drift {
  limits: {
    moderate: number
    strong: number
  }
  /**
   * the newest of each pipeline and version
   */
  evaluations: DriftEvaluation[]
}
export interface DriftEvaluation {
  id: number
  /**
   * ISO 8601, UTC
   */
  at: string
  pipeline: string
  version: string | null
  /**
   * the gravest of those of its measures
   */
  verdict: 'too-few' | 'none' | 'moderate' | 'strong'
  reference: {
    kind: 'first-runs' | 'period'
    from: string | null
    to: string | null
    runs: number
  }
  window: {
    from: string | null
    to: string | null
    runs: number
  }
  measures: DriftMeasure[]
}
export interface DriftMeasure {
  subject: string
  label: string
  side: 'input' | 'output'
  kind: 'number' | 'category'
  verdict: 'too-few' | 'none' | 'moderate' | 'strong'
  /**
   * values
   */
  reference: number
  window: number
  /**
   * population stability index
   */
  stability: number | null
  /**
   * of Kolmogorov and Smirnov; of categories, chi-square
   */
  statistic: number | null
  /**
   * degrees of freedom, of chi-square
   */
  degrees: number | null
  /**
   * of so large a statistic where nothing differs
   */
  probability: number | null
  bins: {
    label: string
    reference: number
    window: number
  }[]
}
export interface DriftHistory {
  points: {
    /**
     * ISO 8601, UTC
     */
    at: string
    verdict: 'too-few' | 'none' | 'moderate' | 'strong'
    stability: number | null
    statistic: number | null
    probability: number | null
  }[]
}
export interface NotificationTemplate {
  /**
   * of an e-mail; a webhook’s field subject
   */
  subject: string
  /**
   * plain text
   */
  text: string
  /**
   * of an e-mail; values are escaped
   */
  html: string | null
  /**
   * the whole body of a webhook, as JSON with placeholders within its strings; null: the node’s own
   */
  json: string | null
}
export interface NotificationTarget {
  id: number
  name: string
  enabled: boolean
  phi: boolean
  mostPerHour: number
  digestMinutes: number
  timeout: number
  via:
    | {
        kind: 'webhook'
        url: string
        /**
         * set, or where it comes from; null: there is none
         */
        secret: string | null
        /**
         * names; their values are secrets
         */
        headers: string[]
        ca: string | null
        rejectUnauthorized: boolean
      }
    | {
        kind: 'email'
        host: string
        port: number
        security: 'starttls' | 'tls' | 'none'
        username: string | null
        /**
         * set, or where it comes from; null: there is none
         */
        password: string | null
        from: string
        to: string[]
        ca: string | null
        rejectUnauthorized: boolean
      }
  author: string
  /**
   * ISO 8601, UTC
   */
  createdAt: string
  /**
   * ISO 8601, UTC
   */
  updatedAt: string
  /**
   * messages
   */
  counts: {
    waiting: number
    dead: number
    /**
     * in the last 24 hours
     */
    sentToday: number
  }
  lastAttempt: {
    /**
     * ISO 8601, UTC
     */
    at: string
    ok: boolean
    answer: string
  } | null
  /**
   * for If-Match
   */
  etag: string
}
export interface NotificationTest {
  ok: boolean
  ms: number
  /**
   * ISO 8601, UTC
   */
  at: string
  sentence: string
  steps: NotificationTestStep[]
}
export interface NotificationTestStep {
  step: 'address' | 'connection' | 'tls' | 'login' | 'message'
  title: string
  outcome: 'passed' | 'failed' | 'warning' | 'skipped'
  ms: number
  /**
   * what was seen
   */
  sentence: string
  /**
   * what may be done about it
   */
  advice: string | null
}
export interface NotificationSubscription {
  id: number
  targetId: number
  event:
    | 'received'
    | 'completed'
    | 'matched'
    | 'finding'
    | 'critical'
    | 'delivered'
    | 'failed'
    | 'late'
    | 'disk'
    | 'drift'
    | 'destination-down'
    | 'certificate'
    | 'quarantine'
    | 'schedule'
    | 'report'
  enabled: boolean
  filters: {
    /**
     * only of these routes; empty: of all
     *
     * @maxItems 50
     */
    routes: string[]
    /**
     * only of these pipelines, by name; empty: of all
     *
     * @maxItems 50
     */
    pipelines: string[]
    /**
     * only of studies that have one of these modalities; empty: of all
     *
     * @maxItems 50
     */
    modalities: string[]
    /**
     * of finding: only where one of these is above `over` or below `under`; empty: whatever was measured
     *
     * @maxItems 50
     */
    findings: {
      name: string
      over: number | null
      under: number | null
    }[]
    /**
     * of late: minutes from the last instance of a study until it counts as late
     */
    lateMinutes: number
  }
  /**
   * null: the node’s own
   */
  template: NotificationTemplate | null
  author: string
  /**
   * ISO 8601, UTC
   */
  updatedAt: string
  /**
   * for If-Match
   */
  etag: string
}
export interface NotificationTemplateInput {
  /**
   * of an e-mail; a webhook’s field subject
   */
  subject: string
  /**
   * plain text
   */
  text: string
  /**
   * of an e-mail; values are escaped
   */
  html?: string | null
  /**
   * the whole body of a webhook, as JSON with placeholders within its strings; null: the node’s own
   */
  json?: string | null
}
export interface NotificationPreview {
  subject: string
  text: string
  html: string | null
  /**
   * the body of a webhook
   */
  json: string
  /**
   * why the template would be refused; then the rest is empty
   */
  problems: string[]
}
export interface NotificationMessage {
  id: number
  event:
    | 'received'
    | 'completed'
    | 'matched'
    | 'finding'
    | 'critical'
    | 'delivered'
    | 'failed'
    | 'late'
    | 'disk'
    | 'drift'
    | 'destination-down'
    | 'certificate'
    | 'quarantine'
    | 'schedule'
    | 'report'
  targetId: number
  target: string
  subscriptionId: number
  /**
   * dead: given up; it can be sent again
   */
  state: 'waiting' | 'sending' | 'sent' | 'dead'
  urgent: boolean
  sentence: string
  studyInstanceUID: string | null
  /**
   * ISO 8601, UTC
   */
  happenedAt: string
  /**
   * ISO 8601, UTC
   */
  at: string
  /**
   * when it is tried (again)
   */
  runAfter: string
  attempts: number
  error: string | null
  sentAt: string | null
}
export interface Schedule {
  name: string
  title: string
  description: string
  /**
   * what somebody has set; null where nobody has
   */
  settings: {
    /**
     * five or six fields, as in 30 2 * * *; null: as the node comes
     */
    cron: string | null
    /**
     * of the IANA list; null: that of the machine
     */
    timeZone: string | null
    /**
     * null: as the node comes
     */
    enabled: boolean | null
  }
  /**
   * as the node comes, or its configuration says
   */
  defaults: {
    cron: string
    enabled: boolean
  }
  /**
   * in force
   */
  cron: string
  /**
   * in force
   */
  timeZone: string
  /**
   * in force
   */
  enabled: boolean
  /**
   * why it cannot run at all, such as a setting that is missing
   */
  unavailable: string | null
  author: string | null
  updatedAt: string | null
  running: boolean
  nextRun: string | null
  lastRun: {
    /**
     * ISO 8601, UTC
     */
    startedAt: string
    finishedAt: string | null
    seconds: number | null
    outcome: ('done' | 'failed' | 'interrupted' | 'missed') | null
    sentence: string | null
  } | null
  /**
   * for If-Match
   */
  etag: string
}
export interface ScheduleRun {
  id: number
  /**
   * schedule, or who asked for it
   */
  by: string
  /**
   * ISO 8601, UTC
   */
  startedAt: string
  finishedAt: string | null
  /**
   * null: it runs
   */
  outcome: ('done' | 'failed' | 'interrupted' | 'missed') | null
  /**
   * what came of it
   */
  sentence: string | null
}
export interface Setting {
  name: string
  /**
   * with dots
   */
  path: string
  description: string | null
  kind: 'group' | 'setting' | 'secret'
  /**
   * of a setting; null where nothing is set. Of a secret: "set" or "not set"
   */
  value: ((string | number | boolean) | (string | number | boolean)[]) | null
  /**
   * what holds where nothing is said
   */
  default: ((string | number | boolean) | (string | number | boolean)[]) | null
  /**
   * true: something else than the default holds
   */
  changed: boolean
  /**
   * null for groups
   */
  origin: SettingOrigin | null
  /**
   * of a group
   */
  settings: Setting[]
}
export interface SettingOrigin {
  /**
   * program: given by what started the node
   */
  kind: 'default' | 'file' | 'environment' | 'program'
  file: string | null
  line: number | null
  variable: string | null
}
export interface WatchedCertificate {
  /**
   * for people
   */
  where: string
  kind: 'listener' | 'client' | 'peer'
  file: string | null
  certificate: Certificate | null
  /**
   * why it cannot be read, or that it expires soon or has expired
   */
  problem: string | null
  /**
   * of a peer: when it was shown. ISO 8601, UTC
   */
  seenAt: string | null
}
export interface User {
  name: string
  role: 'viewer' | 'radiologist' | 'operator' | 'administrator'
  /**
   * oidc: logs in at the OpenID provider, which gives the role
   */
  kind: 'local' | 'oidc'
  mustChangePassword: boolean
  disabled: boolean
  createdAt: string
  lastLoginAt: string | null
}
export interface Token {
  id: number
  name: string
  /**
   * null: it has a scope of its own
   */
  role: ('viewer' | 'radiologist' | 'operator' | 'administrator') | null
  permissions: (
    | 'node.read'
    | 'metrics.read'
    | 'studies.read'
    | 'studies.store'
    | 'studies.act'
    | 'studies.delete'
    | 'feedback.read'
    | 'feedback.give'
    | 'insights.read'
    | 'insights.manage'
    | 'queue.act'
    | 'quarantine.read'
    | 'quarantine.act'
    | 'routes.test'
    | 'routes.draft'
    | 'routes.activate'
    | 'pipelines.test'
    | 'pipelines.manage'
    | 'destinations.test'
    | 'destinations.manage'
    | 'remotes.test'
    | 'remotes.manage'
    | 'retention.run'
    | 'settings.read'
    | 'notifications.read'
    | 'notifications.manage'
    | 'schedules.read'
    | 'schedules.manage'
    | 'users.manage'
    | 'tokens.manage'
    | 'audit.read'
  )[]
  createdBy: string | null
  createdAt: string
  expiresAt: string | null
  lastUsedAt: string | null
}
export interface AuditEntry {
  id: number
  /**
   * place in the chain
   */
  sequence: number
  at: string
  actor: string
  action: string
  subject: string | null
  outcome: string
  studyInstanceUID: string | null
  detail: {
    address?: string
    aeTitle?: string
    /**
     * where data went: AE title or destination
     */
    peer?: string
    peerAddress?: string
    patientID?: string
    /**
     * by SOP class UID
     */
    instances?: {
      [k: string]: number
    }
    /**
     * that this entry stands for
     */
    requests?: number
    until?: string
    query?: string
    sopClassUID?: string
    /**
     * why it did not work
     */
    reason?: string
  }
  hash: string
}
