/**
 * A soak: a real node with mixed clients, in turn and at once, for as long as is asked; what is built is what runs.
 *
 *   node test/bench/soak.mjs [--minutes 30] [--rate 1] [--folder DIR]
 *
 * Counts what was acknowledged, samples the memory of each process every ten seconds, and compares the index with what was acknowledged in
 * the end. Exit code 1 when anything was lost, is there twice, was not sent, or has other bytes. `--rate 2` is twice as many requests.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clients, missingPrograms, realFiles } from './soak-clients.mjs'
import { InstanceMaker } from './soak-instances.mjs'
import { measure, processTree, roleOf, slope } from './soak-samples.mjs'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '1' },
    folder: { type: 'string' },
    dist: { type: 'string' },
  },
})
const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = values.dist ?? path.join(root, 'dist')
const work = mkdtempSync(path.join(values.folder ?? tmpdir(), 'hilum-soak-'))
const dataDir = path.join(work, 'data')
const token = 'soak-token'
const sampleMs = 10_000

const load = async (name) => await import(path.join(dist, name))
const { encodeDataSet } = await load('dicom/data-set-writer.js')
const { encodeFileMeta, parseFileMeta } = await load('dicom/part10.js')
const { sendInstances } = await load('dimse/send.js')
const { encodeAssociateRequest } = await load('dimse/association-pdu.js')
const { encodeCommandSet } = await load('dimse/command-set.js')
const { encodeFragment } = await load('dimse/pdu.js')

async function startNode() {
  const config = path.join(work, 'hilum.yaml')
  // No routes: the subject is what receives. Studies complete as they would.
  writeFileSync(config, 'dimse: { host: 127.0.0.1, port: 0 }\nhttp: { port: 0 }\nlog: { level: error }\n')
  mkdirSync(dataDir)
  const child = spawn(process.execPath, [path.join(dist, 'main.js'), 'start', '--config', config], {
    cwd: path.dirname(dist),
    env: { ...process.env, HILUM_DATADIR: dataDir, HILUM_ADMIN_TOKEN: token, HILUM_RECEIVE_MINIMUMFREE: '1048576' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /hilum ready dimse=(\d+) http=(\d+)/.exec(line)
    if (found) return { child, port: Number(found[1]), url: `http://127.0.0.1:${found[2]}` }
  }
  throw new Error('the node ended before it was ready')
}

const ctImage = '1.2.840.10008.5.1.4.1.1.2'
const context = { id: 1, abstractSyntax: ctImage, transferSyntaxes: ['1.2.840.10008.1.2.1'] }

function storePDUs(uid, dataSet) {
  const command = [
    [0x0002, ctImage],
    [0x0100, 1],
    [0x0110, 1],
    [0x0700, 0],
    [0x0800, 1],
    [0x1000, uid],
  ]
  const fragment = { contextID: 1, last: true }
  return Buffer.concat([
    encodeFragment({ ...fragment, command: true, value: encodeCommandSet(command) }),
    encodeFragment({ ...fragment, command: false, value: dataSet }),
  ])
}

const node = await startNode()
// Whatever ends this program ends the node.
process.on('exit', () => {
  node.child.kill('SIGKILL')
  rmSync(work, { recursive: true, force: true })
})
const realFolder = path.join(root, '..', 'shared', 'data', 'ct-chest-nlst')
const readUID = (file) => parseFileMeta(readFileSync(file)).mediaStorageSOPInstanceUID
const soak = {
  ...node,
  token,
  sendInstances,
  storePDUs,
  maker: new InstanceMaker({ encodeDataSet, encodeFileMeta }, work),
  associationRequest: encodeAssociateRequest({
    calledAETitle: 'HILUM',
    callingAETitle: 'BROKEN',
    contexts: [context],
    maxPdu: 16_384,
  }),
  realFolder: existsSync(realFolder) ? realFolder : null,
  realUIDs: existsSync(realFolder) ? realFiles(realFolder, readUID) : [],
}
const missing = missingPrograms((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0)
if (missing.length > 0) console.log(`left out, since they are not installed: ${missing.join(', ')}`)

const acknowledged = new Set()
const maybe = new Set()
const counts = {}
const failures = {}
const began = Date.now()
const end = began + Number(values.minutes) * 60_000
const isLeftOut = (name) =>
  missing.some((program) => name.startsWith(program) || (name === 'odil' && program.endsWith('python3')))

async function repeat(name, { everyMs, run }) {
  const count = (counts[name] = { requests: 0, acknowledged: 0, ms: 0 })
  while (Date.now() < end) {
    const started = Date.now()
    const result = await run(soak).catch((error) => ({
      acknowledged: [],
      maybe: [],
      failed: `${name}: ${error.message}`,
    }))
    if (result === null) return
    count.requests++
    count.ms += Date.now() - started
    count.acknowledged += result.acknowledged.length
    for (const uid of result.acknowledged) acknowledged.add(uid)
    for (const uid of result.maybe) maybe.add(uid)
    if (result.failed) failures[result.failed] = (failures[result.failed] ?? 0) + 1
    await sleep(Math.max(0, Math.min(end - Date.now(), started + everyMs / Number(values.rate) - Date.now())))
  }
}

const samples = new Map()
const worst = { lagMs: 0, echoMs: 0, pending: 0 }

const pendingFiles = () => readdirSync(path.join(dataDir, 'incoming')).length

async function sample() {
  const hours = (Date.now() - began) / 3_600_000
  const found = processTree(node.child.pid).map((pid) => ({ pid, role: roleOf(pid), ...measure(pid) }))
  for (const { pid, role, ...values_ } of found) {
    const key = `${role} (${pid})`
    if (!samples.has(key)) samples.set(key, [])
    samples.get(key).push({ hours, ...values_ })
  }
  const pending = pendingFiles()
  const metrics = await fetch(`${node.url}/metrics`, { headers: { authorization: `Bearer ${token}` } }).then((r) =>
    r.text(),
  )
  const lagMs = Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(metrics)?.[1] ?? 0) * 1000
  const echoStarted = performance.now()
  const peer = { host: '127.0.0.1', port: node.port, callingAETitle: 'WATCH', calledAETitle: 'HILUM' }
  await soak.echo(peer)
  const echoMs = performance.now() - echoStarted
  worst.lagMs = Math.max(worst.lagMs, lagMs)
  worst.echoMs = Math.max(worst.echoMs, echoMs)
  worst.pending = Math.max(worst.pending, pending)
  const memory = found.map(
    ({ role, rss, pss, descriptors }) => `${role} ${rss.toFixed(0)}/${pss.toFixed(0)} MB ${descriptors} fd`,
  )
  console.log(
    `${((Date.now() - began) / 60_000).toFixed(1).padStart(5)} min  ${acknowledged.size} acknowledged  ${pending} pending  lag ${lagMs.toFixed(0)} ms  echo ${echoMs.toFixed(0)} ms  ${memory.join('  ')}`,
  )
}

soak.echo = (await load('dimse/send.js')).echo
const sampler = (async () => {
  while (Date.now() < end) {
    await sample().catch((error) => console.log(`no sample: ${error.message}`))
    await sleep(Math.max(0, Math.min(sampleMs, end - Date.now())))
  }
})()
await Promise.all(
  Object.entries(clients)
    .filter(([name]) => !isLeftOut(name))
    .map(([name, client]) => repeat(name, client)),
)
await sampler

const faults = []
const { default: Database } = await import('better-sqlite3')
function indexedRows() {
  const database = new Database(path.join(dataDir, 'hilum.sqlite'), { readonly: true })
  const rows = database.prepare('select sop_instance_uid as uid from instances').all()
  database.close()
  return rows
}
// What was acknowledged last is still on its way to the index.
const isSettled = () => {
  const uids = new Set(indexedRows().map((row) => row.uid))
  return pendingFiles() === 0 && [...acknowledged].every((uid) => uids.has(uid))
}
for (let tries = 0; tries < 60 && !isSettled(); tries++) await sleep(1000)
await sample()
const rows = indexedRows()
const indexed = new Set(rows.map((row) => row.uid))
const lost = [...acknowledged].filter((uid) => !indexed.has(uid))
const unasked = [...indexed].filter((uid) => !acknowledged.has(uid) && !maybe.has(uid))
if (lost.length > 0) faults.push(`${lost.length} acknowledged instances are not in the index, such as ${lost[0]}`)
if (rows.length !== indexed.size) faults.push(`${rows.length - indexed.size} instances are in the index twice`)
if (unasked.length > 0)
  faults.push(`${unasked.length} instances are in the index and were not sent whole, such as ${unasked[0]}`)

/** As a PACS reads it: by WADO-RS, wherever the node keeps it. */
async function digestOf(uid) {
  const study = uid.split('.').slice(0, -2).join('.')
  const response = await fetch(`${node.url}/dicomweb/studies/${study}/series/${study}.1/instances/${uid}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/dicom; transfer-syntax=*' },
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  if (!response.ok) return `HTTP ${response.status}`
  return createHash('sha256')
    .update(bytes.subarray(parseFileMeta(bytes).dataSetOffset))
    .digest('base64')
}
const own = [...soak.maker.digests.keys()].filter((uid) => acknowledged.has(uid))
const looked = own.filter((_, at) => at % Math.max(1, Math.trunc(own.length / 1000)) === 0)
const different = []
for (const uid of looked) if ((await digestOf(uid)) !== soak.maker.digests.get(uid)) different.push(uid)
if (different.length > 0)
  faults.push(`${different.length} of ${looked.length} instances have other bytes, such as ${different[0]}`)
const quarantined = readdirSync(path.join(dataDir, 'quarantine'))
if (quarantined.length > 0) faults.push(`${quarantined.length} objects are in quarantine`)

const left = readdirSync(path.join(dataDir, 'incoming'))
if (left.length > 0) faults.push(`${left.length} files are left in the incoming folder, such as ${left[0]}`)
console.log(
  `\n${values.minutes} minutes; ${acknowledged.size} instances acknowledged, ${indexed.size} in the index (${indexed.size - acknowledged.size} of them not acknowledged, of associations that were broken off); bytes of ${looked.length} compared`,
)
for (const [name, { requests, acknowledged: kept, ms }] of Object.entries(counts))
  console.log(
    `  ${name.padEnd(28)}${String(requests).padStart(6)} requests ${String(kept).padStart(8)} instances ${(ms / Math.max(1, requests)).toFixed(0).padStart(7)} ms each`,
  )
for (const [what, times] of Object.entries(failures)) console.log(`  failed ${times} times: ${what}`)
console.log(
  `longest event-loop lag of the main process ${worst.lagMs.toFixed(0)} ms, slowest C-ECHO ${worst.echoMs.toFixed(0)} ms, most pending ${worst.pending}`,
)
// The first five minutes, or the first third, belong to caches and pools that fill.
const from = Math.min(5 / 60, Number(values.minutes) / 60 / 3)
for (const [name, points] of samples) {
  const later = points.filter((point) => point.hours >= from)
  if (later.length < 3) continue
  const line = ['rss', 'pss'].map((kind) => {
    const fit = slope(later.map((point) => ({ hours: point.hours, value: point[kind] })))
    return `${kind} ${later[0][kind].toFixed(0)} to ${later.at(-1)[kind].toFixed(0)} MB, ${fit.slope.toFixed(1)} ± ${fit.confidence.toFixed(1)} MB/h`
  })
  console.log(`  ${name}: ${line.join('; ')}; descriptors ${later[0].descriptors} to ${later.at(-1).descriptors}`)
}
const exited = once(node.child, 'exit')
node.child.kill('SIGTERM')
const [code] = await exited
if (code !== 0) faults.push(`the node ended with ${code}`)
if (Object.keys(failures).length > 0) faults.push('requests failed that had to succeed')
console.log(faults.length === 0 ? 'nothing was lost' : faults.map((fault) => `WRONG: ${fault}`).join('\n'))
process.exitCode = faults.length > 0 ? 1 : 0
