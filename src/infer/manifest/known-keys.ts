import * as z from 'zod'
import type { Path } from './value-graph.ts'

/**
 * The keys that a schema knows at a place, of every branch that the data may have meant: what an unknown key is compared with.
 * @param data what was checked; it decides between the branches of a union
 */
export function knownKeys(schema: z.ZodType, path: Path, data: unknown): string[] {
  let schemas = branches(schema, data)
  let found = data
  for (const key of path) {
    found = typeof found === 'object' && found !== null ? (found as Record<PropertyKey, unknown>)[key] : undefined
    schemas = schemas.flatMap((at) => branches(member(at, key), found))
  }
  const keys = schemas.flatMap((at) => (at instanceof z.ZodObject ? Object.keys(at.shape) : []))
  return [...new Set(keys)]
}

function member(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[String(key)] as z.ZodType | undefined
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType
  if (schema instanceof z.ZodTuple) return schema.def.items[Number(key)] as z.ZodType | undefined
  return undefined
}

/** A schema without its wrappers; a union as those of its branches whose literals are those of the data. */
function branches(schema: z.ZodType | undefined, data: unknown): z.ZodType[] {
  if (schema === undefined) return []
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodPrefault
  )
    return branches(schema.unwrap() as z.ZodType, data)
  if (schema instanceof z.ZodPipe) return branches(schema.in as z.ZodType, data)
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => branches(option as z.ZodType, data))
  if (schema instanceof z.ZodObject && !literalsFit(schema, data)) return []
  return [schema]
}

function literalsFit(schema: z.ZodObject, data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return true
  return Object.entries(schema.shape).every(([key, field]) => {
    const value = (data as Record<string, unknown>)[key]
    return !(field instanceof z.ZodLiteral) || value === undefined || field.values.has(value as z.core.util.Literal)
  })
}
