import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { run as pipelineCommand } from '../../../src/commands/pipeline.ts'
import { MonaiConfig, transformsOf } from '../../../src/infer/import/monai-config.ts'
import { mapPostprocessing } from '../../../src/infer/import/monai-postprocessing.ts'
import { mapPreprocessing } from '../../../src/infer/import/monai-preprocessing.ts'
import { loadPipeline, type Pipeline } from '../../../src/infer/load-pipelines.ts'
import { cube, run, writeSeries } from '../engine/cube.ts'
import { firstHalf, regions, writeTree } from './models.ts'
import { segmentVoxels } from './segment-voxels.ts'

/** A bundle's metadata, as MONAI's schema has it. */
const metadata = (channels: number, classes: Record<string, string>) => ({
  schema: 'https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json',
  version: '0.3.1',
  name: 'Bright cube',
  task: 'A bright cube in synthetic images',
  description: 'Finds a bright cube.',
  authors: 'nobody',
  network_data_format: {
    inputs: {
      image: {
        type: 'image',
        format: 'magnitude',
        modality: 'MR',
        num_channels: channels,
        spatial_shape: [16, 8, 4],
        dtype: 'float32',
        value_range: [0, 1],
        is_patch_data: true,
        channel_def: Object.fromEntries(Array.from({ length: channels }, (_, n) => [n, `T${n + 1}w`])),
      },
    },
    outputs: {
      pred: { type: 'image', format: 'segmentation', num_channels: Object.keys(classes).length, channel_def: classes },
    },
  },
})

const inference = {
  imports: ['$import glob'],
  bundle_root: '.',
  image_key: 'image',
  roi: [16, 8, 4],
  device: "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
  preprocessing: {
    _target_: 'Compose',
    transforms: [
      { _target_: 'LoadImaged', keys: '@image_key' },
      { _target_: 'EnsureChannelFirstd', keys: '@image_key' },
      { _target_: 'Orientationd', keys: '@image_key', axcodes: 'RAS' },
      { _target_: 'Spacingd', keys: '@image_key', pixdim: [2, 2, 3], mode: 'bilinear' },
      {
        _target_: 'monai.transforms.ScaleIntensityRanged',
        keys: 'image',
        a_min: 0,
        a_max: 1000,
        b_min: 0,
        b_max: 1,
        clip: true,
      },
      { _target_: 'CropForegroundd', keys: 'image', source_key: 'image' },
      { _target_: 'EnsureTyped', keys: 'image' },
    ],
  },
  inferer: { _target_: 'SlidingWindowInferer', roi_size: '@roi', sw_batch_size: 4, overlap: 0.5, mode: 'gaussian' },
  postprocessing: {
    _target_: 'Compose',
    transforms: [
      { _target_: 'Activationsd', keys: 'pred', softmax: true },
      { _target_: 'Invertd', keys: 'pred', transform: '@preprocessing', orig_keys: 'image' },
      { _target_: 'AsDiscreted', keys: 'pred', argmax: true },
      { _target_: 'KeepLargestConnectedComponentd', keys: 'pred', applied_labels: [1] },
      { _target_: 'SaveImaged', keys: 'pred', output_dir: "$@bundle_root + '/eval'" },
    ],
  },
}

