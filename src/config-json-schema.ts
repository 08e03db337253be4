import { z } from 'zod'
import { configSchema } from './config-schema.ts'
import { pipelineSchema } from './infer/manifest/tables.ts'
import { routeDefinitionSchema } from './route/route-definition.ts'

/**
 * JSON Schemas for editors, by file name in `config/`: generated from what the program checks with. Draft 7, which
 * the YAML language server reads.
 */
export function jsonSchemas(): Record<string, string> {
  return {
    'hilum.schema.json': asText(configSchema({})),
    'route.schema.json': asText(routeDefinitionSchema),
    // The steps' options stand in many places: they are written once.
    'pipeline.schema.json': asText(pipelineSchema, 'ref'),
  }
}

function asText(schema: z.ZodType, reused: 'inline' | 'ref' = 'inline'): string {
  return `${JSON.stringify(z.toJSONSchema(schema, { io: 'input', target: 'draft-7', reused }), null, 2)}\n`
}
