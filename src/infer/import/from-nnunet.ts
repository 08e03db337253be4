import { stat } from 'node:fs/promises'
import path from 'node:path'
import { inGridOrder } from './axes.ts'
import { askClasses, codeNotes } from './classes.ts'
import { ImportError } from './error.ts'
import { inspectModel, onnxFilesIn, planModels } from './inspect-model.ts'
import { readConfig } from './monai-config.ts'
import { planNormalisation } from './nnunet-normalisation.ts'
import { type Configuration, configurationNames, type Dataset, readConfiguration, readDataset } from './nnunet-plans.ts'
import { type Plan, type PlanChain, type PlanSegment, type PlanStep, todosOf } from './plan.ts'
import { type Answers, askAxes, askModality, choose, distinct, slug } from './question.ts'
import { dimOf, fixedOnGrid, tensorRoles } from './tensor-roles.ts'

/** Whether a folder is that of a model of nnU-Net v2. */
export async function isNnunetFolder(folder: string): Promise<boolean> {
  const found = await Promise.all(
    ['plans.json', 'dataset.json'].map((name) => stat(path.join(folder, name)).catch(() => null)),
  )
  return found.every((one) => one !== null)
}

/** Axes of nnU-Net's arrays before they are transposed. */
const letters = ['D', 'H', 'W']

/**
 * Plans a pipeline for a model of nnU-Net v2: plans.json, dataset.json, and the model (or one of each fold, an ensemble) as ONNX beside them or in
 * fold_N.
 * @throws {ImportError}
 */
export async function planNnunet(folder: string, { name, answers }: { name: string; answers: Answers }): Promise<Plan> {
  const models = await onnxFilesIn([folder, ...[0, 1, 2, 3, 4].map((fold) => path.join(folder, `fold_${fold}`))])
  const [model] = models
  if (model === undefined) throw new ImportError('no-model', `${folder}: an ONNX file is expected there, or in fold_0`)
  const plans = await readConfig(path.join(folder, 'plans.json'))
  const { dataset_name: named } = plans
  const dataset = readDataset(await readConfig(path.join(folder, 'dataset.json')), {
    file: path.join(folder, 'dataset.json'),
    otherwise: typeof named === 'string' ? named : 'nnU-Net',
  })
  const { images, results } = tensorRoles(await inspectModel(model))
  const [image] = images
  const [result] = results
  if (!image || !result)
    throw new ImportError('not-importable', `${model}: no input of three dimensions or more, or no output`)

  const is2d = image.dims?.length === 4
  const known = configurationNames(plans)
  const wanted = await choose(answers, {
    id: 'configuration',
    text: 'The configuration that was exported',
    default: is2d ? '2d' : known.includes('3d_fullres') ? '3d_fullres' : (known.find((one) => one !== '2d') ?? ''),
    choices: known,
    isKnown: known.length === 1 || is2d,
  })
  const configuration = readConfiguration(plans, wanted)
  if (configuration.dimensions !== (image.dims?.length ?? configuration.dimensions + 2) - 2)
    throw new ImportError(
      'bad-answer',
      `configuration: ${wanted} has ${configuration.dimensions} dimensions, the model ${(image.dims?.length ?? 0) - 2}`,
    )
  const spatial = configuration.transpose.map((axis) => letters[axis] as string)
  const layout = `NC${(configuration.dimensions === 2 ? spatial.slice(1) : spatial).join('')}`
  const channels = dataset.channels.length
  const found = dimOf(image, layout, 'C')
  if (found !== null && found !== channels)
    throw new ImportError(
      'not-importable',
      `${model}: the model takes ${found} channels, dataset.json names ${channels}`,
    )

  const title = await answers.text({
    id: 'title',
    text: 'Title, the beginning of every Series Description',
    default: dataset.name.slice(0, 40),
  })
  const isCt = dataset.channels.some((channel) => channel.toUpperCase() === 'CT')
  const modality = await askModality(answers, {
    text: 'Modality',
    default: isCt ? 'CT' : 'MR',
    isKnown: isCt,
  })
  const axes = await askAxes(
    answers,
    'Where columns, rows and slices of the training images grew to: RAS, LAS or LPS; nnU-Net takes files as they are, look into one; or none',
  )
  const mirroring = await choose(answers, {
    id: 'mirroring',
    text: 'Test-time augmentation by mirroring, as nnU-Net does unless told otherwise: 8 times the work (4 in 2D)',
    default: 'no',
    isKnown: true,
    choices: ['no', 'yes'],
  })
  const series = distinct(dataset.channels.map((channel, index) => slug(channel, `channel-${index + 1}`)))
  const window = inGridOrder(layout, configuration.patch, 1)
  const notes = notesOf(configuration, { axes, mirroring, layout })
  const size = fixedOnGrid(image, layout) ?? window
  if (size.join() !== window.join())
    notes.push(
      `The patch of the plans is ${window.join(' x ')} voxels, the ONNX file takes ${size.join(' x ')}: that is used.`,
    )
  const segmentation = await planSegments(answers, dataset, dimOf(result, layout, 'C'))
  const prepare = planNormalisation(configuration, {
    series,
    before: axes === null ? [] : [{ step: 'reorient', options: { axes } }],
    after: resampling(configuration, layout),
  })
  const flips = ['i', 'j', 'k'].filter((_, axis) => configuration.dimensions === 3 || axis !== sliceAxis(spatial))
  return {
    name,
    title,
    description: `${title}: a model of nnU-Net, configuration ${wanted}.`,
    origin: `Imported from a model of nnU-Net v2 (${dataset.name}, configuration ${wanted}${models.length > 1 ? `, ${models.length} folds` : ''}) by hilum pipeline import.`,
    inputs: series.map((one) => ({
      name: one,
      kind: 'volume',
      modality,
      ...(modality === 'CT' && { values: 'hounsfield' }),
    })),
    prepare,
    models: await planModels(models),
    feeds: {
      [image.name]: {
        from: 'prepared',
        layout,
        ...(image.type !== null && image.type !== 'float32' && { type: image.type }),
      },
    },
    run: { kind: 'sliding-window', size, overlap: 0.5, blend: 'gaussian' },
    ...(mirroring === 'yes' && { augment: { flips } }),
    tensors: { [result.name]: segmentation.output },
    finish: segmentation.finish,
    result: { kind: 'segmentation', segments: segmentation.segments, measures: 'volume' },
    notes: [...notes, ...segmentation.notes],
    todo: todosOf(prepare),
  }
}

