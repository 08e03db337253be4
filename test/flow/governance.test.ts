import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { installPipelines } from '../../src/flow/installed-pipelines.ts'
import { silentLog } from '../../src/log.ts'
import { repository } from '../support/data.ts'
import { temporaryStore } from '../support/temporary-store.ts'
import { governanceCases } from './governance-cases.ts'

describe('versions of a pipeline', () => {
  governanceCases(temporaryStore)

  it('lie side by side, each by its digest; a changed file under the same version is told, once', async ({
    onTestFinished,
  }) => {
    const store = await temporaryStore()
    const folder = mkdtempSync(path.join(tmpdir(), 'hilum-versions-'))
    onTestFinished(async () => {
      await store.dispose()
      rmSync(folder, { recursive: true })
    })
    const manifestOf = (of: string) => path.join(folder, of, 'pipeline.yaml')
    const change = (of: string, by: (text: string) => string) =>
      writeFileSync(manifestOf(of), by(readFileSync(manifestOf(of), 'utf8')))
    for (const name of ['ct-lung-density', 'ct-lung-density@99.0.0'])
      cpSync(path.join(repository, 'models', 'ct-lung-density'), path.join(folder, name), { recursive: true })
    change('ct-lung-density@99.0.0', (text) => text.replace(/^version: .*$/m, 'version: 99.0.0'))
    const warnings: unknown[] = []
    const log = { ...silentLog, warn: (_: string, context: unknown) => void warnings.push(context) }
    const install = () => installPipelines(folder, store.database, '2026-11-21T12:00:00.000Z', log)

    const first = await install()
    const listed = first.list()
    expect(listed.map(({ version, isDefault }) => [version, isDefault])).toEqual([
      ['99.0.0', true],
      [expect.stringMatching(/^\d\.\d+\.\d+$/), false],
    ])
    expect(first.get('ct-lung-density')?.version).toBe('99.0.0')
    const older = listed[1]
    expect(first.get(`ct-lung-density@${older?.version}`)?.digest).toBe(older?.digest)
    expect(first.pinned(`ct-lung-density@${older?.digest}`)).toBe(`ct-lung-density@${older?.digest}`)
    expect(first.get('ct-lung-density@0.0.1')).toBeUndefined()
    expect(warnings).toEqual([])

    change('ct-lung-density@99.0.0', (text) => `${text}\n# changed\n`)
    const second = await install()
    const digest = second.get('ct-lung-density')?.digest
    expect(warnings).toMatchObject([
      { pipeline: 'ct-lung-density', version: '99.0.0', digest, earlier: listed[0]?.digest },
    ])
    expect(await store.database('pipelines').where({ version: '99.0.0' }).pluck('digest')).toHaveLength(2)
    await install()
    expect(warnings).toHaveLength(1)
  })
})
