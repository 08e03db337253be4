/**
 * C-STORE ingest, side by side: this node, the floor (a bare program that receives, writes and syncs the same files one at a time),
 * dcmtk's storescp and Orthanc, in turn, on the same data, from the same sender (storescu).
 *
 *   npm run bench -- [--runs 3] [--slices 300] [--size 512] [--no-sync] [--default-nagle]
 *
 * --size 64 gives small instances (9 KB), 512 those of CT (530 KB). --no-sync switches the syncing of the node and the floor off, and
 * with it the safety against power loss: that is for comparison with storescp, which never syncs. --default-nagle leaves the sender as
 * it is without TCP_NODELAY: it then waits for delayed acknowledgements, which is what receivers differ in.
 *
 * The node runs as a user would run it: every instance synced and indexed. storescp keeps no index and syncs nothing; Orthanc has its
 * defaults; the floor has no index. Prints medians of instances a second, CPU microseconds an instance and peak memory, both of the
 * whole process tree, and the ratios of the rates; there is nothing to pass or fail.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chestPhantom, writePhantom } from '../../dist/demo/phantom.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    slices: { type: 'string', default: '300' },
    size: { type: 'string', default: '512' },
    'no-sync': { type: 'boolean', default: false },
    'default-nagle': { type: 'boolean', default: false },
  },
})
const root = fileURLToPath(new URL('../..', import.meta.url))
const work = mkdtempSync(path.join(tmpdir(), 'hilum-bench-'))
const dimse = 21_790
const http = 21_791
const receivers = { node: 'this node', floor: 'the floor', storescp: 'storescp', orthanc: 'Orthanc' }
/** Ticks of a second in which the kernel counts CPU time. */
const ticks = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100

function commandOf(name, folder) {
  if (name === 'storescp')
    return { program: 'storescp', args: ['--max-pdu', '131072', '-od', folder, String(dimse)], env: {} }
  if (name === 'floor') {
    const program = path.join(root, 'test', 'bench', 'floor.mjs')
    const args = [program, folder, String(dimse), ...(values['no-sync'] ? ['--no-sync'] : [])]
    return { program: process.execPath, args, env: {} }
  }
  if (name === 'orthanc') {
    const settings = path.join(folder, 'orthanc.json')
    const common = { StorageDirectory: folder, IndexDirectory: folder, DicomPort: dimse, HttpPort: http, Plugins: [] }
    writeFileSync(
      settings,
      JSON.stringify({ Name: 'B', ...common, AuthenticationEnabled: false, RemoteAccessAllowed: false }),
    )
    return { program: 'Orthanc', args: [settings], env: {} }
  }
  const env = {
    HILUM_DATADIR: folder,
    HILUM_DIMSE_HOST: '127.0.0.1',
    HILUM_DIMSE_PORT: String(dimse),
    HILUM_HTTP_PORT: String(http),
    HILUM_RECEIVE_SYNC: String(!values['no-sync']),
  }
  return { program: process.execPath, args: [path.join(root, 'dist', 'main.js'), 'start'], env }
}

async function listening() {
  for (let attempt = 0; attempt < 300; attempt++) {
    const socket = connect(dimse, '127.0.0.1')
    const [event] = await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'error').then(() => ['error']),
    ]).catch(() => ['error'])
    socket.destroy()
    if (event === 'connect') return
    await sleep(100)
  }
  throw new Error('the receiver did not listen')
}

/** Peak MiB and CPU seconds of a process and its children. */
function usageOf(pid) {
  const children = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
  const usage = { peak: 0, cpu: 0 }
  try {
    usage.peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
    // Behind the name, which may hold anything: state, then eleven fields, then user and system time.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    usage.cpu = (Number(fields[11]) + Number(fields[12])) / ticks
  } catch {
    // It has ended meanwhile.
  }
  for (const child of children.map((text) => usageOf(Number(text)))) {
    usage.peak += child.peak
    usage.cpu += child.cpu
  }
  return usage
}

function send(from) {
  const { TCP_NODELAY: _, ...plain } = process.env
  return spawn('storescu', ['--max-pdu', '131072', '-aec', 'HILUM', '127.0.0.1', String(dimse), '+sd', from], {
    env: values['default-nagle'] ? plain : { ...plain, TCP_NODELAY: '1' },
    stdio: 'ignore',
  })
}

async function measure(name, folders) {
  const folder = path.join(work, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const { program, args, env } = commandOf(name, folder)
  const receiver = spawn(program, args, { env: { ...process.env, TCP_NODELAY: '1', ...env }, stdio: 'ignore' })
  try {
    await listening()
    await sleep(1000)
    const before = usageOf(receiver.pid)
    const begun = performance.now()
    const codes = await Promise.all(folders.map(async (from) => (await once(send(from), 'exit'))[0]))
    const seconds = (performance.now() - begun) / 1000
    if (codes.some((code) => code !== 0)) throw new Error(`storescu failed against ${name}`)
    const after = usageOf(receiver.pid)
    const instances = folders.reduce((n, from) => n + readdirSync(from).length, 0)
    return { rate: instances / seconds, cpu: ((after.cpu - before.cpu) / instances) * 1e6, peak: after.peak }
  } finally {
    const exited = once(receiver, 'exit')
    receiver.kill('SIGTERM')
    await exited
  }
}

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

async function compare(scenario, folders, names) {
  const found = Object.fromEntries(names.map((name) => [name, []]))
  for (let run = 0; run < Number(values.runs); run++)
    for (const name of names) found[name].push(await measure(name, folders))
  const of = (name, what) => median(found[name].map((r) => r[what]))
  for (const name of names) {
    const ratio = name === 'node' ? '' : `node/${name} ${(of('node', 'rate') / of(name, 'rate')).toFixed(2)}`
    const columns = [
      scenario.padEnd(18),
      receivers[name].padEnd(12),
      `${of(name, 'rate').toFixed(0).padStart(6)}/s`,
      `${of(name, 'cpu').toFixed(0).padStart(7)} us CPU`,
      `${of(name, 'peak').toFixed(0).padStart(5)} MiB`,
    ]
    console.log(`${columns.join(' ')}   ${ratio}`)
  }
}

const names = Object.keys(receivers).filter((name) => {
  const program = { storescp: 'storescp', orthanc: 'Orthanc' }[name]
  const there = !program || spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  if (!there) console.log(`${program} is not installed: left out`)
  return there
})
try {
  const size = Number(values.size)
  const files = await writePhantom(
    path.join(work, 'all'),
    chestPhantom({ slices: Number(values.slices), rows: size, columns: size }),
  )
  files.forEach((file, i) => {
    const part = path.join(work, `part${i % 4}`)
    mkdirSync(part, { recursive: true })
    linkSync(file, path.join(part, path.basename(file)))
  })
  await compare('one association', [path.join(work, 'all')], names)
  const parts = [0, 1, 2, 3].map((i) => path.join(work, `part${i}`))
  // The floor takes one file at a time: with four senders it is no floor.
  await compare(
    'four associations',
    parts,
    names.filter((name) => name !== 'floor'),
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}
