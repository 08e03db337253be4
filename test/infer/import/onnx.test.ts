import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { run as pipelineCommand } from '../../../src/commands/pipeline.ts'
import { loadPipeline, type Pipeline } from '../../../src/infer/load-pipelines.ts'
import { cube, run, writeSeries } from '../engine/cube.ts'
import { classifier, recurrent, twoClasses, writeTree } from './models.ts'
import { segmentVoxels } from './segment-voxels.ts'

/** All of the cube of the series. */
const whole = { count: 6 ** 3, low: [cube.from, cube.from, cube.from], high: [cube.to - 1, cube.to - 1, cube.to - 1] }

describe('hilum pipeline import of an ONNX file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-import-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** Imports a model with answers, and gives the pipeline, which has to pass the check. */
  async function imported(graph: Parameters<typeof writeTree>[1][string], answers: object): Promise<Pipeline> {
    await writeTree(folder, { 'net.onnx': graph, 'answers.yaml': stringify(answers) })
    const out = path.join(folder, 'out')
    const args = ['import', path.join(folder, 'net.onnx'), '--answers', path.join(folder, 'answers.yaml'), '--out', out]
    expect(await pipelineCommand(args)).toBe(0)
    expect(await pipelineCommand(['check', out])).toBe(0)
    const { pipeline } = await loadPipeline(out)
    return pipeline as Pipeline
  }

  it('makes a 3D segmentation that finds the cube where it is', async () => {
    const pipeline = await imported(twoClasses([8, 8, 8]), {
      modality: 'MR',
      axes: 'LPS',
      spacing: [2, 2, 3],
      intensity: 'min-max',
      classes: [{ name: 'Liver' }],
    })
    expect(pipeline.name).toBe('net')
    expect(pipeline.infer[0]?.run).toMatchObject({ kind: 'sliding-window', size: [8, 8, 8] })
    expect(pipeline.segments).toMatchObject([{ id: 'liver', type: { value: '10200004', scheme: 'SCT' } }])
    expect(readdirSync(pipeline.folder).sort()).toEqual(['README.md', 'model.onnx', 'pipeline.yaml'])
    const outcome = await run(folder, pipeline, { images: writeSeries(folder) })
    expect(await segmentVoxels(outcome)).toEqual(whole)
  })

  it('pads to the size that a model takes whole, where voxels have the spacing of training', async () => {
    const pipeline = await imported(twoClasses([20, 20, 20]), {
      modality: 'MR',
      spacing: [2, 2, 3],
      window: 'none',
      intensity: 'min-max',
      classes: 'thing',
    })
    expect(pipeline.prepare.prepared?.steps.map(({ step }) => step)).toEqual([
      'reorient',
      'resample',
      'fit',
      'scale-range',
    ])
    expect(await segmentVoxels(await run(folder, pipeline, { images: writeSeries(folder) }))).toEqual(whole)
  })

  it('makes a 2D segmentation, slice by slice, whose results come back from another size', async () => {
    const pipeline = await imported(twoClasses([32, 32]), { modality: 'MR', intensity: 'min-max', classes: 'thing' })
    expect(pipeline.infer[0]?.run).toMatchObject({ kind: 'slices' })
    expect(pipeline.prepare.prepared?.steps[0]).toMatchObject({ step: 'resize', options: { size: [32, 32] } })
    const outcome = await run(folder, pipeline, { images: writeSeries(folder) })
    expect(await segmentVoxels(outcome)).toEqual(whole)
  })

  it('makes a classifier, with a sigmoid for one class', async () => {
    const pipeline = await imported(classifier, {
      modality: 'MR',
      source: 'volume',
      intensity: 'min-max',
      classes: 'opacity',
    })
    expect(pipeline.finish.probability?.steps).toMatchObject([{ step: 'sigmoid' }])
    expect(pipeline.outputs).toMatchObject([{ kind: 'classification-report', classes: [{ id: 'opacity' }] }])
  })

  it('shows what a classifier’s answer depends on, where that is wanted', async () => {
    const pipeline = await imported(classifier, {
      modality: 'MR',
      source: 'image',
      intensity: 'min-max',
      classes: 'brightness',
      saliency: 'occlusion',
    })
    expect(pipeline.infer[0]?.occlusion).toMatchObject({ value: 'evidence', activation: 'sigmoid', size: [2, 2] })
    expect(pipeline.outputs.map(({ kind }) => kind)).toEqual(['classification-report', 'colour-capture'])
    const outcome = await run(folder, pipeline, { images: writeSeries(folder) })
    const roles = outcome.kind === 'done' ? outcome.results.map(({ role }) => role) : [outcome.reason]
    expect(roles.sort()).toEqual(['capture-colour-capture', 'classification'])
  })

  it('recognises the state of a recurrent model, and runs it along the slices', async () => {
    const pipeline = await imported(recurrent, {
      modality: 'MR',
      intensity: 'divide 1000',
      activation: 'probabilities',
      classes: 'wake',
    })
    expect(pipeline.infer[0]?.run).toMatchObject({ kind: 'sequence', along: 'slices', state: { h_in: 'h_out' } })
    const outcome = await run(folder, pipeline, { images: writeSeries(folder) })
    // What was bright once stays: from the cube's first slice to the last of the volume.
    expect(await segmentVoxels(outcome)).toMatchObject({ count: 6 * 6 * (16 - cube.from) })
  })

  it('takes channels that are last, and a name for the pipeline', async () => {
    const graph = {
      ...twoClasses([1], 3),
      inputs: { image: ['float32', [1, 16, 16, 1]] },
      outputs: { pred: ['float32', [1, 16, 16, 2]] },
    } as const
    const pipeline = await imported(graph, { modality: 'MR', intensity: 'min-max', classes: 'thing' })
    expect(pipeline.infer[0]?.inputs).toMatchObject({ image: { layout: 'NHWC' } })
    const outcome = await run(folder, pipeline, { images: writeSeries(folder) })
    expect(await segmentVoxels(outcome)).toMatchObject({ count: 6 ** 3 })
  })

  it.each([
    [{ modlity: 'MR' }, /modlity: nobody asks this here \(did you mean "modality"\?\)/],
    [{ kind: 'segmentation' }, /kind: "segmentation": one of segmentation-3d/],
    [{ layout: 'NCHW' }, /the model's input image has 5 dimensions/],
    [{ window: [96, 96, 96] }, /the model takes 8,8,8 voxels/],
    [{ intensity: 'windows 1 2' }, /intensity: "windows 1 2"/],
    [{ classes: ['a', 'b'] }, /2 are given, 1 is expected/],
    [{ spacing: '1, 0, 1' }, /numbers above 0/],
  ])('refuses the answers %j, and writes nothing', async (answers, words) => {
    await writeTree(folder, { 'net.onnx': twoClasses([8, 8, 8]), 'answers.yaml': stringify(answers) })
    const out = path.join(folder, 'out')
    const args = ['import', path.join(folder, 'net.onnx'), '--answers', path.join(folder, 'answers.yaml'), '--out', out]
    await expect(pipelineCommand(args)).rejects.toThrow(words)
    expect(readdirSync(folder)).not.toContain('out')
  })

  it('refuses what is no model, and a folder that holds something', async () => {
    writeFileSync(path.join(folder, 'net.pt'), '')
    await expect(pipelineCommand(['import', path.join(folder, 'net.pt')])).rejects.toThrow(/ONNX file is expected/)
    await expect(pipelineCommand(['import', folder])).rejects.toThrow(/MONAI bundle.*nnU-Net/)
    await writeTree(folder, { 'net.onnx': twoClasses([8, 8, 8]) })
    await expect(pipelineCommand(['import', path.join(folder, 'net.onnx'), '--out', folder])).rejects.toThrow(
      /empty or new/,
    )
  })

  it('takes defaults where nobody is asked, and says what it took in the README and the manifest', async () => {
    await writeTree(folder, { 'net.onnx': twoClasses([8, 8, 8]) })
    const out = path.join(folder, 'out')
    expect(await pipelineCommand(['import', path.join(folder, 'net.onnx'), '--out', out, '--name', 'my-net'])).toBe(0)
    const text = readFileSync(path.join(out, 'pipeline.yaml'), 'utf8')
    expect(text).toMatch(/^# What is done to the images before the model sees them/m)
    expect(text).toMatch(/^ {6}- scale-range: \{ from: \[ -1000, 1000 \] \}$/m)
    expect(readFileSync(path.join(out, 'README.md'), 'utf8')).toMatch(/class-1: the code is a private one/)
  })
})

describe('hilum pipeline new', () => {
  it('begins a pipeline that runs without a model, and others that lack theirs', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hilum-new-'))
    try {
      expect(await pipelineCommand(['new', 'bones', '--folder', folder])).toBe(0)
      expect(await pipelineCommand(['check', path.join(folder, 'bones')])).toBe(0)
      for (const kind of [
        'segmentation-3d',
        'segmentation-2d',
        'classification-3d',
        'classification-2d',
        'images-3d',
        'images-2d',
      ]) {
        expect(await pipelineCommand(['new', kind, '--folder', folder, '--kind', kind])).toBe(0)
        const { problems, incomplete } = await loadPipeline(path.join(folder, kind))
        expect(problems).toEqual([])
        expect(incomplete.join()).toMatch(/model\.onnx is there/)
      }
      await expect(pipelineCommand(['new', 'x', '--folder', folder, '--kind', 'y'])).rejects.toThrow(/threshold, /)
      await expect(pipelineCommand(['new', 'Bones', '--folder', folder])).rejects.toThrow(/lower-case/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
