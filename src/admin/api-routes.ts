import type { Readable } from 'node:stream'
import { z } from 'zod'
import {
  routeChange,
  routeDetail,
  routeDraft,
  routeDraftDefinition,
  routeProblem,
  routeVersion,
} from './api-schemas-routes.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError, endpoint } from './endpoint.ts'
import { requireMatch } from './entity-tag.ts'
import { explained } from './route-refusal.ts'

const name = z.string().min(1).max(64)
const nameParams = z.strictObject({ name })
const comment = z.string().trim().max(1000).optional().describe('why, for those who look at the versions')
const versionNumber = z.number().int().min(1)
const compared = z
  .string()
  .regex(/^(\d{1,9}|active|draft)$/, 'a version, active or draft')
  .describe('a version, active or draft')

type Definition = z.output<typeof routeDraftDefinition>
type Draft = z.input<typeof routeDraft>
type Problem = z.input<typeof routeProblem>
interface Act {
  actor: string
  comment?: string | undefined
}

/** Routes with their versions and drafts; refusals are RouteErrors. */
export interface RoutesDeps {
  routes: {
    list(): Promise<{
      routes: z.input<typeof routeVersion>[]
      drafts: Draft[]
      retired: z.input<typeof routeVersion>[]
    }>
    get(name: string): Promise<z.input<typeof routeDetail> | null>
    validate(definition: unknown): Promise<Problem[]>
    draft(name: string): Promise<Draft | null>
    createDraft(
      from: { definition: Definition } | { name: string; version: number | null },
      actor: string,
    ): Promise<Draft>
    /** null where it is another by now. */
    changeDraft(seen: Draft, definition: Definition, actor: string): Promise<Draft | null>
    deleteDraft(name: string): Promise<boolean>
    /** @returns the version that is in force now */
    activateDraft(draft: Draft, act: Act): Promise<number>
    activateVersion(name: string, version: number, act: Act): Promise<number>
    setEnabled(name: string, enabled: boolean, act: Act): Promise<number>
    retire(name: string, act: Act): Promise<boolean>
    order(): Promise<string[]>
    setOrder(names: readonly string[]): Promise<void>
    differences(name: string, from: string, to: string): Promise<{ changes: z.input<typeof routeChange>[] }>
    exportYaml(names: readonly string[] | null): Promise<string>
    importYaml(
      stream: Readable,
      options: { actor: string; replace: boolean },
    ): Promise<{ drafts: string[]; unchanged: string[]; problems: (Problem & { route: string })[] }>
  }
}

/** Routes: what is in force, versions, drafts, order, YAML. */
export function routeEndpoints({ routes }: RoutesDeps): Endpoint[] {
  return [...generalEndpoints(routes), ...draftEndpoints(routes), ...versionEndpoints(routes)]
}

/** Those whose paths would else be taken for names of routes come first. */
function generalEndpoints(routes: RoutesDeps['routes']): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/routes',
      summary:
        'The routes in force in their order, those that are switched off among them; drafts, and routes that were retired',
      answer: z.object({
        routes: z.array(routeVersion),
        drafts: z.array(routeDraft),
        retired: z.array(routeVersion).describe('the newest version of each'),
      }),
      handle: () => routes.list(),
    }),
    endpoint({
      method: 'get',
      path: '/routes/order',
      summary: 'The names of the routes in force, in the order in which they are asked',
      answer: z.object({ names: z.array(name) }),
      handle: async () => ({ names: await routes.order() }),
    }),
    endpoint({
      method: 'put',
      path: '/routes/order',
      summary: 'Put the routes in force into another order',
      body: z.strictObject({ names: z.array(name).max(5000) }),
      answer: z.object({ names: z.array(name) }),
      edits: true,
      action: 'route-order',
      subject: () => 'order',
      handle: async ({ body, req }) => {
        requireMatch(req, { names: await routes.order() })
        await explained(routes.setOrder(body.names))
        return { names: await routes.order() }
      },
    }),
    endpoint({
      method: 'post',
      path: '/routes/validate',
      summary: 'Everything that is wrong with a definition, also with the names of pipelines and destinations in it',
      body: z.strictObject({ definition: z.record(z.string(), z.unknown()) }),
      answer: z.object({ valid: z.boolean(), problems: z.array(routeProblem) }),
      handle: async ({ body }) => {
        const problems = await routes.validate(body.definition)
        return { valid: problems.length === 0, problems }
      },
    }),
    endpoint({
      method: 'get',
      path: '/routes/export',
      summary: 'Routes in force as YAML, in their order, as `hilum route apply` reads them',
      query: z.strictObject({ name: name.optional().describe('of one; else all') }),
      answerType: 'application/yaml',
      handle: async ({ query, res }) => {
        const yaml = await explained(routes.exportYaml(query.name === undefined ? null : [query.name]))
        res.setHeader('Content-Disposition', `attachment; filename="${query.name ?? 'routes'}.yaml"`)
        res.setHeader('Cache-Control', 'no-store')
        res.type('application/yaml').send(yaml)
        return undefined
      },
    }),
    endpoint({
      method: 'post',
      path: '/routes/import',
      summary:
        'Make a draft of every route in a YAML file that differs from what is in force; none where one has a problem',
      query: z.strictObject({
        replace: z.enum(['true', 'false']).default('false').describe('true: drafts that are there are overwritten'),
      }),
      bodyType: 'application/yaml',
      answer: z.object({
        drafts: z.array(name),
        unchanged: z.array(name),
        problems: z.array(routeProblem.extend({ route: z.string() })).describe('where each is in the file'),
      }),
      action: 'route-import',
      handle: ({ query, req, actor }) =>
        explained(routes.importYaml(req, { actor, replace: query.replace === 'true' })),
    }),
  ]
}

