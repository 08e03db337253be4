import { z } from 'zod'
import { permissionNames, roles } from './permissions.ts'

/** PS3.5 9.1: the form of a UID. */
export const uid = z
  .string()
  .max(64)
  .regex(/^[0-9]+(\.[0-9]+)*$/, 'a UID is digits and dots')
const at = z.string().describe('ISO 8601, UTC')

export const studyState = z.enum(['receiving', 'complete', 'processing', 'done', 'failed'])
export const jobState = z.enum(['queued', 'running', 'done', 'failed'])
export const deliveryState = z.enum(['pending', 'sent', 'verified', 'failed'])

/** One page of a list that is walked by page number. */
export const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).default(0),
})

export const finding = z
  .object({
    pipeline: z.string(),
    name: z.string(),
    value: z.number(),
    unit: z.string().describe('UCUM'),
    code: z.string().describe('scheme:value of the concept'),
    site: z.string().nullable().describe('scheme:value of the anatomy; null where the value speaks of the whole input'),
    revision: z.number(),
    current: z.boolean().describe('true where it holds for the newest revision'),
  })
  .meta({ id: 'Finding' })

export const studyRow = z
  .object({
    studyInstanceUID: z.string(),
    state: studyState,
    patientName: z.string().nullable().describe('the alphabetic component group, or the first there is'),
    patientNameIdeographic: z.string().nullable(),
    patientNamePhonetic: z.string().nullable(),
    patientID: z.string().nullable(),
    accessionNumber: z.string().nullable(),
    studyDate: z.string().nullable(),
    studyDescription: z.string().nullable(),
    modalities: z.array(z.string()),
    instances: z.number(),
    revision: z.number(),
    findings: z
      .array(finding.pick({ name: true, value: true, unit: true, site: true }))
      .describe('of the newest revision'),
    remark: z.string().nullable().describe('why it failed, or the last thing that no other field tells'),
    createdAt: at,
    updatedAt: at,
  })
  .meta({ id: 'StudyRow' })

/** How many there are on all pages; counting ends somewhere. */
export const listTotal = {
  total: z.number().describe('on all pages'),
  totalIsExact: z.boolean().describe('false where there are more than total, which were not counted'),
}

export const studyList = z.object({ ...listTotal, studies: z.array(studyRow) }).meta({ id: 'StudyList' })

const delivery = z
  .object({
    destination: z.string(),
    state: deliveryState,
    proof: z.string().nullable(),
    error: z.string().nullable(),
    at: at,
  })
  .meta({ id: 'Delivery' })

const attempt = z
  .object({
    at,
    ms: z.number().nullable(),
    provider: z.string().nullable(),
    error: z.string().nullable(),
    log: z.string().nullable().describe('what it did and fell back to, a sentence a line'),
  })
  .meta({ id: 'Attempt' })

const job = z
  .object({
    id: z.string(),
    kind: z.enum(['infer', 'deliver']),
    pipeline: z.string().nullable(),
    destination: z.string().nullable(),
    route: z.string().nullable(),
    state: jobState,
    refused: z.boolean().describe("failed because the input is outside the pipeline's declared limits"),
    error: z.string().nullable(),
    revision: z.number(),
    shadow: z.boolean().describe('of a shadow route: it has no part in the state of the study'),
    createdAt: at,
    runAfter: at,
    startedAt: at.nullable(),
    finishedAt: at.nullable(),
    interruptions: z.number().describe('attempts that ended with the process'),
    attempts: z.array(attempt),
  })
  .meta({ id: 'TimelineJob' })

const arrival = z
  .object({
    at,
    until: at,
    from: z.string().describe('CALLINGAE@address'),
    via: z.string(),
    seriesInstanceUID: z.string(),
    modality: z.string().nullable(),
    seriesNumber: z.coerce.number().nullable(),
    seriesDescription: z.string().nullable(),
    instances: z.number().describe('new ones'),
    identical: z.number().describe('here before, with the same bytes'),
    replaced: z.number().describe('here before, with other bytes'),
  })
  .meta({ id: 'Arrival' })

const decision = z
  .object({
    route: z.string(),
    matched: z.boolean(),
    expression: z.string(),
    because: z.record(z.string(), z.unknown()).describe('the values that decided'),
    series: z.record(z.string(), z.string()).describe('input of the pipeline to Series Instance UID'),
    reason: z.string(),
    routeVersion: z.number(),
    revision: z.number(),
    standsFrom: z.number().nullable().describe('the earlier revision whose results stand: the input is the same'),
    at,
  })
  .meta({ id: 'Decision' })

