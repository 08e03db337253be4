import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { loadConfig } from '../config.ts'
import { type CheckedResult, checkResult } from '../demo/check-results.ts'
import { chestPhantom, writePhantom } from '../demo/phantom.ts'
import { textOf } from '../dicom/dataset.ts'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { readInstanceFile } from '../dicom/instance-file.ts'
import { sendInstances } from '../dimse/send.ts'
import { createLog } from '../log.ts'
import { type RunningNode, startNode } from '../node.ts'
import type { Timeline } from '../store/timeline.ts'

export const summary = 'start a throw-away node, send it a study, show what was found'

const usage = `hilum demo [--study FOLDER] [--once]

Starts a node on a throw-away data folder, sends it a study over a real association, waits for the results, checks them and stays up.
  --study FOLDER   send this folder's DICOM files instead of the chest phantom
  --once           stop when the results are checked`

const token = 'demo'
const say = (label: string, text: string): void => void process.stdout.write(`  ${label.padEnd(12)}${text}\n`)

/**
 * The demonstration: the main job, end to end, on one machine.
 * @returns exit code: 0 when every result was delivered, verified and found without fault
 */
export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { study: { type: 'string' }, once: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'hilum-demo-'))
  const node = await startDemoNode(folder)
  try {
    const files = values.study ? await filesUnder(values.study) : await makePhantom(path.join(folder, 'phantom'))
    const code = await showOneStudy(node, files, folder)
    if (!values.once) await stayUp(node)
    return code
  } finally {
    await node.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function startDemoNode(folder: string): Promise<RunningNode> {
  process.stdout.write('\nHilum demo\n')
  const config = loadConfig({
    env: {
      HILUM_DIMSE_HOST: '127.0.0.1',
      HILUM_DIMSE_PORT: '0',
      HILUM_HTTP_PORT: '0',
      ...onlyHilum(process.env),
      HILUM_DATADIR: path.join(folder, 'data'),
      HILUM_ADMIN_TOKEN: token,
      HILUM_ASSEMBLE_RELEASE: '1',
    },
  })
  const node = await startNode(config, { log: createLog('warn') })
  say('data', `${folder} (removed when you stop)`)
  say('node', `AE ${config.aeTitle} at 127.0.0.1:${node.dimsePort}, http://127.0.0.1:${node.httpPort}`)
  return node
}

function onlyHilum(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (pair): pair is [string, string] => pair[0].startsWith('HILUM_') && pair[1] !== undefined,
    ),
  )
}

async function makePhantom(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const phantom = chestPhantom({ slices: 200 })
  say('study', `chest phantom made by this program: ${phantom.slices} slices of ${phantom.columns}x${phantom.rows}`)
  say(
    '',
    `its true lung volume is ${phantom.truth.volumes.total.toFixed(3)} L, its true LAA-950 ${phantom.truth.laa950.toFixed(1)} %`,
  )
  return writePhantom(folder, phantom)
}

async function filesUnder(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
  say('study', `${files.length} files under ${folder}`)
  return files.sort()
}

async function showOneStudy(node: RunningNode, files: string[], folder: string): Promise<number> {
  const began = Date.now()
  const report = await sendInstances({
    host: '127.0.0.1',
    port: node.dimsePort,
    callingAETitle: 'DEMO',
    calledAETitle: node.config.aeTitle,
    files,
  })
  const stored = report.files.filter((file) => file.status === 0)
  for (const file of report.files)
    if (file.status !== 0) say('not sent', `${path.basename(file.path)}: ${file.reason ?? 'refused'}`)
  const seconds = (Date.now() - began) / 1000
  say('sent', `${stored.length} instances over a DICOM association in ${seconds.toFixed(1)} s; each is on disk`)
  const first = stored[0]
  if (!first) return 1
  const source = await readInstanceFile(first.path)
  const studyInstanceUID = textOf(source.elements, 'StudyInstanceUID') ?? ''
  const timeline = await settled(node, studyInstanceUID)
  const checked = await checkAll({
    node,
    studyInstanceUID,
    timeline,
    source: source.elements,
    files: stored.map((f) => f.path),
    folder,
  })
  printTimeline(timeline)
  printChecks(timeline, checked)
  printFindings(timeline)
  printWhereToLook(node, studyInstanceUID, timeline)
  const verified = timeline.results.every((r) => r.deliveries.every((d) => d.state === 'verified'))
  const good = timeline.results.length > 0 && verified && checked.every((c) => c.faults.length === 0)
  process.stdout.write(
    good
      ? '\nEvery result is stored, verified and without fault.\n'
      : '\nThe demo did not end as it should: see above.\n',
  )
  return good ? 0 : 1
}

/** The study's timeline, or null as long as the node does not know the study: what was acknowledged is indexed a moment later. */
async function timelineOf(node: RunningNode, studyInstanceUID: string): Promise<Timeline | null> {
  try {
    return await get<Timeline>(node, `/api/studies/${studyInstanceUID}`)
  } catch (error) {
    if (error instanceof NotThere) return null
    throw error
  }
}

