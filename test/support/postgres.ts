import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A PostgreSQL cluster of its own, on a loopback port. */
export interface PostgresCluster {
  url: string
  dispose(): void
}

/** The folder of PostgreSQL's programs, or null where it is not installed. */
export function postgresPrograms(): string | null {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  for (const version of versions)
    if (existsSync(path.join(debian, version, 'bin', 'initdb'))) return path.join(debian, version, 'bin')
  const found = spawnSync('sh', ['-c', 'command -v initdb'], { encoding: 'utf8' })
  return found.status === 0 ? path.dirname(found.stdout.trim()) : null
}

/** Makes a cluster and starts it. PostgreSQL refuses to run as root: then it runs as the user `postgres`. */
export async function startPostgres(programs: string): Promise<PostgresCluster> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-postgres-'))
  const root = process.getuid?.() === 0
  if (root) {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
    chownSync(folder, id('-u'), id('-g'))
  }
  const run = (program: string, ...args: string[]) => {
    const command = [path.join(programs, program), ...args]
    const [first, ...rest] = root ? ['runuser', '-u', 'postgres', '--', ...command] : command
    execFileSync(first as string, rest, { cwd: folder, stdio: 'pipe' })
  }
  const data = path.join(folder, 'data')
  const port = await freePort()
  // Another collation than SQLite's, so that nothing may depend on how a database orders text.
  run('initdb', '-D', data, '-U', 'hilum', '--auth=trust', '-E', 'UTF8', '--no-sync')
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c fsync=off`
  run('pg_ctl', '-D', data, '-o', options, '-l', path.join(folder, 'log'), '-w', 'start')
  return {
    url: `postgres://hilum@127.0.0.1:${port}/postgres`,
    dispose() {
      run('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}
