import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadPipelines, parseManifest } from '../../src/infer/load-pipelines.ts'
import { repository } from '../support/data.ts'

const models = path.join(repository, 'models')
const text = readFileSync(path.join(models, 'ct-lung-density', 'pipeline.yaml'), 'utf8')

describe('loadPipelines', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-models-'))
    cpSync(models, folder, { recursive: true })
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
    expect(before).toBe((await loadPipelines(models)).pipelines[0]?.digest)
    appendFileSync(path.join(folder, 'ct-lung-density', 'README.md'), 'more words')
    expect(await digest()).toBe(before)
    appendFileSync(path.join(folder, 'ct-lung-density', 'pipeline.yaml'), '\n# another\n')
    expect(await digest()).not.toBe(before)
  })

  it('names a model that is not the one that the manifest means', async () => {
    appendFileSync(path.join(folder, 'ct-lung-density', 'model.onnx'), 'x')
    const { pipelines, problems } = await loadPipelines(folder)
    expect(pipelines).toEqual([])
    expect(problems).toEqual([expect.stringMatching(/model\.onnx: SHA-256 is [0-9a-f]{64}, [0-9a-f]{64} is expected/)])
  })

  it('names two pipelines of one name, a folder without manifest, and a folder that is not there', async () => {
    cpSync(path.join(folder, 'ct-lung-density'), path.join(folder, 'second'), { recursive: true })
    mkdirSync(path.join(folder, 'third'))
    const { pipelines, problems } = await loadPipelines(folder)
    expect(pipelines).toHaveLength(1)
    expect(problems).toEqual([
      expect.stringContaining('the name ct-lung-density is already taken'),
      expect.stringContaining(path.join('third', 'pipeline.yaml')),
    ])
    expect((await loadPipelines(path.join(folder, 'nowhere'))).problems).toHaveLength(1)
  })

  it('goes on to the next pipeline after a broken one', async () => {
    mkdirSync(path.join(folder, 'a-broken'))
    writeFileSync(path.join(folder, 'a-broken', 'pipeline.yaml'), 'schema: 1\nname: [')
    const { pipelines, problems } = await loadPipelines(folder)
    expect(pipelines).toHaveLength(1)
    expect(problems[0]).toMatch(/a-broken.pipeline\.yaml:2:\d+: /)
  })
})

describe('parseManifest', () => {
  it.each([
    ['contrast: forbidden', 'contrast: perhaps', 'contrast'],
    ['slab: 16', 'slab: 0', 'inference.slab'],
    ['segment: right-lung', 'segment: third-lung', 'no segment has the id third-lung'],
    ['minimumVolume: 0.5', 'minimumvolume: 0.5', 'minimumVolume'],
    ['      parameter: -950\n', '', 'fraction-below needs a parameter'],
  ])('says where %s became %s', (before, after, words) => {
    expect(text).toContain(before)
    const { manifest, problems } = parseManifest(text.replace(before, after))
    expect(manifest).toBeNull()
    expect(problems.join('\n')).toContain(words)
    for (const problem of problems) expect(problem).toMatch(/^\d+:\d+: /)
  })

  it('points at the line of the value', () => {
    const changed = text.replace('contrast: forbidden', 'contrast: perhaps')
    const line = changed.split('\n').findIndex((l) => l.includes('perhaps')) + 1
    expect(parseManifest(changed).problems).toEqual([
      expect.stringMatching(new RegExp(`^${line}:15: inputs\\.0\\.contrast`)),
    ])
  })

  it('refuses what is no mapping', () => {
    expect(parseManifest('').manifest).toBeNull()
    expect(parseManifest('- 1').manifest).toBeNull()
  })
})
