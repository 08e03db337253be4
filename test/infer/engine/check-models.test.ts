import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run as pipelineCommand } from '../../../src/commands/pipeline.ts'
import { checkModels } from '../../../src/infer/engine/check-models.ts'
import { writePipeline, writeSeries } from './cube.ts'

const body = `
inputs: [{ name: mr, kind: volume, modality: MR }]
infer:
  - name: same
    model: { file: model.onnx, sha256: SHA }
    inputs: { input: { from: mr, layout: NCDHW } }
    outputs: { output: given }
outputs: [{ kind: nifti, from: given }]
`

describe('checkModels', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-models-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('finds nothing wrong with a manifest that speaks of the model as it is', async () => {
    expect(await checkModels(await writePipeline(folder, body))).toEqual([])
  })

  it.each([
    ['inputs: { input:', 'inputs: { inputs:', 'no input inputs (did you mean "input"?): it has input'],
    ['inputs: { input:', 'inputs: { inputs:', "the model's input input is not fed"],
    ['outputs: { output:', 'outputs: { logits:', 'the model has no output logits: it has output'],
    ['layout: NCDHW', 'layout: NCHW', 'has 5 dimensions, the layout NCHW has 4'],
    ['layout: NCDHW', 'layout: NCDHW, type: uint8', 'is float32, it is given uint8'],
  ])('says where %s became %s', async (before, after, words) => {
    const problems = await checkModels(await writePipeline(folder, body.replace(before, after)))
    expect(problems.map(({ message }) => message).join('\n')).toContain(words)
    for (const { path: at } of problems) expect(at.slice(0, 2)).toEqual(['infer', 0])
  })

  it('says that a file is no model', async () => {
    const pipeline = await writePipeline(folder, body)
    writeFileSync(path.join(pipeline.folder, 'model.onnx'), 'no model')
    expect(await checkModels(pipeline)).toMatchObject([
      { path: ['infer', 0, 'model'], message: expect.stringContaining('model.onnx') },
    ])
  })
})

describe('hilum pipeline', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-pipeline-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('checks a folder and runs its pipeline on the files of another', async () => {
    const { folder: own } = await writePipeline(folder, body)
    expect(await pipelineCommand(['check', own])).toBe(0)
    expect(await pipelineCommand(['check', path.join(own, 'pipeline.yaml')])).toBe(0)
    const { files } = writeSeries(folder)
    const out = path.join(folder, 'results')
    const series = path.dirname(files[0] ?? '')
    expect(await pipelineCommand(['run', own, '--input', `mr=${series}`, '--out', out])).toBe(0)
    await expect(pipelineCommand(['run', own, '--input', `mr=${series}`, '--out', out])).rejects.toThrow(/empty folder/)
    await expect(pipelineCommand(['run', own, '--input', `ct=${series}`, '--out', out])).rejects.toThrow(
      /needs --input mr/,
    )
  })

  it('gives exit code 1 for a folder with problems, and 2 for nonsense', async () => {
    const { folder: own } = await writePipeline(folder, body)
    writeFileSync(path.join(own, 'pipeline.yaml'), 'schema: 2\n')
    expect(await pipelineCommand(['check', own])).toBe(1)
    await expect(pipelineCommand(['chekc'])).rejects.toMatchObject({ code: 'usage' })
    await expect(pipelineCommand(['run', own])).rejects.toMatchObject({ code: 'usage' })
  })
})
