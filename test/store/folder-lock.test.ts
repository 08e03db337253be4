import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { lockDataFolder } from '../../src/store/folder-lock.ts'

describe('the lock of a data folder', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hilum-lock-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('is held by one at a time, and can be taken again when it was given back', () => {
    const unlock = lockDataFolder(folder)
    expect(() => lockDataFolder(folder)).toThrow('another node runs on this data folder')
    unlock()
    lockDataFolder(folder)()
  })
})
