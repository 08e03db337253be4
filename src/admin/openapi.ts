import { z } from 'zod'
import type { Endpoint } from './endpoint.ts'

const problemSchema = z.toJSONSchema(
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: z.string().describe('stable, for programs'),
  }),
)

/**
 * The OpenAPI 3.1 description of the API, from the same schemas that validate the requests.
 * @param version of the node
 */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const one of endpoints) {
    const path = `/api${one.path}`
    paths[path] = { ...paths[path], [one.method]: operation(one) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hilum',
      version,
      description: 'A DICOM node between scanners and the PACS. Errors are RFC 9457 problem details.',
    },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'hilum_session' },
      },
      schemas: { Problem: problemSchema },
    },
  }
}

function operation(one: Endpoint): Record<string, unknown> {
  const failure = {
    description: 'a problem document',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
  const success = one.answer
    ? { description: 'success', content: { 'application/json': { schema: schemaOf(one.answer, 'output') } } }
    : { description: 'success', ...(one.status === 204 ? {} : { content: { [one.answerType]: {} } }) }
  return {
    operationId: `${one.method}${one.path.replace(/[{}]/g, '').replace(/\/(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: one.summary,
    security: one.role === null ? [] : [{ bearer: [] }, { session: [] }],
    parameters: [...parametersOf(one.params, 'path'), ...parametersOf(one.query, 'query')],
    ...(one.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(one.body, 'input') } } } }
      : {}),
    responses: { [one.status]: success, default: failure },
  }
}

function parametersOf(schema: z.ZodObject, where: 'path' | 'query'): Record<string, unknown>[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
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

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
