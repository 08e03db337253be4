import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { run as pipelineCommand } from '../../../src/commands/pipeline.ts'
import { loadPipeline, type Pipeline } from '../../../src/infer/load-pipelines.ts'
import { cube, run, writeSeries } from '../engine/cube.ts'
import { firstHalf, regions, writeTree } from './models.ts'
import { segmentVoxels } from './segment-voxels.ts'

const intensity = { max: 1200, mean: 0, median: 10, min: -50, percentile_00_5: -20, percentile_99_5: 1000, std: 1000 }

/** plans.json as nnU-Net v2 writes it, for images of 2 x 2 x 3 mm. */
const plans = (more: object = {}, configuration: object = {}) => ({
  dataset_name: 'Dataset001_Cube',
  plans_name: 'nnUNetPlans',
  original_median_spacing_after_transp: [3, 2, 2],
  image_reader_writer: 'SimpleITKIO',
  transpose_forward: [0, 1, 2],
  transpose_backward: [0, 1, 2],
  configurations: {
    '2d': {
      data_identifier: 'nnUNetPlans_2d',
      preprocessor_name: 'DefaultPreprocessor',
      batch_size: 12,
      patch_size: [16, 8],
      spacing: [2, 2],
      normalization_schemes: ['CTNormalization'],
      use_mask_for_norm: [false],
    },
    '3d_fullres': {
      data_identifier: 'nnUNetPlans_3d_fullres',
      preprocessor_name: 'DefaultPreprocessor',
      batch_size: 2,
      patch_size: [16, 8, 4],
      spacing: [3, 2, 2],
      normalization_schemes: ['CTNormalization'],
      use_mask_for_norm: [false],
      ...configuration,
    },
    '3d_cascade_fullres': { inherits_from: '3d_fullres', previous_stage: '3d_lowres' },
  },
  label_manager: 'LabelManager',
  foreground_intensity_properties_per_channel: { 0: intensity },
  ...more,
})

const dataset = (more: object = {}) => ({
  channel_names: { 0: 'CT' },
  labels: { background: 0, liver: 1 },
  numTraining: 10,
  file_ending: '.nii.gz',
  name: 'Cube',
  ...more,
})

