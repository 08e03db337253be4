import { z } from 'zod'
import { HilumError } from '../errors.ts'
import { refusing } from './api-error.ts'
import { failureGroup } from './api-schemas-node.ts'
import type { Endpoint } from './endpoint.ts'
import { endpoint } from './endpoint.ts'

const at = z.string().describe('ISO 8601, UTC')

const pipelineVersion = z
  .object({
    name: z.string(),
    version: z.string(),
    digest: z.string().describe('sha256:… over the files that decide the result'),
    title: z.string(),
    description: z.string(),
    intendedUse: z.string(),
    limits: z.string(),
    manufacturer: z.string(),
    demonstrator: z.boolean().describe('true: not for clinical use, which every result says'),
    isDefault: z.boolean().describe('what a route runs that names no version'),
    enabled: z.boolean().describe('false: nothing runs it, whatever a route says'),
    disabled: z.object({ by: z.string(), at, reason: z.string().nullable() }).nullable(),
    firstSeenAt: at.nullable(),
    usedBy: z.array(
      z.object({
        route: z.string(),
        as: z.enum(['pipeline', 'canary', 'shadow']),
        fraction: z.number().describe('of the studies of the route, 0 to 1'),
      }),
    ),
  })
  .meta({ id: 'PipelineVersion' })

const pipelineCard = pipelineVersion
  .extend({
    inputs: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        modality: z.array(z.string()),
        sopClasses: z.array(z.string()),
        declared: z.array(z.string()).describe('what the input has to be, a sentence each'),
      }),
    ),
    measurements: z.array(z.object({ name: z.string(), unit: z.string(), of: z.string().nullable() })),
    segments: z.array(z.object({ label: z.string(), colour: z.array(z.number()) })),
    outputs: z.array(z.object({ id: z.string(), kind: z.string(), title: z.string() })),
    files: z.array(z.object({ name: z.string(), bytes: z.number() })),
    readme: z.string().nullable().describe('Markdown'),
    evaluation: z
      .object({
        at,
        compared: z.number().describe('cases with a reference'),
        refused: z.number(),
        failed: z.number(),
        figures: z.array(
          z.object({
            of: z.string(),
            metric: z.string(),
            value: z.number(),
            low: z.number().nullable(),
            high: z.number().nullable(),
          }),
        ),
        ofThisVersion: z.boolean().describe('false: it was made with other files'),
        report: z.boolean().describe('true: GET …/evaluation gives the whole report'),
      })
      .nullable()
      .describe('what hilum evaluate wrote into the folder evaluation of the pipeline; null where there is none'),
    manifest: z.string().describe('pipeline.yaml'),
  })
  .meta({ id: 'PipelineCard' })

const percentiles = z.object({ median: z.number(), p95: z.number(), most: z.number() }).describe('seconds')

const pipelineStatistics = z
  .object({
    digest: z.string(),
    version: z.string().nullable(),
    shadow: z.boolean().describe('of shadow routes'),
    runs: z.number(),
    done: z.number(),
    failed: z.number(),
    refused: z.number(),
    cancelled: z.number(),
    duration: percentiles.nullable(),
    failures: z.array(failureGroup),
    feedback: z.object({ accepted: z.number(), rejected: z.number(), corrected: z.number() }),
    agreement: z.number().nullable().describe('accepted of all that was said, 0 to 1; null where nothing was'),
  })
  .meta({ id: 'PipelineStatistics' })

const question = z
  .object({
    id: z.string(),
    text: z.string(),
    kind: z.enum(['text', 'choice']),
    choices: z.array(z.string()),
    proposal: z.string().nullable().describe('what is taken without an answer; null: it has to be answered'),
    answer: z.string().nullable().describe('what is taken now; null where nothing is'),
  })
  .meta({ id: 'ImportQuestion' })

const upload = z
  .object({
    id: z.string(),
    file: z.string(),
    bytes: z.number(),
    kind: z.enum(['pipeline', 'onnx', 'monai', 'nnunet']).describe('what was found in it'),
    files: z.array(z.string()).describe('at most 200'),
    suggestedName: z.string(),
    uploadedBy: z.string(),
    at,
  })
  .meta({ id: 'PipelineUpload' })