describe('hilum pipeline import of a MONAI bundle', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hilum-monai-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const importBundle = (): Promise<number> =>
    pipelineCommand(['import', path.join(folder, 'bundle'), '--out', path.join(folder, 'out'), '--name', 'cube'])
  const imported = async (): Promise<Pipeline> => (await loadPipeline(path.join(folder, 'out'))).pipeline as Pipeline

  it('makes a pipeline that finds what the model marks, where its first axis says', async () => {
    await writeTree(path.join(folder, 'bundle'), {
      'configs/metadata.json': metadata(1, { 0: 'background', 1: 'spleen' }),
      'configs/inference.json': inference,
      'models/model.onnx': firstHalf([16, 8, 4]),
    })
    expect(await importBundle()).toBe(0)
    const pipeline = await imported()
    expect(pipeline.prepare.prepared?.steps.map(({ step }) => step)).toEqual([
      'reorient',
      'resample',
      'scale-range',
      'crop-nonzero',
    ])
    expect(pipeline.infer[0]).toMatchObject({
      inputs: { image: { layout: 'NCXYZ' } },
      run: { kind: 'sliding-window', size: [16, 8, 4], overlap: 0.5, blend: 'gaussian' },
    })
    expect(pipeline.finish['labels-cleaned']?.steps).toMatchObject([
      { step: 'largest-component', options: { labels: [1] } },
    ])
    expect(pipeline.segments).toMatchObject([{ id: 'spleen', type: { value: '78961009' } }])
    // In RAS the first half of columns is the patient's left, where the source's columns end.
    expect(await segmentVoxels(await run(folder, pipeline, { images: writeSeries(folder) }))).toEqual({
      count: 3 * 6 * 6,
      low: [8, cube.from, cube.from],
      high: [cube.to - 1, cube.to - 1, cube.to - 1],
    })
  })

  it('gives a grey image to each channel where the bundle names one, and takes colours for three', async () => {
    const inputs = (modality: string, channels: Record<string, string>) => ({
      ...metadata(3, { 0: 'background', 1: 'tool' }),
      network_data_format: {
        inputs: { image: { type: 'image', modality, num_channels: 3, channel_def: channels } },
        outputs: { pred: { type: 'image', format: 'segmentation', channel_def: { 0: 'background', 1: 'tool' } } },
      },
    })
    const graph = { ...firstHalf([16, 8]), inputs: { image: ['float32', [1, 3, 16, 8]] } } as const
    const resized = [{ _target_: 'Resized', keys: 'image', spatial_size: [16, 8] }]
    const files = (content: object) => ({
      'configs/metadata.json': content,
      'configs/inference.json': {
        ...inference,
        preprocessing: { _target_: 'Compose', transforms: resized },
        inferer: { _target_: 'SimpleInferer' },
      },
      'models/model.onnx': graph,
    })
    await writeTree(path.join(folder, 'bundle'), files(inputs('Mammogram', { 0: 'image' })))
    expect(await importBundle()).toBe(0)
    const grey = await imported()
    expect(grey.inputs).toMatchObject([{ name: 'images', kind: 'image', modality: ['MG'] }])
    expect(grey.prepare.prepared?.steps.at(-1)).toEqual({ step: 'repeat-channel', options: { times: 3 } })
    expect(readFileSync(path.join(folder, 'out/README.md'), 'utf8')).toMatch(
      /Nobody answered these.*: source \(image\)\./,
    )

    rmSync(path.join(folder, 'out'), { recursive: true })
    await writeTree(path.join(folder, 'bundle'), files(inputs('RGB', { 0: 'Red', 1: 'Green', 2: 'Blue' })))
    await expect(importBundle()).rejects.toThrow(/modality: an answer is needed.*the bundle says "RGB"/)
    await writeTree(folder, { 'answers.yaml': 'modality: es\nsource: frames' })
    const args = ['import', path.join(folder, 'bundle'), '--out', path.join(folder, 'out')]
    expect(await pipelineCommand([...args, '--answers', path.join(folder, 'answers.yaml')])).toBe(0)
    expect((await imported()).inputs).toMatchObject([
      { name: 'images', kind: 'frames', modality: ['ES'], colours: 'colour' },
    ])
  })

  it('reads YAML, several series, and independent classes that overlap', async () => {
    const { preprocessing } = inference
    await writeTree(path.join(folder, 'bundle'), {
      'configs/metadata.json': metadata(2, { 0: 'one', 1: 'other', 2: 'both' }),
      'configs/inference.yaml': stringify({
        ...inference,
        preprocessing: { ...preprocessing, transforms: preprocessing.transforms.slice(0, 5) },
        inferer: { _target_: 'SimpleInferer' },
        postprocessing: {
          _target_: 'Compose',
          transforms: [{ _target_: 'AsDiscreted', keys: 'pred', threshold: 0.5 }],
        },
      }),
      'model.onnx': regions([16, 16, 16]),
    })
    expect(await importBundle()).toBe(0)
    const pipeline = await imported()
    expect(pipeline.inputs.map(({ name }) => name)).toEqual(['t1w', 't2w'])
    expect(pipeline.infer[0]?.run).toEqual({ kind: 'whole' })
    const outcome = await run(folder, pipeline, {
      t1w: writeSeries(folder, { series: 1 }),
      t2w: writeSeries(folder, { series: 2, value: 0 }),
    })
    expect((await segmentVoxels(outcome, 1)).count).toBe(6 ** 3)
    expect((await segmentVoxels(outcome, 2)).count).toBe(0)
    expect((await segmentVoxels(outcome, 3)).count).toBe(6 ** 3)
  })

  it('names every transform without a step, and leaves a place for it that the check refuses', async () => {
    const transforms = [
      ...inference.preprocessing.transforms.slice(0, 4),
      { _target_: 'Flipd', keys: 'image', spatial_axis: 0 },
      { _target_: 'CropForegroundd', keys: 'image', source_key: 'image', select_fn: '$lambda x: x > 3' },
    ]
    await writeTree(path.join(folder, 'bundle'), {
      'configs/metadata.json': metadata(1, { 0: 'background', 1: 'spleen' }),
      'configs/inference.json': {
        ...inference,
        preprocessing: { _target_: 'Compose', transforms },
        postprocessing: {
          _target_: 'Compose',
          transforms: [...inference.postprocessing.transforms, { _target_: 'Lambdad', keys: 'pred', func: '$f' }],
        },
      },
      'models/model.onnx': firstHalf([16, 8, 4]),
    })
    expect(await importBundle()).toBe(1)
    const out = path.join(folder, 'out')
    const { pipeline, problems } = await loadPipeline(out)
    expect(pipeline).toBeNull()
    expect(problems.filter((problem) => problem.includes('TODO'))).toHaveLength(3)
    const text = readFileSync(path.join(out, 'pipeline.yaml'), 'utf8')
    for (const name of ['Flipd', 'CropForegroundd', 'Lambdad'])
      expect(text).toMatch(new RegExp(`# TODO: the transform ${name}`))
    expect(await pipelineCommand(['check', out])).toBe(1)
  })

  it('says what a bundle lacks', async () => {
    await writeTree(path.join(folder, 'bundle'), { 'configs/metadata.json': metadata(1, {}) })
    await expect(importBundle()).rejects.toThrow(/inference\.json or inference\.yaml is expected/)
    await writeTree(path.join(folder, 'bundle'), { 'configs/inference.json': inference })
    await expect(importBundle()).rejects.toThrow(/0 ONNX files, one is expected/)
  })
})

