import { compile, type JSONSchema } from 'json-schema-to-typescript'
import type { ApiDeps } from '../../src/admin/api.ts'
import { apiEndpoints } from '../../src/admin/api.ts'
import { openApiDocument } from '../../src/admin/openapi.ts'

interface Operation {
  parameters: { name: string; in: 'path' | 'query'; required: boolean; description?: string; schema: JSONSchema }[]
  requestBody?: { content: { 'application/json'?: { schema: JSONSchema } } }
  responses: Record<string, { content?: Record<string, { schema?: JSONSchema }> }>
}

/** Declaring an endpoint uses none of the node's parts, only its handler does: whatever is asked of these is such a thing again. */
const noParts: ApiDeps = new Proxy(() => undefined, { get: () => noParts }) as unknown as ApiDeps

/** The types of src/admin/ui/api/schema.ts: one interface with every operation of the OpenAPI document, by method and path. */
export async function apiTypes(): Promise<string> {
  const document = openApiDocument(apiEndpoints(noParts), '0') as unknown as {
    paths: Record<string, Record<string, Operation>>
    components: { schemas: Record<string, JSONSchema> }
  }
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path.slice('/api'.length)}`, shape(operation)] as const,
    ),
  )
  const schema = { ...object(Object.fromEntries(operations)), definitions: document.components.schemas }
  return compile(closed(schema) as JSONSchema, 'Operations', {
    additionalProperties: false,
    bannerComment: '/** Generated from the OpenAPI document: see docs/page.md. Not to be edited. */',
    ignoreMinAndMaxItems: true,
    style: { semi: false, singleQuote: true, printWidth: 120 },
  })
}

function shape({ parameters, requestBody, responses }: Operation): JSONSchema {
  const [success] = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, response]) => response.content?.['application/json']?.schema)
  const body = requestBody?.content['application/json']?.schema
  const of = (where: 'path' | 'query') => {
    const some = parameters.filter((one) => one.in === where)
    return {
      ...object(
        Object.fromEntries(
          some.map(({ name, schema, description }) => [
            name,
            { ...schema, ...(description === undefined ? {} : { description }) },
          ]),
        ),
      ),
      required: some.filter((one) => one.required).map(({ name }) => name),
    }
  }
  return object({
    path: of('path'),
    query: of('query'),
    ...(body ? { body } : {}),
    ...(success ? { answer: success } : {}),
  })
}

function object(properties: Record<string, JSONSchema>): JSONSchema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}

/** Shared schemas where the compiler looks for them; titles would become interfaces of their own. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => !((key === 'title' || key === '$id') && typeof value === 'string'))
      .map(([key, value]) => [
        key,
        key === '$ref' && typeof value === 'string'
          ? value.replace('#/components/schemas/', '#/definitions/')
          : closed(value),
      ]),
  )
}
