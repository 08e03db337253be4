import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { messageOf } from '../errors.ts'
import { suggestion } from '../nearest-name.ts'
import { digestOf, sha256Of, sha256OfFile } from './manifest/digest.ts'
import { parseText } from './manifest/parse.ts'
import { parseManifest } from './manifest/parse-manifest.ts'
import type { Pipeline, PipelineManifest } from './manifest/pipeline.ts'
import { filesOf } from './runtime/options.ts'

export type { Pipeline }
export { parseManifest }

/** The file that makes a folder a pipeline. */
export const manifestFile = 'pipeline.yaml'

/** What was found in a folder of pipelines. */
export interface LoadedPipelines {
  /** Those that can run. */
  pipelines: Pipeline[]
  /** Every fault of the others, with file, line and column. */
  problems: string[]
  /** Those without fault that cannot run before somebody supplies a file: a sentence each. */
  incomplete: string[]
}

/** Loads every pipeline of a folder: each of its folders, which has a pipeline.yaml. A name may come in several versions. */
export async function loadPipelines(folder: string): Promise<LoadedPipelines> {
  const pipelines: Pipeline[] = []
  const problems: string[] = []
  const incomplete: string[] = []
  let entries: string[]
  try {
    entries = (await readdir(folder, { withFileTypes: true }))
      // One that is being installed has a dot before its name.
      .filter((e) => e.isDirectory() && !e.name.startsWith('.'))
      .map((e) => e.name)
  } catch (error) {
    return {
      pipelines,
      incomplete,
      problems: [`${folder}: the folder of the pipelines cannot be read: ${messageOf(error)}`],
    }
  }
  for (const entry of entries.sort()) {
    const loaded = await loadPipeline(path.join(folder, entry))
    problems.push(...loaded.problems)
    incomplete.push(...loaded.incomplete)
    if (!loaded.pipeline) continue
    const { name, version } = loaded.pipeline
    const same = pipelines.find((p) => p.name === name && p.version === version)
    if (same) problems.push(`${path.join(folder, entry)}: version ${version} of ${name} is already in ${same.folder}`)
    else pipelines.push(loaded.pipeline)
  }
  return { pipelines, problems, incomplete }
}

/**
 * Loads one pipeline folder: its manifest, and the digests of the files that it names.
 * @param manifestName another name of the manifest, while one is being written
 */
export async function loadPipeline(
  folder: string,
  manifestName: string = manifestFile,
): Promise<{ pipeline: Pipeline | null; problems: string[]; incomplete: string[] }> {
  const file = path.join(folder, manifestName)
  const none = (...problems: string[]) => ({ pipeline: null, problems, incomplete: [] })
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    return none(`${file}: cannot be read: ${messageOf(error)}`)
  }
  const { manifest, problems } = parseManifest(text)
  if (!manifest) return none(...problems.map((problem) => `${file}:${problem}`))
  const files = await checkedFiles(folder, manifest, (name) => `${file}:${placeOfName(text, name)}`)
  if (files.problems.length > 0) return none(...files.problems)
  if (files.incomplete.length > 0) return { pipeline: null, problems: [], incomplete: files.incomplete }
  const digest = digestOf([[manifestFile, sha256Of(text)], ...files.digests])
  return { pipeline: { ...manifest, folder: path.resolve(folder), digest }, problems: [], incomplete: [] }
}

/** Where the entry of a model that names a file stands: `line:column: infer.0.model`. */
function placeOfName(text: string, name: string): string {
  const { data, where } = parseText(text)
  const { infer = [] } = data as { infer?: { model: unknown }[] }
  for (const [index, { model }] of infer.entries())
    for (const [at, one] of [model].flat().entries()) {
      if (!JSON.stringify(one).includes(JSON.stringify(name))) continue
      const entry = ['infer', index, 'model', ...(Array.isArray(model) ? [at] : [])]
      return `${where(entry)}: ${entry.join('.')}`
    }
  return `${where(['infer'])}: infer`
}

/**
 * The digest of each file that models are made of, held against what the manifest says.
 * @param placeOf where the manifest names a file
 */
async function checkedFiles(
  folder: string,
  { name: pipeline, infer, supplied }: PipelineManifest,
  placeOf: (name: string) => string,
): Promise<{ digests: [string, string][]; problems: string[]; incomplete: string[] }> {
  const expected = new Map(infer.flatMap(({ model }) => model.flatMap((one) => Object.entries(filesOf(one)))))
  const digests: [string, string][] = []
  const problems: string[] = []
  const incomplete: string[] = []
  for (const [name, sha256] of expected) {
    const file = path.resolve(folder, name)
    try {
      const found = await sha256OfFile(file)
      if (found !== sha256) problems.push(`${placeOf(name)}: ${file}: SHA-256 is ${found}, ${sha256} is expected here`)
      digests.push([name, found])
    } catch (error) {
      const from = supplied[name]
      if (from !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT')
        incomplete.push(`${pipeline} cannot be used before ${file} is there: it comes from ${from}`)
      else problems.push(`${placeOf(name)}: ${file}: the file cannot be read${await missing(folder, name, error)}`)
    }
  }
  return { digests, problems, incomplete }
}

/** Why a file cannot be read; of one that is not there, which of the others may be meant. */
async function missing(folder: string, name: string, error: unknown): Promise<string> {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return `: ${messageOf(error)}`
  return `: there is none${suggestion(name, await readdir(folder))}`
}