class NotThere extends Error {}

async function get<T>(node: RunningNode, where: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${node.httpPort}${where}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  if (response.status === 404) throw new NotThere(`${where} is not there`)
  if (!response.ok) throw new Error(`${where} answered HTTP ${response.status}`)
  return (await response.json()) as T
}

/** Waits for the study's end and says what it waits for, once per change. */
async function settled(node: RunningNode, studyInstanceUID: string): Promise<Timeline> {
  let said = ''
  for (;;) {
    const timeline = await timelineOf(node, studyInstanceUID)
    if (timeline && timeline.state !== said) {
      said = timeline.state
      say('state', said)
    }
    if (timeline && (timeline.state === 'done' || timeline.state === 'failed')) return timeline
    await sleep(200)
  }
}

/** Fetches every result by WADO-RS, as a viewer would, and reads it back. */
async function checkAll(options: {
  node: RunningNode
  studyInstanceUID: string
  timeline: Timeline
  source: DicomJson
  files: string[]
  folder: string
}): Promise<CheckedResult[]> {
  const { node, studyInstanceUID, timeline, source, files, folder } = options
  const uids = await Promise.all(
    files.map(async (file) => textOf((await readInstanceFile(file)).elements, 'SOPInstanceUID') ?? ''),
  )
  const known = { sourceUIDs: new Set(uids), resultUIDs: new Set(timeline.results.map((r) => r.sopInstanceUID)) }
  const checked: CheckedResult[] = []
  for (const result of timeline.results) {
    const where = `/dicomweb/studies/${studyInstanceUID}/series/${result.seriesInstanceUID}/instances/${result.sopInstanceUID}`
    const response = await fetch(`http://127.0.0.1:${node.httpPort}${where}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/dicom' },
    })
    if (!response.ok) throw new Error(`${where} answered HTTP ${response.status}`)
    const file = path.join(folder, `${result.modality}-${checked.length + 1}.dcm`)
    await writeFile(file, Buffer.from(await response.arrayBuffer()))
    checked.push(await checkResult(await readInstanceFile(file), source, known))
  }
  return checked
}

function printTimeline(timeline: Timeline): void {
  say('complete', timeline.completion?.reason ?? 'not complete')
  for (const d of timeline.decisions) say('route', `${d.route}: ${d.reason}`)
  for (const job of timeline.jobs.filter((j) => j.kind === 'infer')) {
    const last = job.attempts.at(-1)
    const took = last?.ms ? `${(last.ms / 1000).toFixed(1)} s on ${last.provider ?? '?'}` : ''
    say(
      'inference',
      `${job.pipeline?.replace(/(sha256:.{8}).*/, '$1…') ?? ''} ${job.state} ${took} ${last?.error ?? ''}`.trim(),
    )
  }
}

function printChecks(timeline: Timeline, checked: CheckedResult[]): void {
  for (const result of timeline.results) {
    const check = checked.find((c) => c.sopInstanceUID === result.sopInstanceUID)
    const deliveries = result.deliveries.map((d) => `${d.state} at ${d.destination}`).join(', ')
    say(
      'result',
      `${result.modality}  ${deliveries}; read back: ${check && check.faults.length === 0 ? 'no fault' : (check?.faults.join('; ') ?? '?')}`,
    )
    for (const [label, ml] of Object.entries(check?.volumes ?? {}))
      say('', `     ${label}: ${(ml / 1000).toFixed(3)} L counted in the SEG's bits`)
  }
}

function printFindings(timeline: Timeline): void {
  process.stdout.write('\n  Findings (AI, unverified)\n')
  const width = Math.max(0, ...timeline.findings.map((f) => f.name.length))
  for (const f of timeline.findings)
    process.stdout.write(
      `    ${f.name.padEnd(width)}  ${f.value.toFixed(f.unit === 'L' ? 3 : 1).padStart(10)} ${unitText(f.unit)}\n`,
    )
}

/** UCUM's word for Hounsfield units is for machines. */
function unitText(unit: string): string {
  return unit === "[hnsf'U]" ? 'HU' : unit
}

function printWhereToLook(node: RunningNode, studyInstanceUID: string, timeline: Timeline): void {
  const base = `http://127.0.0.1:${node.httpPort}`
  const seg = timeline.results.find((r) => r.modality === 'SEG')
  process.stdout.write(`\n  Look
    studies   ${base}/admin${node.firstPassword ? `   (user admin, one-time password ${node.firstPassword})` : ''}
    viewer    ${base}/viewer?StudyInstanceUIDs=${studyInstanceUID}${seg ? `&initialSeriesInstanceUID=${seg.seriesInstanceUID}` : ''}
    timeline  curl -H 'Authorization: Bearer ${token}' ${base}/api/studies/${studyInstanceUID}\n`)
}

async function stayUp(node: RunningNode): Promise<void> {
  process.stdout.write(`\nThe node stays up (process ${process.pid}); Ctrl-C stops it.\n`)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
    node.stopped.then(resolve, resolve)
  })
}
