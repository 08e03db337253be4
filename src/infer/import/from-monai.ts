import { stat } from 'node:fs/promises'
import path from 'node:path'
import { askClasses, codeNotes } from './classes.ts'
import { ImportError } from './error.ts'
import { inspectModel, onnxFilesIn, planModels } from './inspect-model.ts'
import { type ConfigMap, componentOf, isMap, MonaiConfig, readConfig, transformsOf } from './monai-config.ts'
import { mapInferer } from './monai-inferer.ts'
import { mapPostprocessing } from './monai-postprocessing.ts'
import { mapPreprocessing } from './monai-preprocessing.ts'
import type { Plan, PlanChain, PlanResult } from './plan.ts'
import { todoStep } from './plan.ts'
import { type Answers, askAxes, askModality, choose, distinct, slug } from './question.ts'
import { type Activation, activations, classesOf, planClassification, planSegmentation } from './results.ts'
import { dimOf, tensorRoles } from './tensor-roles.ts'

const isThere = async (file: string): Promise<boolean> => (await stat(file).catch(() => null)) !== null

/** The configuration of a bundle's inference; null where the folder is no MONAI bundle. */
export async function bundleFiles(folder: string): Promise<{ metadata: string; inference: string } | null> {
  const metadata = path.join(folder, 'configs/metadata.json')
  if (!(await isThere(metadata))) return null
  for (const name of ['inference.json', 'inference.yaml', 'inference.yml']) {
    const inference = path.join(folder, 'configs', name)
    if (await isThere(inference)) return { metadata, inference }
  }
  throw new ImportError(
    'not-importable',
    `${folder}/configs: inference.json or inference.yaml is expected beside metadata.json`,
  )
}

/**
 * Plans a pipeline for a MONAI bundle whose model was exported to ONNX (in the bundle's folder, or in its `models`).
 * @throws {ImportError}
 */