describe('references of a configuration', () => {
  it('are followed, also through others and into lists; expressions stay', () => {
    const config = new MonaiConfig({
      size: [1, 2, 3],
      again: '@size',
      one: '@again::1',
      old: '@size#2',
      net: { roi: '@size', scale: '$1.5', flag: '$True', other: '$@size + [4]' },
      circle: '@circle',
      shown: { high: true, low: false },
      fine: '$[1.5, 1.5, 2] if @shown#high else [3.0, 3.0, 3.0]',
      coarse: '$@one if @shown::low else @old',
      unknown: '$1 if @absent else 2',
    })
    expect(config.find('fine')).toEqual([1.5, 1.5, 2])
    expect(config.find('coarse')).toBe(3)
    expect(config.find('unknown')).toBe('$1 if @absent else 2')
    expect(config.find('missing', 'one')).toBe(2)
    expect(config.find('old')).toBe(3)
    expect(config.find('net')).toEqual({ roi: [1, 2, 3], scale: 1.5, flag: true, other: '$@size + [4]' })
    expect(config.find('circle')).toBe('@circle')
  })
})

const mapped = (transform: object, options: { startsAtZero?: boolean } = {}) =>
  mapPreprocessing(transformsOf([{ keys: ['image'], ...transform }]), {
    keys: ['image'],
    startsAtZero: options.startsAtZero ?? true,
  })