const checked = z
  .object({
    questions: z.array(question).describe('as far as they are known: an answer may bring others'),
    answered: z.boolean().describe('false: a question has to be answered before anything else can be said'),
    problems: z.array(z.string()),
    notes: z.array(z.string()).describe('what somebody should look at'),
    todo: z.array(z.string()).describe('what is missing'),
    name: z.string().nullable(),
    version: z.string().nullable(),
    manifest: z.string().nullable().describe('pipeline.yaml as it would be installed'),
    installable: z.boolean(),
  })
  .meta({ id: 'ImportCheck' })

const answersBody = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens are expected')
    .optional()
    .describe('of the pipeline; of a whole pipeline its manifest has it'),
  kind: z.string().max(40).optional().describe('segmentation-3d, segmentation-2d, classification-3d, …'),
  answers: z.record(z.string().max(100), z.string().max(2000)).default({}).describe('question to answer'),
})

/**
 * Why a pipeline cannot be loaded or switched.
 * - `pipeline-unknown`, `upload-unknown`, `evaluation-unknown`: 404
 * - `too-large`: 413; `no-space`: 507
 * - `not-importable`, `bad-answer`, `bad-archive`: 400
 * - the others: 409
 */
export class PipelineActError extends HilumError<
  | 'pipeline-unknown'
  | 'upload-unknown'
  | 'evaluation-unknown'
  | 'too-large'
  | 'no-space'
  | 'not-importable'
  | 'bad-answer'
  | 'bad-archive'
  | 'not-installable'
  | 'version-exists'
  | 'too-many-uploads'
> {}

type Version = z.input<typeof pipelineVersion>
type Answers = z.output<typeof answersBody>

/** The installed pipelines, and new ones; refusals are PipelineActErrors. */
export interface PipelinesDeps {
  pipelines: {
    list(): Promise<Version[]>
    card(name: string, version: string): Promise<z.input<typeof pipelineCard>>
    evaluation(name: string, version: string): Promise<string>
    statistics(name: string, days: number): Promise<z.input<typeof pipelineStatistics>[]>
    enable(name: string, version: string, by: string): Promise<Version>
    disable(name: string, version: string, reason: string | null, by: string): Promise<Version>
    uploads(): Promise<z.input<typeof upload>[]>
    upload(stream: NodeJS.ReadableStream, file: string, by: string): Promise<z.input<typeof upload>>
    check(id: string, answers: Answers): Promise<z.input<typeof checked>>
    install(id: string, answers: Answers, by: string): Promise<Version>
    discard(id: string): Promise<void>
  }
}

const versionParams = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,100}$/),
  version: z.string().regex(/^[0-9.]{1,40}$/),
})
const uploadParams = z.strictObject({ id: z.string().regex(/^[0-9a-f-]{36}$/) })

