import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installPipelines } from '../../src/flow/installed-pipelines.ts'
import type { Log } from '../../src/log.ts'
import { silentLog } from '../../src/log.ts'
import { repository } from '../support/data.ts'
import { type TemporaryStore, temporaryStore } from '../support/temporary-store.ts'

describe('pipelines that are installed', () => {
  let store: TemporaryStore
  let folder: string
  let warnings: unknown[]
  let log: Log

  beforeEach(async () => {
    store = await temporaryStore()
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-pipelines-'))
    for (const name of ['one', 'two'])
      cpSync(path.join(repository, 'models', 'ct-lung-density'), path.join(folder, name), { recursive: true })
    edit((text) => text.replace('name: ct-lung-density', 'name: other'))
    warnings = []
    log = { ...silentLog, warn: (message: string, details: unknown) => void warnings.push([message, details]) }
  })
  afterEach(async () => {
    rmSync(folder, { recursive: true, force: true })
    await store.dispose()
  })

  function edit(change: (text: string) => string): void {
    const file = path.join(folder, 'two', 'pipeline.yaml')
    writeFileSync(file, change(readFileSync(file, 'utf8')))
  }
  const install = () => installPipelines(folder, store.database, '2026-11-21T12:00:00.000Z', log)

  it('are those without fault; one that waits for a file is told of, and keeps no node from starting', async () => {
    edit((text) => text.replace('inputs:\n', 'supplied: { model.onnx: "https://example.org/model" }\ninputs:\n'))
    rmSync(path.join(folder, 'two', 'model.onnx'))
    const installed = await install()
    expect(installed.list().map(({ name }) => name)).toEqual(['ct-lung-density'])
    expect(installed.pinned('other')).toBeNull()
    expect(warnings).toEqual([
      [
        'a pipeline is not installed completely',
        {
          reason: expect.stringMatching(/^other cannot be used before .* it comes from https:\/\/example.org\/model$/),
        },
      ],
    ])
  })

  it('are none where one has a fault', async () => {
    edit((text) => text.replace('schema: 2', 'schema: 3'))
    await expect(install()).rejects.toMatchObject({ code: 'invalid-pipelines' })
  })
})
