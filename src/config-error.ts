import { HilumError } from './errors.ts'

/** One thing wrong with the configuration. */
export interface ConfigProblem {
  /** `dimse.port`, `routes.0.inputs.ct.where`, or the environment variable that is unknown. */
  path: string
  /** What stands there, as JSON; `(hidden)` for secrets; absent where nothing stands there. */
  value?: string
  expectation: string
  /** The environment variable that gave the value. */
  source?: string
  /** Line in the configuration file, counted from 1. */
  line?: number
}

/** The configuration cannot be used; every problem at once. */
export class ConfigError extends HilumError<'invalid-config' | 'no-config'> {
  readonly problems: readonly ConfigProblem[]

  constructor(file: string | null, problems: readonly ConfigProblem[]) {
    const number = `${problems.length} problem${problems.length === 1 ? '' : 's'}`
    const message = `${number} in the configuration${file === null ? '' : ` (${file})`}:\n${problems.map(describeProblem).join('\n')}`
    super('invalid-config', message, { detail: { file } })
    this.problems = problems
  }
}

/** One problem as text: where, what stands there, what is expected. */
export function describeProblem(problem: ConfigProblem): string {
  const where = [problem.source, problem.line === undefined ? undefined : `line ${problem.line}`].filter(
    (w) => w !== undefined,
  )
  const subject = `${problem.path}${where.length > 0 ? `${problem.path === '' ? '' : ' '}(${where.join(', ')})` : ''}`
  const value = problem.value === undefined ? '' : ` ${problem.value}:`
  return `  ${subject}:${value} ${problem.expectation.replaceAll('\n', '\n    ')}`
}