function sliceAxis(spatial: readonly string[]): number {
  return ['W', 'H', 'D'].indexOf(spatial[0] as string)
}

/** To the spacing of the configuration, as nnU-Net does: cubic, but nearest along an axis that is much coarser than the others. */
function resampling({ spacing }: Configuration, layout: string): PlanStep[] {
  const own = inGridOrder<null>(layout, spacing, null)
  const given = own.filter((mm) => mm !== null)
  const [coarsest, ...others] = given.toSorted((a, b) => b - a) as [number, ...number[]]
  const isThick = given.length === 3 && coarsest > 3 * Math.min(...others)
  if (!isThick) return [{ step: 'resample', options: { spacing: own, interpolation: 'cubic' } }]
  return [
    { step: 'resample', options: { spacing: own.map((mm) => (mm === coarsest ? null : mm)), interpolation: 'cubic' } },
    {
      step: 'resample',
      options: { spacing: own.map((mm) => (mm === coarsest ? mm : null)), interpolation: 'nearest' },
    },
  ]
}

function notesOf(
  { usesMask }: Configuration,
  { axes, mirroring, layout }: { axes: string | null; mirroring: string; layout: string },
): string[] {
  return [
    `nnU-Net takes images as their files have them; here the axes ${axes === null ? 'stay as they come' : `are brought to ${axes}`}. Look into a training image: the wrong direction costs accuracy unless the model was trained with mirroring.`,
    `The tensor is ${layout}. Spacing and patch of plans.json stand in its order (${layout.slice(2)}); here they stand as columns, rows, slices.`,
    'nnU-Net brings probabilities back to the source before it takes the highest; here labels are, by their parts of each voxel. Borders may differ by a voxel.',
    ...(mirroring === 'no'
      ? [
          'nnU-Net mirrors its input and averages unless told otherwise; here it does not (augment: { flips: [i, j, k] }).',
        ]
      : []),
    ...(usesMask.some(Boolean)
      ? ['Mean and deviation are those of voxels that are not 0; nnU-Net also counts zeros that those enclose.']
      : []),
  ]
}

interface Segmentation {
  output: Record<string, unknown>
  finish: Record<string, PlanChain>
  segments: PlanSegment[]
  notes: string[]
}

async function planSegments(answers: Answers, dataset: Dataset, channels: number | null): Promise<Segmentation> {
  const { labels, regions } = dataset
  const heads = regions ? labels.length : Math.max(0, ...labels.map(({ value }) => value)) + 1
  if (channels !== null && channels !== heads)
    throw new ImportError(
      'not-importable',
      `the model gives ${channels} channels, dataset.json has labels for ${heads}`,
    )
  const classes = await askClasses(answers, {
    names: labels.map((label) => label.name),
    count: labels.length,
    what: 'segment',
  })
  if (!regions)
    return {
      output: { value: 'labels', kind: 'labels', reduce: 'argmax' },
      finish: {},
      segments: classes.map((one, index) => ({ ...one, from: 'labels', value: labels[index]?.value as number })),
      notes: codeNotes(classes),
    }
  const rules = regions.map((label, channel) => ({ channel, label, minimum: 0.5 }))
  return {
    output: { value: 'probabilities', reduce: 'sigmoid' },
    // Later regions overwrite earlier ones, as regions_class_order says.
    finish: {
      labels: { from: 'probabilities', steps: [{ step: 'threshold', options: { classes: rules, priority: 'last' } }] },
    },
    segments: classes.map((one, index) => ({ ...one, from: 'labels', value: regions[index] as number })),
    notes: [
      ...codeNotes(classes),
      'The model gives regions that overlap; a voxel gets the label of the last of regions_class_order, so that a segment holds its region without the later ones.',
    ],
  }
}
