import { z } from 'zod'
import type { Endpoint } from './endpoint.ts'
import { operationOf } from './endpoint.ts'
import type { Need } from './permissions.ts'
import { operations, rolesWith } from './permissions.ts'

const { $schema: _draft, ...problemSchema } = z.toJSONSchema(
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: z.string().describe('stable, for programs'),
  }),
)

/** Schemas that have a name (`meta({ id })`), as they were met; those that differ between asking and answering have two. */
class NamedSchemas {
  readonly #byName = new Map<string, Record<string, unknown>>([['Problem', problemSchema]])

  /** A schema for the description, which refers to those that have a name. */
  schemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
    const { $schema: _, $defs: definitions = {}, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
    const id = schema.meta()?.id
    const own = id === undefined || '$ref' in rest ? {} : { [id]: rest }
    const found = Object.entries({ ...definitions, ...own })
    const names = new Map(found.map(([name]) => [name, name]))
    for (const [name, definition] of found)
      if (this.#isOther(name, { ...definition, id: undefined }))
        names.set(name, `${name}${io === 'input' ? 'Input' : ''}`)
    for (const [name, { id: _id, ...definition }] of found as [string, Record<string, unknown>][])
      this.#byName.set(names.get(name) ?? name, renamed(definition, names) as Record<string, unknown>)
    if (id !== undefined) return { $ref: reference(names.get(id) ?? id) }
    return renamed(rest, names) as Record<string, unknown>
  }

  /** Whether another schema has the name already. References inside are of the same names, and say nothing. */
  #isOther(name: string, definition: Record<string, unknown>): boolean {
    const there = this.#byName.get(name)
    const plain = (value: unknown) => JSON.stringify(value).replaceAll(/#\/(components\/schemas|\$defs)\/\w+/g, '')
    return there !== undefined && plain(there) !== plain(definition)
  }

  all(): Record<string, unknown> {
    return Object.fromEntries([...this.#byName].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

function reference(name: string): string {
  return `#/components/schemas/${name}`
}

/** References to definitions beside a schema, as references to the description's own. */
function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((member) => renamed(member, names))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const target = key === '$ref' && typeof member === 'string' ? /^#\/\$defs\/(.+)$/.exec(member)?.[1] : undefined
      return [key, target === undefined ? renamed(member, names) : reference(names.get(target) ?? target)]
    }),
  )
}

/** What the groups of operations are about, by the first word of their paths. */
const tags: Readonly<Record<string, string>> = {
  session: 'Logging in and out',
  overview: 'What the node does now, and did today',
  studies: 'Studies: searching them, what happened to them and why, and acting on them',
  events: 'What changes, as it changes',
  exports: 'Results that are no DICOM objects',
  results: 'Results of pipelines',
  feedback: 'What people said of results',
  jobs: 'Inferences and deliveries, one by one',
  queue: 'All that waits, runs and has failed',
  routes: 'Which studies go through which pipeline',
  pipelines: 'Pipelines: installed, loaded, tried',
  destinations: 'Where results go',
  remotes: 'Who may call over DICOM, and who was refused',
  certificates: 'TLS certificates and when they expire',
  quarantine: 'What came and could not be kept',
  folders: 'Watched folders',
  storage: 'Disk space',
  retention: 'Rules by which studies are deleted',
  settings: 'The settings in force',
  users: 'Who may log in',
  tokens: 'Keys for programs',
  audit: 'Who did what',
}

/**
 * The OpenAPI 3.1 description of the API, from the same schemas that validate the requests.
 * @param version of the node
 */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  const schemas = new NamedSchemas()
  for (const one of endpoints) {
    const path = `/api${one.path}`
    paths[path] = { ...paths[path], [one.method]: operation(one, schemas) }
  }
  const used = new Set(endpoints.map(tagOf))
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hilum',
      version,
      description: [
        'A DICOM node between scanners and the PACS. Errors are RFC 9457 problem details.',
        'Lists are pages: `limit` and `offset`, or `before` where new rows come while one reads.',
        'Actions take `Idempotency-Key`: asked again with the same key they are done once, and answered as at first, for 24 hours.',
        'What is edited has an `ETag`; changing it needs `If-Match`. `If-None-Match` saves getting again what has not changed.',
      ].join('\n\n'),
    },
    tags: [...used].sort().map((name) => ({ name, ...(tags[name] && { description: tags[name] }) })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'hilum_session' },
      },
      schemas: schemas.all(),
    },
  }
}

function tagOf(one: Endpoint): string {
  return one.path.split('/')[1] ?? ''
}

function operation(one: Endpoint, schemas: NamedSchemas): Record<string, unknown> {
  return {
    operationId: `${one.method}${one.path.replace(/[{}]/g, '').replace(/\/(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [tagOf(one)],
    summary: one.summary,
    ...accessTo(one),
    parameters: [
      ...parametersOf(schemas.schemaOf(one.params, 'input'), 'path'),
      ...parametersOf(schemas.schemaOf(one.query, 'input'), 'query'),
      ...headersOf(one),
    ],
    ...requestBody(one, schemas),
    responses: {
      [one.status]: success(one, schemas),
      ...(one.method === 'get' && one.answer ? { 304: { description: 'not changed since If-None-Match' } } : {}),
      default: {
        description: 'a problem document',
        content: { 'application/problem+json': { schema: { $ref: reference('Problem') } } },
      },
    },
  }
}

function success(one: Endpoint, schemas: NamedSchemas): Record<string, unknown> {
  if (!one.answer)
    return { description: 'success', ...(one.status === 204 ? {} : { content: { [one.answerType]: {} } }) }
  const example = one.example === undefined ? {} : { example: one.example }
  return {
    description: 'success',
    content: { 'application/json': { schema: schemas.schemaOf(one.answer, 'output'), ...example } },
  }
}

function requestBody(one: Endpoint, schemas: NamedSchemas): Record<string, unknown> {
  if (one.bodyType !== null)
    return {
      requestBody: { required: true, content: { [one.bodyType]: { schema: { type: 'string', format: 'binary' } } } },
    }
  if (!one.body) return {}
  return {
    requestBody: { required: true, content: { 'application/json': { schema: schemas.schemaOf(one.body, 'input') } } },
  }
}

/** The headers that say how a change is meant. */
function headersOf(one: Endpoint): Record<string, unknown>[] {
  const header = (name: string, description: string, required: boolean) => ({
    name,
    in: 'header',
    required,
    description,
    schema: { type: 'string' },
  })
  if (one.edits)
    return [header('If-Match', 'the ETag of what the change is made to, or *; 412 where it is another by now', true)]
  if (one.method !== 'post') return []
  return [header('Idempotency-Key', 'any text, such as a UUID: the same action is done once for it', false)]
}

/** Who may call an operation, from the table that the router enforces. */
function accessTo(one: Endpoint): Record<string, unknown> {
  const need: Need | undefined = new Map<string, Need>(Object.entries(operations)).get(operationOf(one))
  if (need === undefined || need === 'nothing') return { security: [], 'x-permission': null, 'x-roles': [] }
  const permission = need === 'login' ? null : need
  return { security: [{ bearer: [] }, { session: [] }], 'x-permission': permission, 'x-roles': rolesWith(need) }
}

function parametersOf(schema: Record<string, unknown>, where: 'path' | 'query'): Record<string, unknown>[] {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, Record<string, unknown>>
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property
    return {
      name,
      in: where,
      required: where === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }
  })
}
