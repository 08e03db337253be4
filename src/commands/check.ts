import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { permissionsText } from '../admin/permissions-text.ts'
import { type Config, packageRoot } from '../config.ts'
import { ConfigError, describeProblem } from '../config-error.ts'
import { jsonSchemas } from '../config-json-schema.ts'
import { loadPipelines, type Pipeline } from '../infer/load-pipelines.ts'
import { PipelineVersions } from '../infer/pipeline-versions.ts'
import { type KnownPipeline, unknownReferences } from '../route/unknown-references.ts'
import { configOf, print, readArguments } from './arguments.ts'

const usage = `hilum check [--config FILE]

Reads the configuration, its routes and the pipelines as start does, and reports every problem at once.
  --config FILE     the configuration file (default: config/hilum.yaml)
  --write-schemas   write the JSON Schemas for editors to config/, and docs/permissions.md, from the code

Exit code 0 when everything is in order, 1 when not.`

/** `hilum check`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, { 'write-schemas': { type: 'boolean' } })
  if (!parsed) return 0
  if (parsed.values['write-schemas']) return writeSchemas()
  const problems: string[] = []
  const config = configOrProblems(parsed.values, problems)
  const pipelines = config ? await pipelinesOrProblems(config.pipelines.folder, problems) : []
  if (config) problems.push(...routeProblems(config, pipelines))
  if (problems.length > 0) {
    process.stderr.write(`${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.join('\n')}\n`)
    return 1
  }
  const counts = [
    counted(config?.routes.length ?? 0, 'route'),
    counted(pipelines.length, 'pipeline'),
    counted(Object.keys(config?.destinations ?? {}).length, 'destination'),
  ]
  print(`The configuration is in order: ${counts.join(', ')}.`)
  return 0
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}

function configOrProblems(values: { config?: string | undefined }, problems: string[]): Config | null {
  try {
    return configOf(values)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems.map(describeProblem))
    return null
  }
}

async function pipelinesOrProblems(folder: string, problems: string[]): Promise<Pipeline[]> {
  const loaded = await loadPipelines(folder)
  problems.push(...loaded.problems.map((problem) => `  pipelines: ${problem}`))
  for (const sentence of loaded.incomplete) print(sentence)
  return loaded.pipelines
}

function routeProblems(config: Config, pipelines: readonly Pipeline[]): string[] {
  const known = { destinations: Object.keys(config.destinations), pipelines: knownPipelines(pipelines) }
  return config.routes.flatMap((route, i) =>
    unknownReferences(route, known).map((problem) => `  routes.${i}.${problem.path}: ${problem.expectation}`),
  )
}

/** Pipelines in every way that routes may write them: name, version, digest. */
export function knownPipelines(pipelines: readonly Pipeline[]): KnownPipeline[] {
  return [...new PipelineVersions(pipelines).entries()].map(([name, { inputs, outputs }]) => ({
    name,
    inputs,
    outputs,
  }))
}

async function writeSchemas(): Promise<number> {
  for (const [name, text] of Object.entries(jsonSchemas())) {
    const file = path.join(packageRoot, 'config', name)
    await writeFile(file, text)
    print(`written: ${path.relative(process.cwd(), file)}`)
  }
  const page = path.join(packageRoot, 'docs', 'permissions.md')
  await writeFile(page, permissionsText())
  print(`written: ${path.relative(process.cwd(), page)}`)
  return 0
}
