/**
 * C-STORE ingest, side by side: this node, dcmtk's storescp and Orthanc, in turn, on the same data, from the same sender (storescu).
 *
 *   npm run bench -- [--runs 3] [--slices 300] [--size 512]
 *
 * The node runs as a user would run it: every instance synced and indexed. storescp keeps no index and syncs nothing; Orthanc has its
 * defaults. Prints medians and the ratios; there is nothing to pass or fail.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  },
})
const root = fileURLToPath(new URL('../..', import.meta.url))
const work = mkdtempSync(path.join(tmpdir(), 'hilum-bench-'))
const dimse = 21_790
const http = 21_791
const receivers = { node: 'this node', storescp: 'storescp', orthanc: 'Orthanc' }

function commandOf(name, folder) {
  if (name === 'storescp') return ['storescp', ['--max-pdu', '131072', '-od', folder, String(dimse)], {}]
  if (name === 'orthanc') {
    const settings = path.join(folder, 'orthanc.json')
    const common = { StorageDirectory: folder, IndexDirectory: folder, DicomPort: dimse, HttpPort: http, Plugins: [] }
    writeFileSync(
      settings,
      JSON.stringify({ Name: 'B', ...common, AuthenticationEnabled: false, RemoteAccessAllowed: false }),
    )
    return ['Orthanc', [settings], {}]
  }
  const env = {
    HILUM_DATADIR: folder,
    HILUM_DIMSE_HOST: '127.0.0.1',
    HILUM_DIMSE_PORT: String(dimse),
    HILUM_HTTP_PORT: String(http),
  }
  return [process.execPath, [path.join(root, 'dist', 'main.js'), 'start'], env]
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

/** Kibibytes of the peak resident memory of a process and its children. */
function peakOf(pid) {
  const children = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
  const own = existsSync(`/proc/${pid}/status`)
    ? Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
    : 0
  return own + children.reduce((sum, child) => sum + peakOf(Number(child)), 0)
}

async function measure(name, folders) {
  const folder = path.join(work, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const [program, args, env] = commandOf(name, folder)
  // dcmtk and what is built on it would wait for delayed acknowledgements without this, and nobody compares that.
  const receiver = spawn(program, args, { env: { ...process.env, TCP_NODELAY: '1', ...env }, stdio: 'ignore' })
  try {
    await listening()
    await sleep(1000)
    const begun = performance.now()
    const senders = folders.map((from) =>
      spawn('storescu', ['--max-pdu', '131072', '-aec', 'HILUM', '127.0.0.1', String(dimse), '+sd', from], {
        env: { ...process.env, TCP_NODELAY: '1' },
        stdio: 'ignore',
      }),
    )
    const codes = await Promise.all(senders.map(async (sender) => (await once(sender, 'exit'))[0]))
    if (codes.some((code) => code !== 0)) throw new Error(`storescu failed against ${name}`)
    const seconds = (performance.now() - begun) / 1000
    return {
      rate: folders.reduce((n, from) => n + readdirSync(from).length, 0) / seconds,
      peak: peakOf(receiver.pid) / 1024,
    }
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
  const rates = Object.fromEntries(names.map((name) => [name, median(found[name].map((r) => r.rate))]))
  for (const name of names) {
    const ratio = name === 'node' ? '' : `node/${name} ${(rates.node / rates[name]).toFixed(2)}`
    const peak = median(found[name].map((r) => r.peak))
    console.log(
      `${scenario.padEnd(18)}${receivers[name].padEnd(12)}${rates[name].toFixed(0).padStart(7)}/s ${peak.toFixed(0).padStart(6)} MiB   ${ratio}`,
    )
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
  await compare(
    'four associations',
    [0, 1, 2, 3].map((i) => path.join(work, `part${i}`)),
    names,
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}
