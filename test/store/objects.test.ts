import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DiskObjects } from '../../src/store/disk-objects.ts'
import { keyOf, validKey } from '../../src/store/objects.ts'

let dataDir: string
let objects: DiskObjects
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'hilum-objects-'))
  mkdirSync(path.join(dataDir, 'incoming'))
  objects = new DiskObjects(dataDir)
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const incoming = (file: string, content = 'bytes') => {
  const place = path.join(dataDir, 'incoming', file)
  writeFileSync(place, content)
  return place
}

it('takes a file over, and gives its place and size', async () => {
  const from = incoming('ab12.dcm')
  await objects.put('ab/12/ab12.dcm', from)
  expect(existsSync(from)).toBe(false)
  expect(await objects.pathOf('ab/12/ab12.dcm')).toBe(path.join(dataDir, 'objects/ab/12/ab12.dcm'))
  expect(await objects.stat('ab/12/ab12.dcm')).toEqual({ size: 5 })
})

it('can be asked twice to take the same file over', async () => {
  const from = incoming('ab12.dcm')
  await objects.put('ab/12/ab12.dcm', from)
  await objects.put('ab/12/ab12.dcm', from)
  expect(readFileSync(await objects.pathOf('ab/12/ab12.dcm'), 'utf8')).toBe('bytes')
  await expect(objects.put('ab/12/other.dcm', path.join(dataDir, 'incoming/other.dcm'))).rejects.toMatchObject({
    code: 'ENOENT',
  })
})

it('finds an object that still waits in the incoming folder', async () => {
  const from = incoming('ab12.dcm')
  expect(await objects.pathOf('ab/12/ab12.dcm')).toBe(from)
  expect(await objects.stat('ab/12/ab12.dcm')).toEqual({ size: 5 })
})

it('keeps results apart, and never takes an incoming file for one', async () => {
  incoming('r.dcm')
  await expect(objects.pathOf('results/1.2.3/r.dcm')).rejects.toMatchObject({ code: 'object-missing' })
  await objects.put('results/1.2.3/r.dcm', incoming('r2.dcm', 'result'))
  expect(await objects.pathOf('results/1.2.3/r.dcm')).toBe(path.join(dataDir, 'results/1.2.3/r.dcm'))
})

it('removes an object wherever it is, and nothing where there is none', async () => {
  incoming('ab12.dcm')
  await objects.remove('ab/12/ab12.dcm')
  await objects.remove('ab/12/ab12.dcm')
  expect(await objects.stat('ab/12/ab12.dcm')).toBeNull()
})

it('spreads received files over folders, by their names', () => {
  expect(keyOf('00ff12ab.dcm')).toBe('00/ff/00ff12ab.dcm')
  expect(keyOf('request-1.dcm')).toMatch(/^[0-9a-f]{2}\/[0-9a-f]{2}\/request-1\.dcm$/)
  expect(() => keyOf('../../etc/passwd.dcm')).toThrow(/unexpected name/)
  expect(() => keyOf('abcd.part')).toThrow(/unexpected name/)
})

it('accepts no key that leaves the store', () => {
  for (const key of ['a/../../b', '/etc/passwd', 'a//b', 'a', '', 'a/.hidden', 'a\\b/c', 'a/b\0'])
    expect(() => validKey(key)).toThrow()
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      let key: string
      try {
        key = validKey(`${a}/${b}`)
      } catch {
        return
      }
      expect(path.join('/store', key).startsWith('/store/')).toBe(true)
      expect(path.normalize(key)).toBe(key)
    }),
  )
})

it('answers for an instance in a journal only as long as the journal is there', async () => {
  const journal = path.join(dataDir, 'journal', 'j.journal')
  mkdirSync(path.dirname(journal))
  writeFileSync(journal, 'anything')
  const file = `${'ab12'.padEnd(24, '0')}.dcm`
  objects.journals.expect({ journal: 'j', offset: 0, file, length: 5 })
  expect(await objects.stat(keyOf(file))).toEqual({ size: 5 })
  rmSync(journal)
  expect(await objects.stat(keyOf(file))).toBeNull()
})
