import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { messageOf } from '../errors.ts'
import { type Pipeline, type PipelineManifest, pipelineSchema } from './manifest.ts'

export type { Pipeline }

const manifestFile = 'pipeline.yaml'

/**
 * Loads every pipeline of a folder: each of its folders that has a pipeline.yaml.
 * @returns the pipelines without fault, by name, and every fault of the others with file, line and column
 */
export async function loadPipelines(folder: string): Promise<{ pipelines: Pipeline[]; problems: string[] }> {
  const pipelines: Pipeline[] = []
  const problems: string[] = []
  let entries: string[]
  try {
    entries = (await readdir(folder, { withFileTypes: true })).filter((e) => e.isDirectory()).map((e) => e.name)
  } catch (error) {
    return { pipelines, problems: [`${folder}: the folder of the pipelines cannot be read: ${messageOf(error)}`] }
  }
  for (const entry of entries.sort()) {
    const loaded = await loadPipeline(path.join(folder, entry))
    problems.push(...loaded.problems)
    if (!loaded.pipeline) continue
    const same = pipelines.find((p) => p.name === loaded.pipeline?.name)
    if (same) problems.push(`${path.join(folder, entry)}: the name ${same.name} is already taken by ${same.folder}`)
    else pipelines.push(loaded.pipeline)
  }
  return { pipelines, problems }
}

/** Loads one pipeline folder. */
export async function loadPipeline(folder: string): Promise<{ pipeline: Pipeline | null; problems: string[] }> {
  const file = path.join(folder, manifestFile)
  const none = (...problems: string[]) => ({ pipeline: null, problems })
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    return none(`${file}: cannot be read: ${messageOf(error)}`)
  }
  const { manifest, problems } = parseManifest(text)
  if (!manifest) return none(...problems.map((problem) => `${file}:${problem}`))
  const modelFile = path.resolve(folder, manifest.model.file)
  let model: string
  try {
    model = sha256(await readFile(modelFile))
  } catch (error) {
    return none(`${modelFile}: the model cannot be read: ${messageOf(error)}`)
  }
  if (model !== manifest.model.sha256)
    return none(`${modelFile}: SHA-256 is ${model}, ${manifest.model.sha256} is expected by ${manifestFile}`)
  const digest = digestOf([
    [manifestFile, sha256(text)],
    [manifest.model.file, model],
  ])
  return { pipeline: { ...manifest, folder: path.resolve(folder), modelFile, digest }, problems: [] }
}

/**
 * Reads the text of a pipeline.yaml.
 * @returns the manifest, or its problems, each beginning with `line:column: `
 */
export function parseManifest(text: string): { manifest: PipelineManifest | null; problems: string[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const where = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${line}:${col}`
  }
  if (document.errors.length > 0)
    return { manifest: null, problems: document.errors.map((e) => `${where(e.pos[0])}: ${e.message}`) }
  const parsed = pipelineSchema.safeParse(document.toJS())
  if (parsed.success) return { manifest: parsed.data, problems: [] }
  const problems = parsed.error.issues.map((issue) => {
    const at = issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''
    return `${where(offsetOf(document, issue.path))}: ${at}${issue.message}`
  })
  return { manifest: null, problems }
}

/** Where a path stands in the text; where it is missing, where its parent stands. */
function offsetOf(document: Document, keys: readonly PropertyKey[]): number {
  for (let length = keys.length; length > 0; length--) {
    const node = document.getIn(keys.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

function digestOf(files: [name: string, sha256: string][]): string {
  const lines = files.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, digest]) => `${name} ${digest}\n`)
  return `sha256:${sha256(lines.join(''))}`
}
