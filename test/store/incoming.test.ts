import { pbkdf2 } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseFileMeta } from '../../src/dicom/part10.ts'
import { IncomingFolder } from '../../src/store/incoming.ts'
import { keyOf } from '../../src/store/objects.ts'

const hash = promisify(pbkdf2)

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-incoming-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const meta = {
  mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
  mediaStorageSOPInstanceUID: '1.2.3',
  transferSyntaxUID: '1.2.840.10008.1.2.1',
}
const folderOf = (options: { sync?: boolean; minimumFreeBytes?: number } = {}) =>
  new IncomingFolder({ dataDir, sync: true, minimumFreeBytes: 0, ...options })
const incoming = () => readdirSync(path.join(dataDir, 'incoming'))
const quarantine = () => readdirSync(path.join(dataDir, 'quarantine'))

/** Paths of the files that this process has open. */
const openFiles = () =>
  readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })

describe.each([true, false])('an incoming file (synced: %s)', (sync) => {
  it('is a .part until it is finished, then a whole DICOM file', async () => {
    const file = folderOf({ sync }).begin(meta)
    file.write(Buffer.from('data '))
    file.write(Buffer.from('set'))
    expect(incoming()).toEqual([path.basename(file.path)])
    expect(file.path).toMatch(/\.part$/)
    const { file: name, size } = await file.finish()
    expect(incoming()).toEqual([name])
    const bytes = readFileSync(path.join(dataDir, 'incoming', name))
    expect(bytes.length).toBe(size)
    const { dataSetOffset, ...uids } = parseFileMeta(bytes)
    expect(uids).toEqual(meta)
    expect(dataSetOffset).toBe(file.dataSetOffset)
    expect(bytes.subarray(dataSetOffset).toString()).toBe('data set')
  })

  it('goes to quarantine whole', async () => {
    const file = folderOf({ sync }).begin(meta)
    file.write(Buffer.alloc(10))
    const { file: name } = await file.quarantine()
    expect([incoming(), quarantine()]).toEqual([[], [name]])
  })

  it('is nothing once it is discarded', () => {
    const file = folderOf({ sync }).begin(meta)
    file.write(Buffer.alloc(10))
    file.discard()
    file.discard()
    expect(incoming()).toEqual([])
  })
})

describe('the incoming folder', () => {
  it('gives names that are unique across writers, and of which many share a folder of the objects store', async () => {
    const writers = [folderOf(), folderOf()]
    const names: string[] = []
    for (let n = 0; n < 60; n++) {
      const file = (writers[n % 2] as IncomingFolder).beginRaw()
      names.push((await file.finish()).file)
    }
    expect(new Set(names).size).toBe(60)
    expect(new Set(names.map((name) => path.dirname(keyOf(name)))).size).toBe(2)
  })

  it('begins nothing below the reserve', () => {
    const folder = folderOf({ minimumFreeBytes: 2 ** 60 })
    expect(() => folder.begin(meta)).toThrow(expect.objectContaining({ code: 'out-of-space', retry: 'transient' }))
    // An Error Comment shows it whole (PS3.7 C.4.2).
    expect(() => folder.begin(meta)).toThrow(/^.{1,64}$/)
    expect(incoming()).toEqual([])
  })

  it('says what the file system says', () => {
    const folder = folderOf()
    rmSync(path.join(dataDir, 'incoming'), { recursive: true })
    expect(() => folder.begin(meta)).toThrow(expect.objectContaining({ code: 'write-failed' }))
  })

  it.skipIf(process.platform !== 'linux')(
    'lets nobody wait while the file system frees what was discarded',
    async () => {
      const file = folderOf().begin(meta)
      file.write(Buffer.alloc(10))
      const isOpen = () => openFiles().includes(`${file.path} (deleted)`)
      // All threads are busy: what is handed to one of them is not done yet when it is looked at.
      const busy = Array.from({ length: 16 }, () => hash('', '', 20_000, 64, 'sha512'))
      file.discard()
      expect([incoming(), isOpen()]).toEqual([[], true])
      await Promise.all(busy)
      while (isOpen()) await new Promise(setImmediate)
    },
  )

  it.skipIf(process.platform !== 'linux')('closes what it opened', async () => {
    const before = readdirSync('/proc/self/fd').length
    const folder = folderOf()
    for (let n = 0; n < 50; n++) {
      const file = folder.begin(meta)
      if (n % 3 === 0) file.discard()
      else if (n % 3 === 1) await file.quarantine()
      else await file.finish()
    }
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 2)
  })
})
