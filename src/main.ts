#!/usr/bin/env node
import { type Command, print, UsageError } from './commands/arguments.ts'
import { keepYoungHeapSmall } from './commands/small-young-heap.ts'
import { HilumError, messageOf } from './errors.ts'

/** The commands are loaded when they are asked for: help must not wait for a database driver. */
const commands: Record<string, { summary: string; load: () => Promise<Command> }> = {
  start: { summary: 'start the node', load: () => import('./commands/start.ts') },
  check: {
    summary: 'check configuration, routes and pipelines; every problem at once',
    load: () => import('./commands/check.ts'),
  },
  migrate: {
    summary: 'bring the database to the version of this program',
    load: () => import('./commands/migrate.ts'),
  },
  send: { summary: 'send DICOM files by C-STORE', load: () => import('./commands/send.ts') },
  fetch: { summary: 'have earlier studies sent here from an archive', load: () => import('./commands/fetch.ts') },
  study: { summary: 'what happened to a study, and why', load: () => import('./commands/study.ts') },
  quarantine: {
    summary: 'what could not be kept, and why: list, download, reingest, discard',
    load: () => import('./commands/quarantine.ts'),
  },
  route: { summary: 'list, check, try or apply the routes', load: () => import('./commands/route.ts') },
  queue: {
    summary: 'jobs that wait, run and have failed: list, failures, retry, cancel, priority, pause, resume',
    load: () => import('./commands/queue.ts'),
  },
  destination: {
    summary: 'where results go: list, add, change, remove, test',
    load: () => import('./commands/destination.ts'),
  },
  pipeline: {
    summary: 'list, check, show, run, import, install or compare pipelines; export feedback',
    load: () => {
      keepYoungHeapSmall()
      return import('./commands/pipeline.ts')
    },
  },
  evaluate: {
    summary: 'run a pipeline on cases whose truth is known, and report how well it does',
    load: () => import('./commands/evaluate.ts'),
  },
  remote: {
    summary: 'list, add, remove, try or admit the applications that may call',
    load: () => import('./commands/remote.ts'),
  },
  user: {
    summary: 'the users: list, add, role, reset, disable, enable, remove',
    load: () => import('./commands/user.ts'),
  },
  token: { summary: 'tokens for programs: list, add, revoke', load: () => import('./commands/token.ts') },
  audit: { summary: 'who did what: list, verify, export', load: () => import('./commands/audit.ts') },
  insights: {
    summary: 'what the AI found, over many studies: rebuild, drift, export',
    load: () => import('./commands/insights.ts'),
  },
  retention: {
    summary: 'what retention rules would delete, and why not the others; or run them',
    load: () => import('./commands/retention.ts'),
  },
  notify: {
    summary: 'who is told of what: list, messages, test, retry',
    load: () => import('./commands/notify.ts'),
  },
  schedule: { summary: 'what runs by schedule: list, runs, run', load: () => import('./commands/schedule.ts') },
  demo: {
    summary: 'start a throw-away node, send it a study, show what was found',
    load: () => import('./commands/demo.ts'),
  },
}

const notInThisVersion = ['backup', 'restore']

function usage(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`)
  return `hilum COMMAND [options]

${lines.join('\n')}

hilum COMMAND --help says more. The configuration is config/hilum.yaml, or --config FILE; every setting is also an
environment variable, as in HILUM_DIMSE_PORT. Exit codes: 0 done, 1 a problem, 2 the command line makes no sense.`
}

/** @returns exit code */
async function main([name, ...args]: string[]): Promise<number> {
  if (name === 'help' && args[0] !== undefined) return main([args[0], '--help'])
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    print(usage())
    return name === undefined ? 2 : 0
  }
  if (notInThisVersion.includes(name)) throw new UsageError(`${name}: not available in this version`, '')
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) throw new UsageError(`${name}: no such command`, usage())
  return (await command.load()).run(args)
}

function report(error: unknown): number {
  if (error instanceof UsageError) {
    const hint = String(error.detail.usage)
    process.stderr.write(`hilum ${error.message}\n${hint === '' ? '' : `\n${hint}\n`}`)
    return 2
  }
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    process.stderr.write(`hilum: ${error.message}\n`)
    return 2
  }
  // What Hilum itself refuses is explained by its message; anything else is a defect, and its stack is worth having.
  const text =
    error instanceof HilumError || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message)
  process.stderr.write(`hilum: ${text}\n`)
  return 1
}

// Whoever reads may have seen enough, as in `hilum study … | head`: the command goes on without a reader.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
// No process.exit(): standard output may be a pipe that has not taken everything yet.
process.exitCode = await main(process.argv.slice(2)).catch(report)
