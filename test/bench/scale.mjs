/**
 * What a large archive costs: searches, lists, timelines, metrics and the rate of receiving on an index of millions of instances.
 *
 *   npm run bench:scale -- [--instances 5000000] [--studies 20000] [--folder DIR] [--keep] [--database postgres://…]
 *                          [--asks 100] [--runs 3] [--only searches|receiving]
 *
 * Makes the index in a temporary folder (a minute for a million instances), or takes the one that an earlier run kept there (--keep).
 * Beside each kind of request it measures how long the node's event loop was held: the longest wait for /healthz, which needs nothing.
 * Prints a table; there is nothing to pass or fail.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { chestPhantom, writePhantom } from '../../dist/demo/phantom.js'
import { silentLog } from '../../dist/log.js'
import { migrate, openDatabase } from '../../dist/store/database.js'
import { chance, fillIndex, patientOf, studyOf } from './scale-index.mjs'

const { values: options } = parseArgs({
  options: {
    instances: { type: 'string', default: '5000000' },
    studies: { type: 'string', default: '20000' },
    folder: { type: 'string' },
    keep: { type: 'boolean', default: false },
    database: { type: 'string', default: '' },
    asks: { type: 'string', default: '100' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
})
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = options.folder ?? path.join(tmpdir(), 'hilum-scale')
const studies = Number(options.studies)
const token = 'bench-token'
const seconds = (begun) => ((performance.now() - begun) / 1000).toFixed(1)

async function makeIndex() {
  mkdirSync(folder, { recursive: true })
  const database = await openDatabase({ url: options.database, dataDir: folder, log: silentLog })
  try {
    await migrate(database)
    const { n } = await database('studies').count({ n: '*' }).first()
    if (Number(n) > 0) return console.log(`the index in ${folder} is taken as it is: ${n} studies`)
    const begun = performance.now()
    const written = await fillIndex(database, { studies, instances: Number(options.instances) }, console.log)
    console.log(`${written} instances in ${studies} studies written in ${seconds(begun)} s`)
  } finally {
    await database.destroy()
  }
}

/** A node as a user would run it. */
async function startNode(dataDir, database) {
  const begun = performance.now()
  const env = {
    ...process.env,
    HILUM_DATADIR: dataDir,
    HILUM_DATABASE_URL: database,
    HILUM_DIMSE_HOST: '127.0.0.1',
    HILUM_DIMSE_PORT: '0',
    HILUM_HTTP_PORT: '0',
    HILUM_ADMIN_TOKEN: token,
    HILUM_LOG_LEVEL: 'error',
  }
  const child = spawn(process.execPath, [path.join(root, 'dist', 'main.js'), 'start'], {
    env,
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /hilum ready dimse=(\d+) http=(\d+)/.exec(line)
    if (!found) continue
    child.stdout.resume()
    return {
      dimse: Number(found[1]),
      url: `http://127.0.0.1:${found[2]}`,
      pid: child.pid,
      started: seconds(begun),
      async stop() {
        const exited = once(child, 'exit')
        child.kill('SIGTERM')
        await exited
      },
    }
  }
  throw new Error('the node ended before it was ready')
}

async function ask(node, where) {
  const begun = performance.now()
  const response = await fetch(node.url + where, { headers: { authorization: `Bearer ${token}` } })
  const text = await response.text()
  if (!response.ok) throw new Error(`${where}: HTTP ${response.status} ${text.slice(0, 300)}`)
  const ms = performance.now() - begun
  let matches = 0
  if (response.headers.get('content-type')?.includes('json')) {
    const answer = JSON.parse(text)
    matches = Array.isArray(answer) ? answer.length : (answer.studies ?? answer.jobs ?? []).length
  }
  return { ms, matches, warning: response.headers.get('warning') }
}

/** Asks for what needs nothing, over and over, on a thread of its own: an answer that is late says that the event loop was held. */
async function watchLoop(node) {
  const stopped = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
    let [longest, asked] = [0, 0]
    ;(async () => {
      while (!Atomics.load(workerData.stopped, 0)) {
        const begun = performance.now()
        await (await fetch(workerData.url)).text()
        if (++asked > 20) longest = Math.max(longest, performance.now() - begun)
        if (asked === 20) parentPort.postMessage('watching')
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      parentPort.postMessage(longest)
    })()`,
    { eval: true, workerData: { url: `${node.url}/healthz`, stopped } },
  )
  await once(worker, 'message')
  return async () => {
    Atomics.store(stopped, 0, 1)
    const [longest] = await once(worker, 'message')
    return longest
  }
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]

async function measure(node, name, whereOf, asks = Number(options.asks)) {
  await ask(node, whereOf(99_999))
  const stop = await watchLoop(node)
  const times = []
  let [matches, warned] = [0, 0]
  for (let i = 0; i < asks; i++) {
    const answer = await ask(node, whereOf(i))
    times.push(answer.ms)
    matches += answer.matches
    if (answer.warning) warned++
  }
  const held = await stop()
  times.sort((a, b) => a - b)
  const number = (value) => value.toFixed(1).padStart(8)
  const row = [quantile(times, 0.5), quantile(times, 0.95), times.at(-1), held].map(number).join('')
  const mean = (matches / asks).toFixed(1).padStart(9)
  console.log(`${name.padEnd(46)}${row}${mean}${warned ? `   warned ${warned} times` : ''}`)
}

async function searches() {
  const node = await startNode(folder, options.database)
  console.log(`the node was ready after ${node.started} s`)
  console.log(
    `${''.padEnd(46)}${['p50', 'p95', 'max', 'held'].map((head) => head.padStart(8)).join('')}  matches   (ms)`,
  )
  const some = (i) => studyOf(Math.floor(chance(i, 77) * studies), studies)
  const qido = (where) => `/dicomweb${where}`
  const text = encodeURIComponent
  try {
    await measure(node, 'QIDO-RS: patient ID', (i) => qido(`/studies?PatientID=${some(i).patient.id}`))
    await measure(node, 'QIDO-RS: patient name', (i) =>
      qido(`/studies?PatientName=${text(some(i).patient.name.Alphabetic.toUpperCase())}`),
    )
    await measure(node, 'QIDO-RS: patient name, surname*', (i) =>
      qido(`/studies?PatientName=${text(some(i).patient.name.Alphabetic.split('^')[0])}*`),
    )
    await measure(node, 'QIDO-RS: patient name, M*', () => qido('/studies?PatientName=M*'))
    await measure(
      node,
      'QIDO-RS: patient name, *infix*',
      (i) => qido(`/studies?PatientName=*${text(patientOf(i).name.Alphabetic.slice(2, 9))}*`),
      30,
    )
    await measure(node, 'QIDO-RS: patient name, 山田*', () => qido(`/studies?PatientName=${text('山田')}*`))
    await measure(node, 'QIDO-RS: accession number', (i) => qido(`/studies?AccessionNumber=${some(i).accession}`))
    await measure(node, 'QIDO-RS: a day', (i) => qido(`/studies?StudyDate=${some(i).date}`))
    await measure(node, 'QIDO-RS: a year (100 of 2,000)', (i) =>
      qido(`/studies?StudyDate=${2017 + (i % 9)}0101-${2017 + (i % 9)}1231`),
    )
    await measure(node, 'QIDO-RS: a day and modality', (i) =>
      qido(`/studies?StudyDate=${some(i).date}&ModalitiesInStudy=CT`),
    )
    await measure(node, 'QIDO-RS: a year and modality PT', (i) =>
      qido(`/studies?StudyDate=${2017 + (i % 9)}0101-${2017 + (i % 9)}1231&ModalitiesInStudy=PT`),
    )
    await measure(node, 'QIDO-RS: a modality that there is not', () => qido('/studies?ModalitiesInStudy=XA'), 20)
    await measure(
      node,
      'QIDO-RS: a description that there is not',
      () => qido('/studies?StudyDescription=*nothing*'),
      20,
    )
    await measure(node, 'QIDO-RS: all studies, page 100', () => qido('/studies?limit=100&offset=10000'), 30)
    await measure(node, 'QIDO-RS: 5,000 studies', () => qido('/studies?limit=5000'), 3)
    await measure(node, 'QIDO-RS: series of a study', (i) => qido(`/studies/${some(i).uid}/series`))
    await measure(node, 'QIDO-RS: instances of a series', (i) =>
      qido(`/studies/${some(i).uid}/series/${some(i).uid}.1/instances`),
    )
    await measure(node, 'QIDO-RS: an instance by its UID', (i) => qido(`/instances?SOPInstanceUID=${some(i).uid}.1.1`))
    await measure(node, 'QIDO-RS: 1,000 instances without a study', () => qido('/instances?limit=1000'), 20)
    await measure(node, 'QIDO-RS: 10,000 instances without a study', () => qido('/instances'), 3)
    await measure(
      node,
      'QIDO-RS: instances of a class that there is not',
      () => qido('/instances?SOPClassUID=1.2.3'),
      3,
    )
    await measure(node, 'QIDO-RS: series by body part', () => qido('/series?BodyPartExamined=HEAD&limit=100'), 20)
    await measure(node, 'API: studies', (i) => `/api/studies?limit=50&offset=${(i % 10) * 50}`)
    await measure(node, 'API: studies, last page', () => `/api/studies?limit=50&offset=${studies - 50}`, 30)
    await measure(node, 'API: studies that failed', () => '/api/studies?limit=50&state=failed')
    await measure(
      node,
      'API: studies, part of a name',
      (i) => `/api/studies?search=${text(patientOf(i).name.Alphabetic.slice(0, 6))}`,
      30,
    )
    await measure(node, 'API: studies, an accession number', (i) => `/api/studies?search=${some(i).accession}`, 30)
    await measure(node, 'API: the timeline of a study', (i) => `/api/studies/${some(i).uid}`)
    await measure(node, 'API: jobs', () => '/api/jobs?limit=50')
    await measure(node, 'API: jobs that failed', () => '/api/jobs?limit=50&state=failed')
    await measure(node, '/metrics', () => '/metrics', 30)
  } finally {
    await node.stop()
  }
}

async function send(node, from) {
  const begun = performance.now()
  const sender = spawn(
    'storescu',
    ['--max-pdu', '131072', '-aec', 'HILUM', '127.0.0.1', String(node.dimse), '+sd', from],
    {
      env: { ...process.env, TCP_NODELAY: '1' },
      stdio: 'ignore',
    },
  )
  const [code] = await once(sender, 'exit')
  if (code !== 0) throw new Error('storescu failed')
  return readdirSync(from).length / ((performance.now() - begun) / 1000)
}

/** CPU milliseconds of a process and its children (Linux). */
function cpuOf(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) * 10 + children.reduce((sum, child) => sum + cpuOf(Number(child)), 0)
}

/** The same instances to the full index and to an empty one, in turn; other ones in every run. */
async function receiving() {
  const work = mkdtempSync(path.join(folder, 'send-'))
  const sizes = { small: { slices: 1000, rows: 16, columns: 16 }, CT: { slices: 300, rows: 512, columns: 512 } }
  const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
  try {
    for (const [name, size] of Object.entries(sizes)) {
      const rates = { full: [], empty: [] }
      const cpu = { full: [], empty: [] }
      for (let run = 0; run < Number(options.runs); run++) {
        const files = path.join(work, 'files')
        await writePhantom(files, chestPhantom(size), { identity: `${name} ${run} ${process.pid}` })
        for (const index of run % 2 ? ['empty', 'full'] : ['full', 'empty']) {
          const dataDir = index === 'full' ? folder : mkdtempSync(path.join(work, 'empty-'))
          const node = await startNode(dataDir, index === 'full' ? options.database : '')
          try {
            await sleep(500)
            const before = cpuOf(node.pid)
            rates[index].push(await send(node, files))
            await sleep(500) // the index is written behind the acknowledgements
            cpu[index].push((cpuOf(node.pid) - before) / size.slices)
          } finally {
            await node.stop()
          }
        }
        rmSync(files, { recursive: true })
      }
      const [full, empty] = [median(rates.full), median(rates.empty)]
      const all = (numbers) => numbers.map((rate) => rate.toFixed(0)).join(' ')
      const used = `CPU ${median(cpu.full).toFixed(2)} and ${median(cpu.empty).toFixed(2)} ms an instance`
      console.log(
        `receiving ${name.padEnd(6)} full ${full.toFixed(0)}/s (${all(rates.full)}), empty ${empty.toFixed(0)}/s (${all(rates.empty)}), ratio ${(full / empty).toFixed(2)}; ${used}`,
      )
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const begunEmpty = !existsSync(folder)
try {
  await makeIndex()
  if (options.only !== 'receiving') await searches()
  if (options.only !== 'searches') await receiving()
} finally {
  if (begunEmpty && !options.keep) rmSync(folder, { recursive: true, force: true })
}
