import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { textOf } from '../../src/dicom/dataset.ts'
import { readInstanceFile } from '../../src/dicom/instance-file.ts'
import { repository } from '../support/data.ts'
import { adminToken, NodeProcess } from '../support/node-process.ts'
import { chestPhantom, writePhantom } from '../support/phantom.ts'

const slices = 120
const broken = 5

describe('a node that is killed while a folder and STOW-RS bring instances', () => {
  const place = mkdtempSync(path.join(tmpdir(), 'hilum-entries-'))
  const [made, watched] = [path.join(place, 'made'), path.join(place, 'watched')]
  const config = path.join(place, 'hilum.yaml')
  let node: NodeProcess
  let files: string[]
  let study = ''
  const uids = new Map<string, string>()

  beforeAll(async () => {
    for (const folder of [made, watched]) mkdirSync(folder)
    const settings = { receive: { folders: [{ path: watched, settle: 0.2, callingAETitle: 'CDROM' }] } }
    writeFileSync(config, JSON.stringify(settings))
    files = await writePhantom(made, chestPhantom({ slices, rows: 128, columns: 128 }))
    for (const file of files) {
      const { elements } = await readInstanceFile(file)
      uids.set(file, textOf(elements, 'SOPInstanceUID') ?? '')
      study = textOf(elements, 'StudyInstanceUID') ?? ''
    }
    node = await new NodeProcess({ HILUM_ASSEMBLE_RELEASE: '2', HILUM_ASSEMBLE_QUIET: '60' }, config).start()
  })

  afterAll(async () => {
    await node?.dispose()
    rmSync(place, { recursive: true, force: true })
  })

  const held = async (): Promise<string[]> => {
    const found = await node.json<Record<string, { Value?: string[] }>[]>(
      `/dicomweb/studies/${study}/instances?limit=1000`,
    )
    return found.map((instance) => instance['00080018']?.Value?.[0] ?? '')
  }

  it('has every file of the folder once, and every broken one once in quarantine', async () => {
    const half = files.slice(0, slices / 2)
    for (let i = 0; i < broken; i++) writeFileSync(path.join(watched, `broken-${i}.dcm`), `no DICOM ${i}`)
    for (const file of half) copyFileSync(file, path.join(watched, path.basename(file)))
    for (const what of ['group', 'main', 'group'] as const) {
      const left = readdirSync(watched).length
      await vi.waitFor(() => expect(readdirSync(watched).length).toBeLessThan(left), { timeout: 30_000, interval: 5 })
      await node.kill(what)
      await node.kill()
      await node.start()
    }
    await vi.waitFor(() => expect(readdirSync(watched)).toEqual([]), { timeout: 60_000 })
    expect((await held()).sort()).toEqual(half.map((file) => uids.get(file) ?? '').sort())
    const quarantine = await node.json<{ total: number; objects: { code: string; sender: string }[] }>(
      '/api/quarantine',
    )
    expect(quarantine.total).toBe(broken)
    for (const one of quarantine.objects) expect(one).toMatchObject({ code: 'not-part10', sender: 'CDROM@folder' })
    expect(readdirSync(path.join(node.dataDir, 'quarantine'))).toHaveLength(broken)
  })

  it('has every instance that STOW-RS answered for, and whatever was complete, once', async () => {
    const other = files.slice(slices / 2)
    const acknowledged = new Set<string>()
    for (let kill = 0; acknowledged.size < other.length; kill++) {
      let left = other.filter((file) => !acknowledged.has(file))
      const killing = kill < 3 ? sleep(150 + 100 * kill).then(() => node.kill('group')) : null
      while (left.length > 0) {
        const some = left.slice(0, 10)
        const status = await stow(some).catch(() => 0)
        if (status !== 200) break
        for (const file of some) acknowledged.add(file)
        left = left.slice(some.length)
      }
      await killing
      if (killing) await node.start()
      const stored = await held()
      for (const file of acknowledged) expect(stored).toContain(uids.get(file))
    }
    expect((await held()).sort()).toEqual([...uids.values()].sort())
    await vi.waitFor(() => expect(readdirSync(path.join(node.dataDir, 'incoming'))).toEqual([]), { timeout: 30_000 })
    const timeline = await node.until(study, (t) => t.revision > 0, { seconds: 90, what: 'a complete study' })
    expect(timeline.instances).toBe(slices)
  })

  async function stow(some: readonly string[]): Promise<number> {
    const chunks = some.flatMap((file) => [
      Buffer.from('\r\n--b\r\nContent-Type: application/dicom\r\n\r\n'),
      readFileSync(file),
    ])
    const response = await node.fetch('/dicomweb/studies', {
      method: 'POST',
      headers: { 'content-type': 'multipart/related; type="application/dicom"; boundary=b' },
      body: new Uint8Array(Buffer.concat([...chunks, Buffer.from('\r\n--b--')])),
    })
    await response.text()
    return response.status
  }

  it('lets operators work with the quarantine from the command line while it runs', async () => {
    const hilum = (...args: string[]) => {
      const done = spawnSync(process.execPath, ['dist/main.js', 'quarantine', ...args, '--config', config], {
        cwd: repository,
        encoding: 'utf8',
        env: {
          ...process.env,
          HILUM_HTTP_PORT: String(node.httpPort),
          HILUM_DATADIR: node.dataDir,
          HILUM_ADMIN_TOKEN: adminToken,
        },
      })
      return { code: done.status, out: done.stdout, error: done.stderr }
    }
    const { objects } = JSON.parse(hilum('list', '--json', '--sender', 'CDROM').out) as { objects: { id: number }[] }
    expect(objects).toHaveLength(broken)
    const [first, second] = objects.map(({ id }) => String(id)) as [string, string]
    const target = path.join(place, 'downloaded')
    expect(hilum('download', first, '--output', target)).toMatchObject({ code: 0 })
    expect(readFileSync(target, 'utf8')).toMatch(/^no DICOM \d$/)
    expect(hilum('download', first, '--output', target).code).toBe(1)
    const refused = hilum('reingest', first, second)
    expect([refused.code, refused.error.match(/not-part10/g)?.length]).toEqual([1, 2])
    expect(hilum('discard', first, second)).toMatchObject({ code: 0, out: expect.stringContaining('discarded') })
    expect(hilum('list').out).toContain(`${broken - 2} of ${broken - 2}`)
    expect(hilum('list', '--state', 'discarded').out).toContain('by token:bootstrap')
    expect(hilum('reingest').code).toBe(2)
    expect(existsSync(target)).toBe(true)
  })

  it('says in /readyz and in the API that a watched folder is gone, and goes on when it is back', async () => {
    const folders = () => node.json<{ folders: { trouble: string | null }[] }>('/api/folders').then((a) => a.folders)
    rmSync(watched, { recursive: true })
    await vi.waitFor(async () => expect((await folders())[0]?.trouble).toBe('ENOENT'), { timeout: 20_000 })
    const ready = await node.fetch('/readyz')
    expect(ready.status).toBe(503)
    expect(await ready.text()).not.toContain(watched)
    mkdirSync(watched)
    await vi.waitFor(async () => expect((await folders())[0]?.trouble).toBeNull(), { timeout: 20_000 })
    expect((await node.fetch('/readyz')).status).toBe(200)
  })
})