export async function planMonai(folder: string, { name, answers }: { name: string; answers: Answers }): Promise<Plan> {
  const files = await bundleFiles(folder)
  if (!files) throw new ImportError('not-importable', `${folder}: configs/metadata.json is expected in a MONAI bundle`)
  const models = await onnxFilesIn([folder, path.join(folder, 'models')])
  const [model] = models
  if (model === undefined || models.length > 1)
    throw new ImportError(
      'no-model',
      `${folder}: ${models.length} ONNX files, one is expected in it or in its models (python -m monai.bundle onnx_export writes it)`,
    )
  const metadata = await readConfig(files.metadata)
  const config = new MonaiConfig(await readConfig(files.inference))
  const roles = tensorRoles(await inspectModel(model))
  const [image, ...furtherImages] = roles.images
  const [result] = roles.results
  if (!image || !result)
    throw new ImportError('not-importable', `${model}: no input of three dimensions or more, or no output`)

  const format = formatOf(metadata)
  const preprocessing = transformsOf(
    config.find('preprocessing', 'pre_transforms', 'inference_transforms', 'transforms') ?? [],
  )
  const postprocessing = mapPostprocessing(
    transformsOf(config.find('postprocessing', 'post_transforms', 'posttransforms') ?? []),
  )
  const is3d = (image.dims?.length ?? 5) >= 5
  const inferer = config.find('inferer', 'inferer_def')
  const cutsSlices = componentOf(inferer)?.target === 'SliceInferer'
  const layout = await answers.text({
    id: 'layout',
    text: 'What the dimensions of the images are (MONAI: columns before rows before slices)',
    default: is3d ? 'NCXYZ' : 'NCXY',
    isKnown: true,
  })
  const modalities = await askModality(answers, modalityQuestion(format.input.modality))
  const modality = [modalities].flat()[0] as string
  const run = mapInferer(inferer, { layout, image })
  const isColoured = isColour(format.input)
  const source =
    is3d || cutsSlices
      ? 'volume'
      : await choose(answers, {
          id: 'source',
          text: 'What is given to it slice by slice: a volume, one image, or frames',
          default: !isColoured && ['CT', 'MR', 'PT'].includes(modality) ? 'volume' : 'image',
          choices: isColoured ? ['image', 'frames'] : ['volume', 'image', 'frames'],
        })
  const keys = preprocessing.find(({ target }) => target.startsWith('LoadImage'))?.options.keys ?? 'image'
  const prepared = mapPreprocessing(preprocessing, { keys: [keys].flat().map(String), startsAtZero: modality !== 'CT' })
  const notes = [...prepared.notes, ...run.notes]
  const isVolume = source === 'volume'
  const isAsked = isVolume && !prepared.isOriented
  const axes = isAsked ? await askAxes(answers) : null
  if (isAsked)
    notes.push(`No transform says which way the axes ran in training: ${axes ?? 'as they come'} is what was answered.`)
  const channels = dimOf(image, run.layout, 'C') ?? 1
  const series = seriesNames(format.input, channels)
  const isRepeated = series.length === 1 && !isColoured && channels > 1
  if (isRepeated)
    notes.push(`The model takes ${channels} channels, and the bundle names one: the grey image is repeated.`)
  const todos = run.todo.map((sentence) => todoStep(sentence))
  const steps = [
    ...(axes === null ? [] : [{ step: 'reorient', options: { axes } }]),
    ...prepared.steps,
    ...(isRepeated && !prepared.steps.some(({ step }) => step === 'repeat-channel')
      ? [{ step: 'repeat-channel', options: { times: channels } }]
      : []),
    ...todos,
  ]
  const given = await planGiven(answers, {
    format,
    postprocessing,
    channels: dimOf(result, run.layout, 'C'),
    rank: result.dims?.length,
    isVolume,
  })
  if (prepared.steps.some(({ step }) => step === 'resample' || step === 'resize'))
    notes.push(
      'Where MONAI resamples, the places of voxels differ from those here by less than one voxel: each grid knows where it lies.',
    )
  const label = textOf(metadata.name) ?? textOf(metadata.task) ?? name
  const title = await answers.text({
    id: 'title',
    text: 'Title, the beginning of every Series Description',
    default: label.slice(0, 40),
  })
  return {
    name,
    title,
    description: textOf(metadata.description) ?? `${title}: a model from a MONAI bundle.`,
    origin: `Imported from the MONAI bundle "${label}", version ${textOf(metadata.version) ?? 'unknown'}, by hilum pipeline import.`,
    inputs: series.map((one) => ({
      name: one,
      kind: source,
      modality: modalities,
      ...(modality === 'CT' && isVolume && { values: 'hounsfield' }),
      ...(isColoured && !isVolume && { colours: 'colour' }),
      ...(source === 'image' && { several: 'first' }),
    })),
    prepare: { prepared: { from: series.length === 1 ? (series[0] as string) : series, steps } },
    models: await planModels([model]),
    feeds: {
      [image.name]: {
        from: 'prepared',
        layout: run.layout,
        ...(image.type !== null && image.type !== 'float32' && { type: image.type }),
      },
    },
    run: run.run,
    tensors: { [result.name]: given.output },
    finish: given.finish,
    result: given.result,
    notes: [...notes, ...given.notes],
    todo: [
      ...[...prepared.unmapped, ...postprocessing.unmapped].map((what) => `the transform ${what} has no step here`),
      ...run.todo,
      ...[...furtherImages, ...roles.others].map((one) => `the model's input ${one.name} is not fed`),
    ],
  }
}

interface Format {
  input: ConfigMap
  output: ConfigMap
}