/** Pipelines: what is installed, what it did, and new ones. */
export function pipelineEndpoints({ pipelines }: PipelinesDeps): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/pipelines',
      summary: 'The pipelines that are installed, each version by itself, the newest first',
      answer: z.object({ pipelines: z.array(pipelineVersion) }),
      handle: async () => ({ pipelines: await pipelines.list() }),
    }),
    endpoint({
      method: 'get',
      path: '/pipelines/{name}/versions/{version}',
      summary: 'The card of a version: purpose, limits, inputs, measurements, evaluation',
      params: versionParams,
      answer: pipelineCard,
      handle: ({ params }) => explained(pipelines.card(params.name, params.version)),
    }),
    endpoint({
      method: 'get',
      path: '/pipelines/{name}/versions/{version}/evaluation',
      summary: 'The report of a version’s evaluation, as a page to be saved',
      params: versionParams,
      answerType: 'text/html',
      handle: async ({ params, res }) => {
        const report = await explained(pipelines.evaluation(params.name, params.version))
        res.setHeader('Content-Type', 'text/html; charset=utf-8')
        res.setHeader('Content-Disposition', `attachment; filename="${params.name}-${params.version}-evaluation.html"`)
        res.setHeader('Cache-Control', 'no-store')
        res.status(200).end(report)
        return undefined
      },
    }),
    endpoint({
      method: 'get',
      path: '/pipelines/{name}/statistics',
      summary: 'What the versions of a pipeline did: runs, failures, duration, agreement with readers',
      params: z.strictObject({ name: z.string().max(100) }),
      query: z.strictObject({ days: z.coerce.number().int().min(1).max(3650).default(30) }),
      answer: z.object({ statistics: z.array(pipelineStatistics) }),
      handle: async ({ params, query }) => ({ statistics: await pipelines.statistics(params.name, query.days) }),
    }),
    endpoint({
      method: 'post',
      path: '/pipelines/{name}/versions/{version}/enable',
      summary: 'Let a version be run again',
      params: versionParams,
      answer: pipelineVersion,
      action: 'pipeline-enable',
      handle: ({ params, actor }) => explained(pipelines.enable(params.name, params.version, actor)),
    }),
    endpoint({
      method: 'post',
      path: '/pipelines/{name}/versions/{version}/disable',
      summary: 'Run a version no more: routes without a version take the newest that is left, those that name it fail',
      params: versionParams,
      body: z.strictObject({ reason: z.string().trim().min(1).max(500).nullable().default(null) }),
      answer: pipelineVersion,
      action: 'pipeline-disable',
      handle: ({ params, body, actor }) =>
        explained(pipelines.disable(params.name, params.version, body.reason, actor)),
    }),
    ...uploadEndpoints(pipelines),
  ]
}

function uploadEndpoints(pipelines: PipelinesDeps['pipelines']): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/pipelines/uploads',
      summary: 'What was uploaded and is not installed yet; it is deleted after a day',
      answer: z.object({ uploads: z.array(upload) }),
      handle: async () => ({ uploads: await pipelines.uploads() }),
    }),
    endpoint({
      method: 'post',
      path: '/pipelines/uploads',
      summary: 'Upload a pipeline’s folder as .zip or .tar(.gz), a MONAI bundle or nnU-Net model so, or an ONNX file',
      query: z.strictObject({ file: z.string().min(1).max(200).describe('its name') }),
      bodyType: 'application/octet-stream',
      answer: upload,
      status: 201,
      action: 'pipeline-upload',
      handle: ({ query, req, actor, about }) => {
        about(query.file)
        return explained(pipelines.upload(req, query.file, actor))
      },
    }),
    endpoint({
      method: 'post',
      path: '/pipelines/uploads/{id}/check',
      summary: 'What has to be asked before it can be installed, and what is wrong with it as it would be',
      params: uploadParams,
      body: answersBody,
      answer: checked,
      handle: ({ params, body }) => explained(pipelines.check(params.id, body)),
    }),
    endpoint({
      method: 'post',
      path: '/pipelines/uploads/{id}/install',
      summary: 'Install it into the folder of the pipelines; it can be run at once',
      params: uploadParams,
      body: answersBody,
      answer: pipelineVersion,
      status: 201,
      action: 'pipeline-install',
      handle: async ({ params, body, actor, about }) => {
        const installed = await explained(pipelines.install(params.id, body, actor))
        about(`${installed.name}@${installed.version}`)
        return installed
      },
    }),
    endpoint({
      method: 'delete',
      path: '/pipelines/uploads/{id}',
      summary: 'Throw an upload away',
      params: uploadParams,
      action: 'pipeline-upload-discard',
      handle: async ({ params }) => {
        await explained(pipelines.discard(params.id))
        return undefined
      },
    }),
  ]
}

/** @throws ApiError in place of what says why it cannot be done */
const explained = refusing(PipelineActError, (code) => {
  const status = { 'too-large': 413, 'no-space': 507, 'not-importable': 400, 'bad-answer': 400, 'bad-archive': 400 }[
    code as string
  ]
  return status ?? (code.endsWith('-unknown') ? 404 : 409)
})
