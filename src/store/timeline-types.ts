export type StudyState = 'receiving' | 'complete' | 'processing' | 'done' | 'failed'
export type DeliveryState = 'pending' | 'sent' | 'verified' | 'failed'

/** What happened to a study, and why: the answer of `GET /api/studies/{StudyInstanceUID}`. Times are ISO 8601 UTC. */
export interface Timeline {
  studyInstanceUID: string
  state: StudyState
  /** Source instances that are indexed. */
  instances: number
  /** Number of the newest revision; 0 before the first. */
  revision: number
  /** Of the newest revision. */
  completion: { at: string; reason: string } | null
  revisions: TimelineRevision[]
  patient: {
    /** The alphabetic component group, or the first there is. */
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
  createdAt: string
  updatedAt: string
  arrivals: TimelineArrival[]
  decisions: TimelineDecision[]
  jobs: TimelineJob[]
  results: TimelineResult[]
  findings: TimelineFinding[]
  /** What pipelines of shadow routes measured: for comparison, no findings. */
  shadowFindings: Omit<TimelineFinding, 'current'>[]
  events: { at: string; kind: string; sentence: string }[]
}

export interface TimelineRevision {
  revision: number
  at: string
  reason: string
  instances: number
}

/** Instances of one series that came over one association or STOW-RS request. */
export interface TimelineArrival {
  at: string
  until: string
  /** CALLINGAE@address. */
  from: string
  via: string
  seriesInstanceUID: string
  modality: string | null
  seriesNumber: number | null
  seriesDescription: string | null
  /** New ones. */
  instances: number
  /** Here before, with the same bytes. */
  identical: number
  /** Here before, with other bytes. */
  replaced: number
}

export interface TimelineDecision {
  route: string
  matched: boolean
  expression: string
  because: Record<string, unknown>
  series: Record<string, string>
  reason: string
  routeVersion: number
  revision: number
  /** The earlier revision whose jobs, results and findings stand, because the route's input is the same; else null. */
  standsFrom: number | null
  at: string
}

export interface TimelineJob {
  id: string
  kind: 'infer' | 'deliver'
  pipeline: string | null
  destination: string | null
  route: string | null
  state: 'queued' | 'running' | 'done' | 'failed'
  /** Failed because the pipeline's declared limits exclude the input. */
  refused: boolean
  error: string | null
  revision: number
  /** Of a shadow route: nothing of it is delivered. */
  shadow: boolean
  createdAt: string
  /** When a queued job is tried (again). */
  runAfter: string
  startedAt: string | null
  finishedAt: string | null
  interruptions: number
  /** `log`: what the attempt did and fell back to, a sentence a line. */
  attempts: { at: string; ms: number | null; provider: string | null; error: string | null; log: string | null }[]
}

export interface TimelineResult {
  sopInstanceUID: string
  sopClassUID: string
  seriesInstanceUID: string
  modality: string
  role: string
  pipeline: string
  supersedes: string | null
  revision: number
  /** Of a shadow route: stored for comparison, not delivered. */
  shadow: boolean
  /** A finding of its run is critical by the rule of its route. */
  urgent: boolean
  deliveries: { destination: string; state: DeliveryState; proof: string | null; error: string | null; at: string }[]
}

export interface TimelineFinding {
  pipeline: string
  name: string
  value: number
  /** UCUM. */
  unit: string
  /** `scheme:value`. */
  code: string
  /** `scheme:value`; null where the value speaks of the whole input. */
  site: string | null
  revision: number
  /** False where a later revision has replaced it. */
  current: boolean
}
