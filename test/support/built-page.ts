import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { repository } from './data.ts'

/** Builds the administrator's page where it is missing or stale; a second or two then, and nothing otherwise. */
export function setup(): void {
  try {
    execFileSync(process.execPath, ['src/setup.mjs', '--page'], { cwd: repository, stdio: 'inherit' })
  } catch (error) {
    // While somebody works on the page, tests of other parts go on with the last one that could be built.
    if (process.env.CI === 'true' || !existsSync(path.join(repository, 'dist/admin/ui/index.html'))) throw error
    console.warn('the administrator’s page could not be built: the tests get the last one')
  }
}
