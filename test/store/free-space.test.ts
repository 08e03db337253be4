import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { DiskWatch } from '../../src/flow/disk-watch.ts'
import { silentLog } from '../../src/log.ts'
import { FreeSpace, freeBytes } from '../../src/store/free-space.ts'
import { IncomingFolder } from '../../src/store/incoming.ts'

const meta = {
  mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
  mediaStorageSOPInstanceUID: '1.2.3',
  transferSyntaxUID: '1.2.840.10008.1.2.1',
}

describe('free space, with injected numbers', () => {
  let now = 0
  let free = 1000
  let looks = 0
  const marks = { warnFree: 500, minimumFree: 200, emergencyFree: 50 }
  const make = () =>
    new FreeSpace({
      folder: '/',
      marks,
      now: () => now,
      look: () => {
        looks++
        return free
      },
    })
  beforeEach(() => {
    now = 0
    free = 1000
    looks = 0
  })

  it('leaves a state only when 10 % more than its mark is free', () => {
    const space = make()
    const states = [1000, 500, 499, 549, 550, 199, 219, 220, 49, 54, 55, 219, 1000].map((bytes) => {
      now += 1000
      free = bytes
      return space.check()
    })
    expect(states).toEqual([
      'enough',
      'enough',
      'warn',
      'warn',
      'enough',
      'refuse',
      'refuse',
      'warn',
      'emergency',
      'emergency',
      'refuse',
      'refuse',
      'enough',
    ])
  })

  it('asks the file system once a second, and counts what is written meanwhile', () => {
    const space = make()
    for (let n = 0; n < 100; n++) space.spend(1)
    expect(looks).toBe(1)
    expect(space.read()).toMatchObject({ state: 'enough', free: 900 })
    space.spend(860)
    expect(space.check()).toBe('emergency')
    now = 999
    expect([space.check(), looks]).toEqual(['emergency', 1])
    now = 1000
    expect([space.check(), looks]).toEqual(['enough', 2])
  })

  it('says each change of its state once, and starts no work in an emergency', () => {
    const space = make()
    const said: string[] = []
    const log = { ...silentLog }
    for (const level of ['info', 'warn', 'error'] as const) log[level] = (sentence) => void said.push(sentence)
    const changes: string[] = []
    const watch = new DiskWatch({ space, log, onChange: (to, from) => changes.push(`${from} > ${to.state}`) })
    const work = [1000, 400, 400, 100, 30, 30, 100, 1000].map((bytes) => {
      now += 1000
      free = bytes
      watch.look()
      return watch.permitsWork
    })
    expect(changes).toEqual([
      'enough > warn',
      'warn > refuse',
      'refuse > emergency',
      'emergency > refuse',
      'refuse > enough',
    ])
    expect(said).toHaveLength(5)
    expect(work).toEqual([true, true, true, true, false, false, true, true])
  })
})

const folder = mkdtempSync(path.join(tmpdir(), 'hilum-small-'))
const mount = () => spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]).status === 0
const unmount = () => spawnSync('umount', [folder]).status === 0
/** Whether this user may mount anything. */
const mountable = mount() && unmount()
if (!mountable) console.warn('skipped: a small file system cannot be mounted here')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(!mountable)('free space, on a real file system of 8 MiB (tmpfs)', () => {
  const mebibyte = 2 ** 20
  const filler = path.join(folder, 'filler')
  let now = 0
  const fill = (free: number) => {
    rmSync(filler, { force: true })
    now += 1000
    writeFileSync(filler, Buffer.alloc(Math.max(0, freeBytes(folder) - free)))
  }
  const open = (): IncomingFolder => {
    const marks = { warnFree: 0, minimumFree: 2 * mebibyte, emergencyFree: mebibyte }
    const space = new FreeSpace({ folder, marks, now: () => now })
    return new IncomingFolder({ dataDir: folder, sync: true, minimumFreeBytes: 0, space })
  }
  beforeAll(() => void mount())
  afterEach(() => rmSync(filler, { force: true }))
  afterAll(() => void unmount())

  it('takes nothing in below the reserve, and something again when 10 % more is free', () => {
    const incoming = open()
    fill(2 * mebibyte - 4096)
    expect(() => incoming.begin(meta)).toThrow(expect.objectContaining({ code: 'out-of-space', retry: 'transient' }))
    fill(2 * mebibyte + 8192)
    expect(() => incoming.begin(meta)).toThrow(expect.objectContaining({ code: 'out-of-space' }))
    fill(2.3 * mebibyte)
    incoming.begin(meta).discard()
  })

  it('lets an instance under way go on below the reserve, ends it in an emergency, and gives its space back', async () => {
    const incoming = open()
    fill(3 * mebibyte)
    const file = incoming.begin(meta)
    const chunk = Buffer.alloc(65_536)
    const written: number[] = []
    expect(() => {
      for (;;) {
        file.write(chunk)
        written.push(freeBytes(folder))
      }
    }).toThrow(expect.objectContaining({ code: 'out-of-space' }))
    expect(Math.min(...written)).toBeLessThan(1.2 * mebibyte)
    expect(Math.min(...written)).toBeGreaterThan(0.8 * mebibyte)
    expect(() => incoming.begin(meta)).toThrow(expect.objectContaining({ code: 'out-of-space' }))
    file.discard()
    // The file is closed on a thread: freeing a large one takes its time.
    await vi.waitFor(() => expect(freeBytes(folder)).toBeGreaterThan(2.8 * mebibyte), 10_000)
  })
})