const result = z
  .object({
    sopInstanceUID: z.string(),
    sopClassUID: z.string(),
    seriesInstanceUID: z.string(),
    modality: z.string(),
    role: z.string(),
    pipeline: z.string(),
    supersedes: z.string().nullable(),
    revision: z.number(),
    shadow: z.boolean().describe('of a shadow route: stored for comparison, not delivered'),
    urgent: z.boolean().describe('a finding of its run is critical by the rule of its route'),
    deliveries: z.array(delivery),
  })
  .meta({ id: 'Result' })

/** The timeline of a study: what happened, and why. */
export const timeline = z
  .object({
    studyInstanceUID: z.string(),
    state: studyState,
    instances: z.number(),
    revision: z.number().describe('the newest complete revision; 0 before the first'),
    completion: z.object({ at, reason: z.string() }).nullable(),
    revisions: z.array(z.object({ revision: z.number(), at, reason: z.string(), instances: z.number() })),
    patient: z.object({
      patientName: z.string().nullable().describe('the alphabetic component group, or the first there is'),
      patientNameIdeographic: z.string().nullable(),
      patientNamePhonetic: z.string().nullable(),
      patientID: z.string().nullable(),
      patientBirthDate: z.string().nullable(),
      patientSex: z.string().nullable(),
    }),
    studyDate: z.string().nullable(),
    studyDescription: z.string().nullable(),
    accessionNumber: z.string().nullable(),
    createdAt: at,
    updatedAt: at,
    arrivals: z.array(arrival),
    decisions: z.array(decision),
    jobs: z.array(job),
    results: z.array(result),
    findings: z.array(finding),
    shadowFindings: z
      .array(finding.omit({ current: true }))
      .describe('what pipelines of shadow routes measured: for comparison, no findings'),
    events: z.array(z.object({ at, kind: z.string(), sentence: z.string() })),
  })
  .meta({ id: 'Timeline' })

/** How far a job has come, as far as it tells. */
export const progress = z
  .object({ stage: z.string().describe('what it does now'), fraction: z.number().min(0).max(1) })
  .meta({ id: 'Progress' })

export const jobRow = z
  .object({
    id: z.string(),
    kind: z.enum(['infer', 'deliver']),
    state: jobState,
    studyInstanceUID: z.string(),
    patientName: z.string().nullable(),
    studyDescription: z.string().nullable(),
    route: z.string().nullable().describe('null where a person asked for it'),
    pipeline: z.string().nullable().describe('name@sha256:…'),
    pipelineName: z.string().nullable(),
    pipelineVersion: z.string().nullable(),
    destination: z.string().nullable(),
    refused: z.boolean().describe("failed because the input is outside the pipeline's declared limits"),
    cancelled: z.boolean().describe('failed because somebody ended it'),
    error: z.string().nullable(),
    attempts: z.number(),
    priority: z.number().describe('larger first; urgent 10, normal 0, low -10, shadow -20'),
    shadow: z.boolean().describe('of a shadow route'),
    progress: progress.nullable().describe('of a running inference'),
    held: z.string().nullable().describe('the pause that keeps a waiting job back, in words; null: none does'),
    createdAt: at,
    runAfter: at,
    startedAt: at.nullable(),
    finishedAt: at.nullable(),
  })
  .meta({ id: 'JobRow' })

export const refusedCaller = z
  .object({
    id: z.number(),
    callingAETitle: z.string().describe('empty where the entry stands for several callers'),
    calledAETitle: z.string(),
    address: z.string(),
    reason: z.string(),
    times: z.number(),
    firstAt: at,
    lastAt: at,
    useless: z.string().nullable().describe('why admitting it would be of no use; null: it would be'),
  })
  .meta({ id: 'RefusedCaller' })

export const quarantined = z
  .object({
    id: z.number(),
    at,
    code: z.string(),
    reason: z.string(),
    via: z.string(),
    sender: z.string(),
    sopClassUID: z.string().nullable(),
    sopInstanceUID: z.string().nullable(),
    transferSyntaxUID: z.string().nullable(),
    size: z.number(),
    state: z.enum(['quarantined', 'reingested', 'discarded']),
    stateAt: at.nullable().describe('when it was taken in again, or discarded'),
    stateBy: z.string().nullable(),
    storedInstanceUID: z.string().nullable().describe('SOP Instance UID under which it was taken in again'),
  })
  .meta({ id: 'QuarantinedObject' })

export const role = z.enum(roles)
export const permission = z.enum(permissionNames)
export const session = z.object({
  name: z.string(),
  node: z.string().describe('AE title of this node: by which people tell several apart'),
  role: role.nullable().describe('null for a token with a scope of its own'),
  permissions: z.array(permission).describe('what the caller may do'),
  mustChangePassword: z.boolean(),
})

/** Times are compared as text, which all have milliseconds. */
export function withTimes<T extends { from?: string | undefined; to?: string | undefined }>(query: T): T {
  const utc = (time: string | undefined) => (time === undefined ? undefined : new Date(time).toISOString())
  return { ...query, from: utc(query.from), to: utc(query.to) }
}
