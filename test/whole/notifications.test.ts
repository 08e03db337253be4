import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { sendInstances } from '../../src/dimse/send.ts'
import { silentLog } from '../../src/log.ts'
import { openDatabase } from '../../src/store/database.ts'
import { adminToken, isSettled, NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'
import { acceptanceTool, available } from '../support/programs.ts'
import { downloadResults, validate } from '../support/results.ts'

const validators = available('/usr/bin/python3', 'dciodvfy', 'java', acceptanceTool('validate.py'))

interface Schedule {
  name: string
  etag: string
  nextRun: string | null
  lastRun: { outcome: string | null; sentence: string | null } | null
  settings: { cron: string | null; timeZone: string | null }
}

describe('a node whose route knows what is critical', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-notifications-'))
  const config = path.join(folder, 'hilum.yaml')
  const bodies: { event: string; findings: unknown[] }[] = []
  const hook = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      bodies.push(JSON.parse(Buffer.concat(chunks).toString('utf8')))
      res.end()
    })
  })
  let node: NodeProcess
  let study = ''
  let files: string[] = []

  beforeAll(async () => {
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    writeFileSync(
      config,
      `
assemble: { release: 0.2 }
notify: { allowLocal: true }
routes:
  - name: lungs
    inputs: { ct: { where: 'series.Modality == "CT"' } }
    pipeline: ct-lung-density
    destinations: [self]
    urgent: [{ finding: Total lung volume, over: 0.001 }]
`,
    )
    node = await new NodeProcess({}, config).start()
  })
  afterAll(async () => {
    await node?.dispose()
    await new Promise((resolve) => hook.close(resolve))
    rmSync(folder, { recursive: true, force: true })
  })

  async function ask<T>(
    method: string,
    where: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const answer = await fetch(`${node.url}/api${where}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${where}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }

  it('tells of a critical finding within 5 s of the result, and says so in the SR', async () => {
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`
    const target = await ask<{ id: number }>('POST', '/notifications/targets', {
      name: 'hook',
      via: { kind: 'webhook', url },
    })
    await ask('POST', '/notifications/subscriptions', { targetId: target.id, event: 'critical' })
    await ask('POST', '/notifications/subscriptions', { targetId: target.id, event: 'received' })
    expect(await ask('POST', `/notifications/targets/${target.id}/test`)).toMatchObject({ ok: true })

    files = await writePhantom(folder, chestPhantom({ slices: 301, rows: 256, columns: 256 }))
    study = textOf((await readInstanceFile(files[0] ?? '')).elements, 'StudyInstanceUID') ?? ''
    await sendInstances({
      host: '127.0.0.1',
      port: node.dimsePort,
      callingAETitle: 'CT1',
      calledAETitle: 'HILUM',
      files,
    })
    const timeline = await node.until(study, isSettled, { what: 'the end of the study' })
    expect(timeline.jobs.map(({ kind, state, error }) => [kind, state, error])).toContainEqual(['infer', 'done', null])
    expect(timeline.events).toContainEqual({
      at: expect.anything(),
      kind: 'critical',
      sentence: expect.stringContaining('Total lung volume'),
    })
    expect(timeline.results.map((result) => (result as unknown as { urgent: boolean }).urgent)).not.toContain(false)

    const sent = () =>
      ask<{ messages: { event: string; state: string; urgent: boolean; sentAt: string; happenedAt: string }[] }>(
        'GET',
        '/notifications/messages',
      )
    let messages = (await sent()).messages
    while (messages.filter(({ state }) => state === 'sent').length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      messages = (await sent()).messages
    }
    const critical = messages.find(({ event }) => event === 'critical')
    expect(critical).toMatchObject({ urgent: true })
    const database = await openDatabase({ url: '', dataDir: node.dataDir, log: silentLog })
    const job = await database('jobs').where({ kind: 'infer' }).first('finished_at')
    const results: { object_key: string }[] = await database('results').where({ modality: 'SR' }).select('object_key')
    await database.destroy()
    const late = Date.parse(critical?.sentAt ?? '') - Date.parse(job.finished_at)
    expect(late).toBeLessThan(5000)
    expect(late).toBeGreaterThanOrEqual(-1000)
    expect(bodies.find(({ event }) => event === 'critical')?.findings).not.toEqual([])
    expect(results.length).toBeGreaterThan(0)
    for (const { object_key } of results)
      expect(readFileSync(path.join(node.dataDir, object_key)).includes('RID49480')).toBe(true)
  })

  it.skipIf(!validators)('writes urgent reports that outside validators find nothing to fault in', async () => {
    const timeline = await node.until(study, isSettled, { what: 'the end of the study' })
    const results = path.join(folder, 'results')
    await downloadResults(node, study, timeline, results)
    const { code, output } = validate(files, results)
    expect(output.trim().split('\n').at(-1)).toMatch(/^4 objects .*, 0 failures$/)
    expect(code).toBe(0)
  })

  it('keeps when something runs over a restart, with its last run', async () => {
    const find = async () =>
      (await ask<{ schedules: Schedule[] }>('GET', '/schedules')).schedules.find(({ name }) => name === 'housekeeping')
    const before = await find()
    const settings = { cron: '5 5 * * *', timeZone: 'Asia/Tokyo' }
    await ask('PUT', '/schedules/housekeeping', settings, { 'if-match': before?.etag ?? '' })
    await ask('POST', '/schedules/housekeeping/run')
    while ((await find())?.lastRun?.outcome == null) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await node.stop()).toBe(0)
    await node.start()
    const after = await find()
    expect(after).toMatchObject({
      settings,
      lastRun: { outcome: 'done', sentence: expect.stringContaining('forgotten') },
    })
    expect(after?.nextRun).toMatch(/T20:05:00/)
    for (const name of ['audit-verification', 'certificates', 'report']) {
      await ask('POST', `/schedules/${name}/run`)
      const runs = () => ask<{ runs: { outcome: string | null }[] }>('GET', `/schedules/${name}/runs`)
      while ((await runs()).runs[0]?.outcome === null) await new Promise((resolve) => setTimeout(resolve, 50))
      expect((await runs()).runs[0]?.outcome).toBe('done')
    }
  })
})