/** The first input and output of `network_data_format`. */
function formatOf(metadata: ConfigMap): Format {
  const format = isMap(metadata.network_data_format) ? metadata.network_data_format : {}
  const first = (value: unknown): ConfigMap => {
    const [one] = isMap(value) ? Object.values(value) : []
    return isMap(one) ? one : {}
  }
  return { input: first(format.inputs), output: first(format.outputs) }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** DICOM's modalities by the words that bundles use. */
const modalityWords: readonly (readonly [RegExp, string])[] = [
  [/\bMRI?\b|^MR/, 'MR'],
  [/^PET|^PT\b/, 'PT'],
  [/^MAMMO/, 'MG'],
  [/^ULTRASOUND|^ECHO/, 'US'],
  [/^X-?RAY|^RADIOGRA|^CXR/, 'CR, DX'],
  [/^ENDOSCOP/, 'ES'],
  [/^(FUNDUS|OPHTHALM)/, 'OP'],
]

/** The modality that a bundle speaks of; where it says none, somebody has to. */
function modalityQuestion(text: unknown): { text: string; default?: string } {
  const said = textOf(text)
  const word = (said ?? '').toUpperCase()
  const known =
    /^(CT|US|CR|DX|MG|XA|NM|OP|ES|SM)\b/.exec(word)?.[1] ?? modalityWords.find(([words]) => words.test(word))?.[1]
  const where = said === null ? 'the bundle does not say it' : `the bundle says "${said}"`
  return {
    text: `Modality, as DICOM writes it (${where})`,
    ...(known !== undefined && { default: known, isKnown: true }),
  }
}

function channelNames(format: ConfigMap): string[] {
  const names = isMap(format.channel_def) ? format.channel_def : {}
  return Object.entries(names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name))
}

/** Whether the three channels of an image are those of colours. */
function isColour(format: ConfigMap): boolean {
  return /^r(ed)?,g(reen)?,b(lue)?$/i.test(channelNames(format).join())
}

/** A series for each channel; one where the bundle names one channel only, or colours. */
function seriesNames(format: ConfigMap, channels: number): string[] {
  const names = channelNames(format)
  if (channels === 1 || names.length === 1 || isColour(format)) return ['images']
  return distinct(Array.from({ length: channels }, (_, index) => slug(names[index] ?? '', `series-${index + 1}`)))
}

async function planGiven(
  answers: Answers,
  {
    format,
    postprocessing,
    channels,
    rank = 5,
    isVolume,
  }: {
    format: Format
    postprocessing: ReturnType<typeof mapPostprocessing>
    channels: number | null
    rank: number | undefined
    isVolume: boolean
  },
): Promise<{
  output: Readonly<Record<string, unknown>>
  finish: Record<string, PlanChain>
  result: PlanResult
  notes: string[]
}> {
  const names = channelNames(format.output)
  const count = channels ?? (typeof format.output.num_channels === 'number' ? format.output.num_channels : null)
  if (rank <= 2 || format.output.type === 'probabilities') {
    const activation =
      postprocessing.activation === 'sigmoid' ? 'sigmoid' : postprocessing.softmax ? 'softmax' : 'probabilities'
    const classes = await askClasses(answers, { names: names.length > 0 ? names : null, count: null, what: 'finding' })
    const { output, finish, from } = planClassification(activation)
    return { output, finish, result: { kind: 'classification', from, classes }, notes: codeNotes(classes) }
  }
  if (
    format.output.format !== undefined &&
    format.output.format !== 'segmentation' &&
    format.output.format !== 'labels'
  )
    return { output: { value: 'made' }, finish: {}, result: { kind: 'images', from: 'made' }, notes: [] }
  const activation: Activation =
    postprocessing.activation ??
    (await choose(answers, {
      id: 'activation',
      text: 'What the output is; the bundle does not say',
      default: count === 1 ? 'sigmoid' : 'argmax',
      choices: activations,
    }))
  const isBackground = activation === 'argmax'
  const known = isBackground ? names.slice(1) : names
  const expected = classesOf(count, activation)
  const classes = await askClasses(answers, {
    names: known.length > 0 && (expected === null || known.length === expected) ? known : null,
    count: expected,
    what: 'segment',
  })
  const plan = planSegmentation(classes, {
    activation,
    steps: postprocessing.steps,
    threshold: postprocessing.threshold,
  })
  return {
    output: plan.output,
    finish: plan.finish,
    result: { kind: 'segmentation', segments: plan.segments, measures: isVolume ? 'volume' : 'area' },
    notes: codeNotes(classes),
  }
}
