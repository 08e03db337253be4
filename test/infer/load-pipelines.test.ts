import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadPipelines } from '../../src/infer/load-pipelines.ts'
import { repository } from '../support/data.ts'

const models = path.join(repository, 'models')

describe('loadPipelines', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-models-'))
    cpSync(path.join(models, 'ct-lung-density'), path.join(folder, 'ct-lung-density'), { recursive: true })
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('loads the pipelines of this repository without a problem', async () => {
    const { pipelines, problems } = await loadPipelines(models)
    expect(problems).toEqual([])
    expect(pipelines.map((p) => p.name)).toContain('ct-lung-density')
    expect(pipelines[0]?.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it('gives another digest for another manifest, and the same for the same', async () => {
    const digest = async (): Promise<string | undefined> => (await loadPipelines(folder)).pipelines[0]?.digest
    const before = await digest()
    expect(before).toBe((await loadPipelines(models)).pipelines.find((p) => p.name === 'ct-lung-density')?.digest)
    appendFileSync(path.join(folder, 'ct-lung-density', 'README.md'), 'more words')
    expect(await digest()).toBe(before)
    appendFileSync(path.join(folder, 'ct-lung-density', 'pipeline.yaml'), '\n# another\n')
    expect(await digest()).not.toBe(before)
  })

  it('names a model that is not the one that the manifest means', async () => {
    appendFileSync(path.join(folder, 'ct-lung-density', 'model.onnx'), 'x')
    const { pipelines, problems } = await loadPipelines(folder)
    expect(pipelines).toEqual([])
    expect(problems).toEqual([
      expect.stringMatching(
        /pipeline\.yaml:\d+:\d+: infer\.0\.model: .*model\.onnx: SHA-256 is [0-9a-f]{64}, [0-9a-f]{64} is expected/,
      ),
    ])
  })

  it('says what is still to be supplied, and from where, of a pipeline that is otherwise in order', async () => {
    const own = path.join(folder, 'ct-lung-density')
    const manifest = path.join(own, 'pipeline.yaml')
    renameSync(path.join(own, 'model.onnx'), path.join(folder, 'elsewhere'))
    expect((await loadPipelines(folder)).problems).toEqual([
      expect.stringMatching(
        /pipeline\.yaml:\d+:\d+: infer\.0\.model: .*model\.onnx: the file cannot be read: there is none/,
      ),
    ])
    writeFileSync(manifest, `${readFileSync(manifest, 'utf8')}\nsupplied: { model.onnx: 'https://example.org/air' }\n`)
    const { pipelines, problems, incomplete } = await loadPipelines(folder)
    expect([pipelines, problems]).toEqual([[], []])
    expect(incomplete).toEqual([
      expect.stringMatching(
        /^ct-lung-density cannot be used before .*model\.onnx is there: it comes from https:\/\/example\.org\/air$/,
      ),
    ])
    renameSync(path.join(folder, 'elsewhere'), path.join(own, 'model.onnx'))
    expect((await loadPipelines(folder)).pipelines).toHaveLength(1)
  })

  it('names two folders of one version, a folder without manifest, and a folder that is not there', async () => {
    cpSync(path.join(folder, 'ct-lung-density'), path.join(folder, 'second'), { recursive: true })
    mkdirSync(path.join(folder, 'third'))
    const { pipelines, problems } = await loadPipelines(folder)
    expect(pipelines).toHaveLength(1)
    expect(problems).toEqual([
      expect.stringMatching(/second: version \d+\.\d+\.\d+ of ct-lung-density is already in .*ct-lung-density$/),
      expect.stringContaining(path.join('third', 'pipeline.yaml')),
    ])
    expect((await loadPipelines(path.join(folder, 'nowhere'))).problems).toHaveLength(1)
  })

  it('goes on to the next pipeline after a broken one', async () => {
    mkdirSync(path.join(folder, 'a-broken'))
    writeFileSync(path.join(folder, 'a-broken', 'pipeline.yaml'), 'schema: 2\nname: [')
    const { pipelines, problems } = await loadPipelines(folder)
    expect(pipelines).toHaveLength(1)
    expect(problems[0]).toMatch(/a-broken.pipeline\.yaml:2:\d+: /)
  })
})