function draftEndpoints(routes: RoutesDeps['routes']): Endpoint[] {
  const found = async (of: string): Promise<Draft> => {
    const draft = await routes.draft(of)
    if (!draft) throw new ApiError(404, 'draft-unknown', `There is no draft of a route "${of}".`)
    return draft
  }
  return [
    endpoint({
      method: 'get',
      path: '/routes/{name}/draft',
      summary: 'The draft of a route: one, which several people may write on',
      params: nameParams,
      answer: routeDraft,
      handle: ({ params }) => found(params.name),
    }),
    endpoint({
      method: 'post',
      path: '/routes/{name}/draft',
      summary: 'Begin a draft: of a new route, or of one that is there, from a version',
      params: nameParams,
      body: z.strictObject({
        definition: routeDraftDefinition.optional(),
        version: versionNumber.optional().describe('left out, without a definition: the one in force'),
      }),
      answer: routeDraft,
      status: 201,
      action: 'route-draft',
      handle: ({ params, body, actor }) => {
        if (body.definition) requireName(params.name, body.definition)
        return explained(
          routes.createDraft(
            body.definition ? { definition: body.definition } : { name: params.name, version: body.version ?? null },
            actor,
          ),
        )
      },
    }),
    endpoint({
      method: 'put',
      path: '/routes/{name}/draft',
      summary: 'Change a draft',
      params: nameParams,
      body: z.strictObject({ definition: routeDraftDefinition }),
      answer: routeDraft,
      edits: true,
      action: 'route-draft',
      handle: async ({ params, body, req, actor }) => {
        requireName(params.name, body.definition)
        const seen = await found(params.name)
        requireMatch(req, seen)
        const changed = await routes.changeDraft(seen, body.definition, actor)
        if (!changed) throw new ApiError(412, 'changed-meanwhile', 'It has been changed since you looked: look again.')
        return changed
      },
    }),
    endpoint({
      method: 'delete',
      path: '/routes/{name}/draft',
      summary: 'Throw a draft away',
      params: nameParams,
      edits: true,
      action: 'route-draft-discard',
      handle: async ({ params, req }) => {
        requireMatch(req, await found(params.name))
        await routes.deleteDraft(params.name)
        return undefined
      },
    }),
  ]
}

function requireName(of: string, definition: Definition): void {
  if (definition.name !== of)
    throw new ApiError(400, 'name-differs', `The definition is of "${definition.name}", the address of "${of}".`)
}

function versionEndpoints(routes: RoutesDeps['routes']): Endpoint[] {
  const inForce = z.object({ version: z.number().describe('in force now') })
  const actBody = z.strictObject({ comment })
  return [
    endpoint({
      method: 'get',
      path: '/routes/{name}',
      summary: 'A route: its versions with author and comment, when which was in force, and its draft',
      params: nameParams,
      answer: routeDetail,
      handle: async ({ params }) => {
        const detail = await routes.get(params.name)
        if (!detail) throw new ApiError(404, 'route-unknown', `No route is called "${params.name}".`)
        return detail
      },
    }),
    endpoint({
      method: 'get',
      path: '/routes/{name}/diff',
      summary: 'What differs between two versions, field by field, conditions word by word',
      params: nameParams,
      query: z.strictObject({ from: compared.default('active'), to: compared.default('draft') }),
      answer: z.object({ changes: z.array(routeChange) }),
      handle: ({ params, query }) => explained(routes.differences(params.name, query.from, query.to)),
    }),
    endpoint({
      method: 'post',
      path: '/routes/{name}/activate',
      summary: 'Put the draft in force as the next version, or a version that was made earlier; for the next study',
      params: nameParams,
      body: z.strictObject({ version: versionNumber.optional().describe('left out: the draft'), comment }),
      answer: inForce,
      action: 'route-activate',
      handle: async ({ params, body, req, actor }) => {
        const act = { actor, ...(body.comment && { comment: body.comment }) }
        if (body.version !== undefined)
          return { version: await explained(routes.activateVersion(params.name, body.version, act)) }
        const draft = await routes.draft(params.name)
        if (!draft) throw new ApiError(404, 'draft-unknown', `There is no draft of a route "${params.name}".`)
        // Who says what was looked at puts in force just that.
        if (req.headers['if-match'] !== undefined) requireMatch(req, draft)
        return { version: await explained(routes.activateDraft(draft, act)) }
      },
    }),
    ...([true, false] as const).map((enabled) =>
      endpoint({
        method: 'post',
        path: `/routes/{name}/${enabled ? 'enable' : 'disable'}`,
        summary: enabled
          ? 'Switch a route on again, as its next version'
          : 'Switch a route off, as its next version: it matches nothing, and its decisions say so',
        params: nameParams,
        body: actBody,
        answer: inForce,
        action: enabled ? 'route-enable' : 'route-disable',
        handle: async ({ params, body, actor }) => ({
          version: await explained(
            routes.setEnabled(params.name, enabled, { actor, ...(body.comment && { comment: body.comment }) }),
          ),
        }),
      }),
    ),
    endpoint({
      method: 'delete',
      path: '/routes/{name}',
      summary: 'Take a route out of force; its versions stay, because decisions refer to them',
      params: nameParams,
      action: 'route-retire',
      handle: async ({ params, actor }) => {
        const retired = await explained(routes.retire(params.name, { actor }))
        if (!retired) throw new ApiError(409, 'not-in-force', `The route "${params.name}" is not in force.`)
        return undefined
      },
    }),
  ]
}