describe('transforms of preprocessing', () => {
  it.each([
    [{ _target_: 'Orientationd', axcodes: 'LPS' }, [{ step: 'reorient', options: { axes: 'LPS' } }]],
    [
      { _target_: 'SpacingD', pixdim: [1, 1, -1], mode: ['nearest'] },
      [{ step: 'resample', options: { spacing: [1, 1, null], interpolation: 'nearest' } }],
    ],
    [
      { _target_: 'ScaleIntensityRanged', a_min: -57, a_max: 164, b_min: 0, b_max: 1, clip: true },
      [{ step: 'scale-range', options: { from: [-57, 164], to: [0, 1], clip: true } }],
    ],
    [
      { _target_: 'ScaleIntensityRangePercentilesd', lower: 1, upper: 99, b_min: -1, b_max: 1, channel_wise: true },
      [{ step: 'scale-range', options: { percentiles: [1, 99], to: [-1, 1], clip: false, over: 'channel' } }],
    ],
    [{ _target_: 'ScaleIntensityd' }, [{ step: 'scale-range', options: { to: [0, 1], over: 'image' } }]],
    [
      { _target_: 'NormalizeIntensityd', nonzero: true, channel_wise: true },
      [{ step: 'z-score', options: { of: 'non-zero', over: 'channel' } }],
    ],
    [{ _target_: 'NormalizeIntensityd' }, [{ step: 'z-score', options: { elsewhere: 'scaled', over: 'image' } }]],
    [
      { _target_: 'NormalizeIntensityd', subtrahend: 100, divisor: 50 },
      [{ step: 'normalise', options: { mean: 100, std: 50 } }],
    ],
    [
      { _target_: 'Resized', spatial_size: [64, 64, 32] },
      [{ step: 'resize', options: { size: [64, 64, 32], antiAlias: true } }],
    ],
    [
      { _target_: 'ResizeWithPadOrCropd', spatial_size: 96 },
      [{ step: 'fit', options: { size: [96, 96, 96], fill: 0 } }],
    ],
    [{ _target_: 'DivisiblePadd', k: 16 }, [{ step: 'pad', options: { multiple: [16, 16, 16], value: 0 } }]],
    [
      { _target_: 'ThresholdIntensityd', threshold: -10, above: true, cval: -10 },
      [{ step: 'clip', options: { minimum: -10 } }],
    ],
    [{ _target_: 'EnsureChannelFirstd' }, []],
    [{ _target_: 'RandFlipd', keys: ['label'] }, []],
    [{ _target_: 'RandFlipd', _disabled_: true }, []],
  ])('%j', (transform, steps) => {
    expect(mapped(transform)).toMatchObject({ steps, unmapped: [] })
    expect(mapped(transform).steps).toHaveLength(steps.length)
  })

  it.each([
    { _target_: 'Spacingd', pixdim: '$@a + 1' },
    { _target_: 'Spacingd', pixdim: [1, 1, 1], diagonal: true },
    { _target_: 'ScaleIntensityRangePercentilesd', lower: 1, upper: 99, b_min: 0, b_max: 1, relative: true },
    { _target_: 'CropForegroundd', margin: 4 },
    { _target_: 'ThresholdIntensityd', threshold: 5, cval: 0 },
    { _target_: 'constructor' },
  ])('%j has no step', (transform) => {
    expect(mapped(transform).unmapped).toHaveLength(1)
    expect(mapped(transform).steps).toMatchObject([{ step: 'TODO' }])
  })

  it('crop to what is above 0 only where nothing is below', () => {
    const crop = { _target_: 'CropForegroundd', source_key: 'image' }
    expect(mapped(crop).steps).toMatchObject([{ step: 'crop-nonzero' }])
    expect(mapped(crop, { startsAtZero: false }).unmapped).toHaveLength(1)
    const chain = [{ _target_: 'Spacingd', pixdim: [2, 2, 2] }, { _target_: 'ScaleIntensityd' }, { ...crop, margin: 4 }]
    const { steps } = mapPreprocessing(transformsOf(chain), { keys: ['image'], startsAtZero: false })
    expect(steps.at(-1)).toEqual({ step: 'crop-nonzero', options: { margin: 8, empty: 'keep' } })
  })
})

describe('transforms of post-processing', () => {
  it.each([
    [
      [
        { _target_: 'Activationsd', softmax: true },
        { _target_: 'AsDiscreted', argmax: true },
      ],
      { activation: 'argmax' },
    ],
    [
      [
        { _target_: 'Activationsd', sigmoid: true },
        { _target_: 'AsDiscreted', threshold: 0.4 },
      ],
      { activation: 'sigmoid', threshold: 0.4 },
    ],
    [[{ _target_: 'AsDiscreted', argmax: [true, false] }], { activation: 'argmax' }],
    [
      [{ _target_: 'KeepLargestConnectedComponentd', applied_labels: [1, 2], independent: false, connectivity: 1 }],
      { steps: [{ step: 'largest-component', options: { labels: [1, 2], connectivity: 6, per: 'foreground' } }] },
    ],
    [
      [{ _target_: 'RemoveSmallObjectsd', min_size: 500, by_measure: true }],
      { steps: [{ step: 'components', options: { connectivity: 6, keep: { minimumVolume: 0.5 } } }] },
    ],
    [
      [{ _target_: 'RemoveSmallObjectsd', min_size: 500 }],
      { unmapped: [expect.stringContaining('RemoveSmallObjectsd')] },
    ],
    [[{ _target_: 'Activationsd', other: '$f' }], { unmapped: [expect.stringContaining('Activationsd')] }],
  ])('%j', (transforms, expected) => {
    expect(mapPostprocessing(transformsOf(transforms))).toMatchObject(expected)
  })
})
