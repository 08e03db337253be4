import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { isSettled, NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'

/** Processes whose command line ends with a file, below a process: the node's own workers, and nobody else's. */
function childrenOf(pid: number, program: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        // The command's name may hold anything; after its closing bracket come state and parent (proc(5)).
        const parent = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/.*\) /, '').split(' ')[1]
        return Number(parent) === pid && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(program)
      } catch {
        return false // it ended meanwhile
      }
    })
    .map(Number)
}

describe('inference processes that do not end well', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-workers-'))
  let files: string[] = []
  let study = ''
  let node: NodeProcess

  beforeAll(async () => {
    files = await writePhantom(folder, chestPhantom({ slices: 300, rows: 256, columns: 256 }))
    study = textOf((await readInstanceFile(files[0] ?? '')).elements, 'StudyInstanceUID') ?? ''
  })
  afterEach(() => node.dispose())
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const send = () =>
    sendInstances({ host: '127.0.0.1', port: node.dimsePort, callingAETitle: 'CT1', calledAETitle: 'HILUM', files })

  it('a run beyond its deadline is killed, tried once more, and fails with that reason; the node serves on', async () => {
    node = await new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '0.2', HILUM_INFER_DEADLINE: '1' }).start()
    await send()
    const timeline = await node.until(study, isSettled, { what: 'the end of the study' })
    expect(timeline.state).toBe('failed')
    const job = timeline.jobs.find((j) => j.kind === 'infer')
    expect(job?.attempts).toHaveLength(2)
    for (const attempt of job?.attempts ?? []) expect(attempt.error).toMatch(/deadline/)
    expect((await send()).stored).toBe(300)
    expect((await node.fetch('/readyz')).status).toBe(200)
  })

  it('a process that is killed while it runs costs one attempt', async () => {
    node = await new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '0.2' }).start()
    await send()
    await node.until(study, (t) => t.jobs.some((j) => j.state === 'running'), { what: 'a running job' })
    await sleep(300)
    const workers = childrenOf(node.pid, 'worker.js')
    expect(workers).toHaveLength(1)
    for (const pid of workers) process.kill(pid, 'SIGKILL')
    const timeline = await node.until(study, isSettled, { what: 'the end of the study' })
    expect(timeline.state).toBe('done')
    const attempts = timeline.jobs.find((j) => j.kind === 'infer')?.attempts ?? []
    expect(attempts.map((attempt) => attempt.error === null)).toEqual([false, true])
    expect(attempts[0]?.error).toMatch(/SIGKILL/)
  })
})
