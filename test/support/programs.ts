import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { repository } from './data.ts'

/**
 * Says whether tests that need outside programs or files can run. Where something is missing the test is skipped with the reason printed;
 * with `CI=true` a missing peer is a failure, so that nothing is skipped silently.
 * @param needs program names, or absolute paths
 */
export function available(...needs: (string | null)[]): boolean {
  const missing = needs.filter((need) => need === null || !isThere(need))
  if (missing.length === 0) return true
  const sentence = `needs ${needs.map((need) => need ?? 'a data set beside the repository').join(', ')}; missing: ${missing.map((m) => m ?? 'data set').join(', ')}`
  // The public data sets lie outside the repository: their absence alone is never a failure.
  if (process.env.CI === 'true' && missing.some((need) => need !== null && !need.includes('shared')))
    throw new Error(sentence)
  console.warn(`skipped: ${sentence}`)
  return false
}

function isThere(need: string): boolean {
  if (path.isAbsolute(need)) return existsSync(need)
  return spawnSync('sh', ['-c', `command -v ${need}`], { stdio: 'ignore' }).status === 0
}

/** A file of the acceptance tools beside the repository (validators, viewer check), as an absolute path; it may be absent. */
export function acceptanceTool(name: string): string {
  return path.join(repository, '..', 'shared', 'accept', name)
}

/** The page of the viewer, where set-up has fetched it. */
export const viewerFiles = path.join(repository, 'dist', 'ohif', 'index.html')

/** ms after which a program is ended. */
const longestRun = 10 * 60_000

/** Runs a program to its end. Debian's Python is the one that has pydicom, whatever else is on the path. */
export function runProgram(
  command: string,
  args: string[],
  options: { env?: Record<string, string>; cwd?: string; timeoutMs?: number } = {},
) {
  const program = command === 'python3' ? '/usr/bin/python3' : command
  const done = spawnSync(program, args, {
    encoding: 'utf8',
    cwd: options.cwd ?? repository,
    env: { ...process.env, ...options.env },
    maxBuffer: 256 * 1024 * 1024,
    timeout: options.timeoutMs ?? longestRun,
    killSignal: 'SIGKILL',
  })
  return { code: done.status, output: `${done.stdout ?? ''}${done.stderr ?? ''}`, stdout: done.stdout ?? '' }
}
