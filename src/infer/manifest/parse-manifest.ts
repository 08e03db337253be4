import { parseText, problemsOf } from './parse.ts'
import type { PipelineManifest } from './pipeline.ts'
import { findBrokenReferences } from './references.ts'
import { pipelineSchema, tables } from './tables.ts'

/**
 * Reads the text of a pipeline.yaml: what its schema says first, then what its entries refer to.
 * @returns the manifest, or its problems, each beginning with `line:column: `, in the order of the file
 */
export function parseManifest(text: string): { manifest: PipelineManifest | null; problems: string[] } {
  const { data, where, problems: syntax } = parseText(text)
  if (syntax.length > 0) return { manifest: null, problems: syntax }
  const version = (data as { schema?: unknown } | null)?.schema
  if (version === 1)
    return {
      manifest: null,
      problems: [
        `${where(['schema'])}: schema: 1 is the schema of earlier versions: 2 is expected, see docs/pipelines.md`,
      ],
    }
  const parsed = pipelineSchema.safeParse(data)
  const problems = parsed.success
    ? findBrokenReferences(parsed.data, tables)
    : problemsOf(parsed.error, pipelineSchema, data)
  if (parsed.success && problems.length === 0) return { manifest: parsed.data, problems: [] }
  const described = problems.map(({ path, message, ofKey }) => {
    const at = path.length > 0 ? `${path.join('.')}: ` : ''
    return { place: where(path, ofKey), text: `${at}${message}` }
  })
  const order = (place: string): number => {
    const [line = 0, column = 0] = place.split(':').map(Number)
    return line * 10_000 + column
  }
  return {
    manifest: null,
    problems: described
      .sort((a, b) => order(a.place) - order(b.place))
      .map(({ place, text: words }) => `${place}: ${words}`),
  }
}
