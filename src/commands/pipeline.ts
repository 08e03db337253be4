import { loadPipelines } from '../infer/load-pipelines.ts'
import { configOf, print, readArguments, UsageError } from './arguments.ts'

const usage = `hilum pipeline list|check [--config FILE]

  list    the pipelines in pipelines.folder: name, version, digest
  check   report every problem of every pipeline

  --config FILE   the configuration file (default: config/hilum.yaml)`

/** `hilum pipeline`: see its usage. */
export async function run(args: string[]): Promise<number> {
  const parsed = readArguments(args, usage, {})
  if (!parsed) return 0
  const [what, ...more] = parsed.positionals
  if ((what !== 'list' && what !== 'check') || more.length > 0) throw new UsageError('pipeline: list or check', usage)
  const { folder } = configOf(parsed.values).pipelines
  const { pipelines, problems } = await loadPipelines(folder)
  if (what === 'list') {
    for (const { name, version, digest } of pipelines) print(`${name}  ${version}  ${digest}`)
  }
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  if (what === 'check' && problems.length === 0)
    print(`${pipelines.length} ${pipelines.length === 1 ? 'pipeline' : 'pipelines'} in ${folder}: no problem`)
  return problems.length === 0 ? 0 : 1
}
