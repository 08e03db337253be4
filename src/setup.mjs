/**
 * Set-up for `npm start`, `npm run demo` and `npm test`: does only what is needed, so that the commands work on a fresh machine.
 *
 *   (no flag)   install the packages when package-lock.json has changed since the last time
 *   --build     … then compile src/ to dist/, with the administrator's page
 *   --page      builds the administrator's page alone, when its sources have changed since the last time
 *   --viewer    … then fetch OHIF, the viewer, once
 *
 * Plain JavaScript without imports of ours: it runs before anything is installed.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const at = (...parts) => path.join(root, ...parts)
const flags = new Set(process.argv.slice(2))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** The built viewer: `dist/` of this package; the rest of the tarball and its dependencies are not needed. */
const OHIF = {
  version: '3.13.2',
  integrity: 'sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==',
}

const say = (text) => process.stderr.write(`${text}\n`)

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  say(`Hilum needs Node.js 20.19 or later; this is ${process.versions.node}.`)
  process.exit(1)
}

/** ONNX Runtime's GPU libraries come from a download that a hospital's network often refuses: it is asked for, never assumed. */
function installEnvironment() {
  return { ONNXRUNTIME_NODE_INSTALL: 'skip', ...process.env }
}

function install() {
  const stamp = at('node_modules', '.hilum-lock')
  const wanted = createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .update(process.versions.modules)
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  say('Installing packages (the database driver is compiled here: a minute or two) …')
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: installEnvironment() }
  const quietly = ['--no-fund', '--no-audit', '--loglevel=error', '--include=dev']
  if (spawnSync(npm, ['ci', ...quietly], options).status !== 0) {
    // A registry mirror may lack packages of other platforms, which the lock names: they are optional, and this form does without.
    say('`npm ci` did not succeed; trying `npm install` …')
    execFileSync(npm, ['install', '--no-save', ...quietly], options)
  }
  if (spawnSync(process.execPath, ['-e', "new (require('better-sqlite3'))(':memory:')"], { cwd: root }).status !== 0) {
    execFileSync(npm, ['rebuild', 'better-sqlite3', '--loglevel=error'], options)
  }
  writeFileSync(stamp, wanted)
}

function build() {
  const compiler = at('node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  buildPage()
}

/** Every file that the page is made of, below the repository, in a fixed order. */
function pageSources() {
  const below = (folder) =>
    readdirSync(at(folder), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? below(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
    )
  return [
    ...below('src/admin/ui'),
    ...below('src/route/conditions'),
    'src/admin/permissions.ts',
    'tsconfig.json',
    'package-lock.json',
  ].toSorted((a, b) => (a < b ? -1 : 1))
}

/** Vite's part: `src/admin/ui` into `dist/admin/ui`. Its digest stands beside it, so that an unchanged page is not built again. */
function buildPage() {
  const target = at('dist', 'admin', 'ui')
  const stamp = path.join(target, '.sources')
  const hash = createHash('sha256')
  for (const file of pageSources()) hash.update(file).update(readFileSync(at(file)))
  const wanted = hash.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const vite = at('node_modules', 'vite', 'bin', 'vite.js')
  // Beside its place, then moved: a node that runs from there, or a second build, never sees half a page.
  const built = `${target}.${process.pid}`
  const options = ['build', '--config', 'src/admin/ui/vite.config.ts', '--outDir', built, '--logLevel', 'warn']
  // Tests run this too, with an environment of their own: React for development is half as large again, and slow.
  const env = { ...process.env, NODE_ENV: 'production' }
  execFileSync(process.execPath, [vite, ...options], { cwd: root, stdio: 'inherit', env })
  writeFileSync(path.join(built, '.sources'), wanted)
  rmSync(target, { recursive: true, force: true })
  renameSync(built, target)
}

async function fetchViewer() {
  const target = at('dist', 'ohif')
  if (existsSync(path.join(target, 'index.html'))) return
  say(`Fetching OHIF ${OHIF.version}, the viewer (50 MB, once) …`)
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-ohif-'))
  try {
    execFileSync(npm, ['pack', `@ohif/app@${OHIF.version}`, '--pack-destination', folder, '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 600_000,
    })
    const tarball = path.join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '')
    const found = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    if (found !== OHIF.integrity) throw new Error(`the tarball's integrity is ${found}, expected ${OHIF.integrity}`)
    const tar = await import('tar')
    const inside = 'package/dist/'
    tar.x({ file: tarball, cwd: folder, sync: true, filter: (name) => name.startsWith(inside) })
    mkdirSync(path.dirname(target), { recursive: true })
    rmSync(target, { recursive: true, force: true })
    moveFolder(path.join(folder, inside), target)
  } catch (error) {
    say(
      `The viewer could not be fetched (${error.message}). Hilum runs without it; \`npm run setup -- --viewer\` adds it later.`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Renames where it can; copies between file systems, through a temporary name, so that a half-copied viewer is never served. */
function moveFolder(from, to) {
  try {
    renameSync(from, to)
  } catch (error) {
    if (error.code !== 'EXDEV') throw error
    cpSync(from, `${to}.part`, { recursive: true })
    renameSync(`${to}.part`, to)
  }
}

requireNode()
if (flags.has('--page')) buildPage()
else {
  install()
  if (flags.has('--build')) build()
  if (flags.has('--viewer')) await fetchViewer()
}
