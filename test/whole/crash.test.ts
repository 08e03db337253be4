import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { isSettled, NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'

/** Repeatable "random" moments: the run that fails can be run again. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe('a node that is killed at random moments', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-crash-'))
  const node = new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '2', HILUM_ASSEMBLE_QUIET: '60' })
  const next = random(20_261_121)
  let files: string[] = []
  let study = ''
  const uids = new Map<string, string>()

  beforeAll(async () => {
    const phantom = chestPhantom({ slices: 600, rows: 128, columns: 128 })
    files = await writePhantom(folder, phantom)
    for (const file of files) {
      const { elements } = await readInstanceFile(file)
      uids.set(file, textOf(elements, 'SOPInstanceUID') ?? '')
      study = textOf(elements, 'StudyInstanceUID') ?? ''
    }
    await node.start()
  })

  afterAll(async () => {
    await node.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  it('has every instance that it acknowledged, after nine kills of its processes during a send of 600 slices', async () => {
    const acknowledged = new Set<string>()
    let left = files
    for (let kill = 0; left.length > 0; kill++) {
      const moment = kill < 9 ? Math.floor(next() * Math.min(80, left.length)) : Number.POSITIVE_INFINITY
      let count = 0
      const abort = new AbortController()
      const report = await sendInstances({
        host: '127.0.0.1',
        port: node.dimsePort,
        callingAETitle: 'CRASH',
        calledAETitle: 'HILUM',
        files: left,
        signal: abort.signal,
        onProgress: () => {
          if (count++ !== moment) return
          if (kill % 3 === 2) process.kill(receiverOf(node), 'SIGKILL')
          else void node.kill(kill % 3 === 0 ? 'group' : 'main')
        },
      }).catch((error: unknown) => ({ files: [] as { path: string; status: number | null }[], error }))
      for (const file of report.files) if (file.status === 0) acknowledged.add(file.path)
      left = files.filter((file) => !acknowledged.has(file))
      if (left.length === 0) continue
      if (kill % 3 === 2) await listens(node.dimsePort)
      else {
        await node.kill()
        await node.start()
      }
      // What a receiving process left is indexed while the node goes on: that may take a moment.
      await expect
        .poll(async () => lost(acknowledged, await storedInstances(node, study)), { timeout: 30_000 })
        .toEqual([])
    }
    expect(acknowledged.size).toBe(600)
  })

  /** Names of files that were acknowledged, and are not among the SOP Instance UIDs. */
  function lost(acknowledged: ReadonlySet<string>, held: readonly string[]): string[] {
    return [...acknowledged].filter((file) => !held.includes(uids.get(file) ?? '')).map((file) => path.basename(file))
  }

  it('writes the results once, after three kills during the job', async () => {
    await node.until(study, (t) => t.jobs.some((j) => j.state === 'running') || isSettled(t), {
      seconds: 60,
      what: 'a running job',
    })
    for (let kill = 0; kill < 3; kill++) {
      await sleep(next() * 1500)
      await node.kill(kill === 1 ? 'main' : 'group')
      await node.start()
    }
    const timeline = await node.until(study, isSettled, { seconds: 240, what: 'the end of the study' })
    expect(timeline.state).toBe('done')
    expect(timeline.instances).toBe(600)
    expect(timeline.revision).toBe(1)
    expect(timeline.jobs.filter((j) => j.kind === 'infer')).toHaveLength(1)
    const results = timeline.results.map((r) => r.sopInstanceUID)
    expect(new Set(results).size).toBe(results.length)
    expect(timeline.results.filter((r) => r.modality === 'SEG')).toHaveLength(1)
    for (const result of timeline.results) expect(result.deliveries.map((d) => d.state)).toEqual(['verified'])
    const held = await storedInstances(node, study)
    expect(held).toHaveLength(600 + results.length)
    expect(readdirSync(path.join(node.dataDir, 'incoming'))).toEqual([])
    expect(readdirSync(path.join(node.dataDir, 'quarantine'))).toEqual([])
  })
})

/** The receiving process of a node: the one among its children that talks DICOM. */
function receiverOf(node: NodeProcess): number {
  return Number(execFileSync('pgrep', ['-P', String(node.pid), '-f', 'receive/receiver.js'], { encoding: 'utf8' }))
}

async function listens(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.on('error', () => resolve(false)).on('close', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    await sleep(100)
  }
}

async function storedInstances(node: NodeProcess, study: string): Promise<string[]> {
  const found = await node.json<Record<string, { Value?: string[] }>[]>(
    `/dicomweb/studies/${study}/instances?limit=1000`,
  )
  return found.map((instance) => instance['00080018']?.Value?.[0] ?? '')
}