describe('hilum pipeline import of a model of nnU-Net', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-nnunet-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  async function imported(files: Parameters<typeof writeTree>[1], answers: object = {}): Promise<Pipeline> {
    const model = await writeTree(path.join(folder, 'model'), files)
    await writeTree(folder, { 'answers.yaml': stringify({ modality: 'MR', ...answers }) })
    const args = ['import', model, '--answers', path.join(folder, 'answers.yaml'), '--out', path.join(folder, 'out')]
    expect(await pipelineCommand(args)).toBe(0)
    return (await loadPipeline(path.join(folder, 'out'))).pipeline as Pipeline
  }

  it('takes spacing and patch in the order z, y, x, and CT normalisation from the statistics of the foreground', async () => {
    const pipeline = await imported({
      'plans.json': plans(),
      'dataset.json': dataset(),
      'fold_0/checkpoint.onnx': firstHalf([16, 8, 4]),
    })
    expect(pipeline.prepare.prepared?.steps).toEqual([
      { step: 'reorient', options: expect.objectContaining({ axes: 'RAS' }) },
      { step: 'crop-nonzero', options: { margin: 0, empty: 'keep' } },
      { step: 'clip', options: { minimum: -20, maximum: 1000 } },
      { step: 'normalise', options: { mean: 0, std: 1000 } },
      { step: 'resample', options: { spacing: [2, 2, 3], interpolation: 'cubic', antiAlias: false } },
    ])
    expect(pipeline.infer[0]).toMatchObject({
      inputs: { image: { layout: 'NCDHW' } },
      run: { kind: 'sliding-window', size: [4, 8, 16], overlap: 0.5, blend: 'gaussian' },
    })
    // The first dimension is the slices, from the feet.
    expect(await segmentVoxels(await run(folder, pipeline, { ct: writeSeries(folder) }))).toEqual({
      count: 6 * 6 * 3,
      low: [cube.from, cube.from, cube.from],
      high: [cube.to - 1, cube.to - 1, 7],
    })
  })

  it('follows transposed axes', async () => {
    const pipeline = await imported({
      'plans.json': plans({ transpose_forward: [2, 0, 1], transpose_backward: [1, 2, 0] }, { spacing: [2, 3, 2] }),
      'dataset.json': dataset({ name: undefined }),
      'model.onnx': firstHalf([16, 8, 4]),
    })
    expect(pipeline.title).toBe('Dataset001_Cube')
    expect(pipeline.infer[0]).toMatchObject({ inputs: { image: { layout: 'NCWDH' } }, run: { size: [16, 4, 8] } })
    expect(pipeline.prepare.prepared?.steps.at(-1)).toMatchObject({ options: { spacing: [2, 2, 3] } })
    // Columns come first, and grow to the patient's right.
    expect(await segmentVoxels(await run(folder, pipeline, { ct: writeSeries(folder) }))).toMatchObject({
      low: [8, cube.from, cube.from],
      high: [cube.to - 1, cube.to - 1, cube.to - 1],
    })
  })

  it('runs a 2D configuration slice by slice, in windows', async () => {
    const pipeline = await imported(
      { 'plans.json': plans(), 'dataset.json': dataset(), 'model.onnx': firstHalf([16, 8]) },
      { axes: 'LPS', mirroring: 'no' },
    )
    expect(pipeline.infer[0]).toMatchObject({ inputs: { image: { layout: 'NCHW' } }, run: { size: [8, 16, 1] } })
    expect(await segmentVoxels(await run(folder, pipeline, { ct: writeSeries(folder) }))).toEqual({
      count: 6 * 3 * 6,
      low: [cube.from, cube.from, cube.from],
      high: [cube.to - 1, 7, cube.to - 1],
    })
  })

  it('makes an ensemble of folds, and mirrors where that is wanted', async () => {
    const pipeline = await imported(
      {
        'plans.json': plans(),
        'dataset.json': dataset(),
        'fold_0/a.onnx': firstHalf([16, 8, 4]),
        'fold_1/a.onnx': firstHalf([16, 8, 4]),
      },
      { mirroring: true },
    )
    expect(pipeline.infer[0]?.model).toMatchObject([{ file: 'model-1.onnx' }, { file: 'model-2.onnx' }])
    expect(pipeline.infer[0]?.augment).toMatchObject({ flips: ['i', 'j', 'k'] })
  })

  it('normalises channels each in its way, and gives regions in the order of their classes', async () => {
    const configuration = {
      patch_size: [16, 16, 16],
      normalization_schemes: ['CTNormalization', 'RescaleTo01Normalization'],
      use_mask_for_norm: [false, false],
    }
    const pipeline = await imported({
      'plans.json': plans({}, configuration),
      'dataset.json': dataset({
        channel_names: { 0: 'CT', 1: 'T1 (contrast)' },
        labels: { background: 0, whole: [1, 2, 3], core: [2, 3], ring: 3, ignore: 4 },
        regions_class_order: [1, 2, 3],
      }),
      'model.onnx': regions([16, 16, 16]),
    })
    expect(pipeline.inputs.map(({ name }) => name)).toEqual(['ct', 't1-contrast'])
    expect(pipeline.prepare['t1-contrast-normalised']?.steps.map(({ step }) => step)).toEqual([
      'select-channels',
      'scale-range',
    ])
    expect(pipeline.prepare.prepared).toMatchObject({
      from: ['ct-normalised', 't1-contrast-normalised'],
      align: 'same-grid',
    })
    const outcome = await run(folder, pipeline, {
      ct: writeSeries(folder, { series: 1 }),
      't1-contrast': writeSeries(folder, { series: 2 }),
    })
    // Every region claims the cube: the last of the order has it.
    expect((await segmentVoxels(outcome, 3)).count).toBe(6 ** 3)
    expect((await segmentVoxels(outcome, 1)).count).toBe(0)
  })

  it('resamples thick slices along their axis by the nearest', async () => {
    const thick = { spacing: [8, 2, 2], normalization_schemes: ['ZScoreNormalization'], use_mask_for_norm: [true] }
    const { prepare } = await imported({
      'plans.json': plans({}, thick),
      'dataset.json': dataset(),
      'model.onnx': firstHalf([16, 8, 4]),
    })
    expect(prepare.prepared?.steps.slice(2)).toMatchObject([
      { step: 'z-score', options: { of: 'non-zero' } },
      { step: 'resample', options: { spacing: [2, 2, null], interpolation: 'cubic' } },
      { step: 'resample', options: { spacing: [null, null, 8], interpolation: 'nearest' } },
    ])
  })

  it.each([
    [{ 'plans.json': plans() }, { configuration: '3d_cascade_fullres' }, /a cascade is not imported/],
    [{ 'plans.json': plans() }, { configuration: '2d' }, /2d has 2 dimensions, the model 3/],
    [{ 'plans.json': plans({ foreground_intensity_properties_per_channel: {} }) }, {}, /percentile_00_5/],
    [
      { 'dataset.json': dataset({ labels: { background: 0, a: 1, b: 2 } }) },
      {},
      /gives 2 channels, dataset\.json has labels for 3/,
    ],
    [
      { 'dataset.json': dataset({ channel_names: { 0: 'CT', 1: 'PET' } }) },
      {},
      /takes 1 channels, dataset\.json names 2/,
    ],
  ])('refuses what does not fit together (%#)', async (files, answers, words) => {
    const all = { 'plans.json': plans(), 'dataset.json': dataset(), 'model.onnx': firstHalf([16, 8, 4]), ...files }
    await expect(imported(all, answers)).rejects.toThrow(words)
  })
})
