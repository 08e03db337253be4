import type { TensorInfo } from '../runtime/model.ts'
import { askClasses, codeNotes } from './classes.ts'
import { ImportError } from './error.ts'
import { inspectModel, planModels } from './inspect-model.ts'
import { planPreparation } from './onnx-preparation.ts'
import type { Plan, PlanChain, PlanResult } from './plan.ts'
import { type Answers, choose } from './question.ts'
import {
  type Activation,
  activations,
  type ClassActivation,
  classesOf,
  planClassification,
  planSegmentation,
} from './results.ts'
import { dimOf, likelyKind, type ModelKind, modelKinds, tensorRoles } from './tensor-roles.ts'

/**
 * Plans a pipeline for an ONNX file: what its inputs and outputs say is inferred, the rest asked.
 * @throws {ImportError}
 */
export async function planOnnx(
  file: string,
  { name, answers, kind: wanted }: { name: string; answers: Answers; kind?: string | undefined },
): Promise<Plan> {
  const roles = tensorRoles(await inspectModel(file))
  const [image] = roles.images
  const [result] = roles.results
  if (!image || !result)
    throw new ImportError(
      'not-importable',
      `${file}: no input of three dimensions or more, or no output: it takes no images`,
    )
  const kind = await choose(answers, {
    id: 'kind',
    text: 'What the model does',
    default: (wanted ?? likelyKind(image, result)) as ModelKind,
    choices: modelKinds,
  })
  const title = await answers.text({
    id: 'title',
    text: 'Title, the beginning of every Series Description',
    default: name,
  })
  const preparation = await planPreparation(answers, { kind, roles })
  const given = await planGiven(answers, { kind, result, ...preparation })
  const further = roles.results.slice(1).map((one) => one.name)
  return {
    name,
    title,
    description: `${title}: a model from an ONNX file.`,
    origin: 'Imported from an ONNX file by hilum pipeline import; what the file does not say was asked.',
    inputs: preparation.inputs,
    prepare: preparation.prepare,
    models: await planModels([file]),
    feeds: preparation.feeds,
    run: preparation.run,
    tensors: { [result.name]: given.output },
    ...(given.occlusion && { occlusion: given.occlusion }),
    finish: given.finish,
    result: given.result,
    notes: [
      ...preparation.notes,
      ...given.notes,
      ...(further.length > 0 ? [`The model also gives ${further.join(', ')}, which nothing is made of.`] : []),
    ],
    todo: roles.others.map(
      (one) => `the model's input ${one.name} is not fed: give it metadata, or a constant (docs/pipelines.md)`,
    ),
  }
}

interface Given {
  output: Readonly<Record<string, unknown>>
  finish: Readonly<Record<string, PlanChain>>
  result: PlanResult
  notes: readonly string[]
  occlusion?: Readonly<Record<string, unknown>> | null
}

async function planGiven(
  answers: Answers,
  {
    kind,
    result,
    layout,
    source,
    size,
  }: { kind: ModelKind; result: TensorInfo; layout: string; source: string; size: readonly number[] | null },
): Promise<Given> {
  if (kind.startsWith('images'))
    return { output: { value: 'made' }, finish: {}, result: { kind: 'images', from: 'made' }, notes: [] }
  if (kind.startsWith('classification')) {
    const count = lastDim(result)
    const activation: ClassActivation = await choose(answers, {
      id: 'activation',
      text: 'What makes probabilities of the output',
      default: count === 1 ? 'sigmoid' : 'softmax',
      choices: ['softmax', 'sigmoid', 'probabilities'],
    })
    const classes = await askClasses(answers, { names: null, count, what: 'finding' })
    const { output, finish, from } = planClassification(activation)
    const occlusion = size && (await askOcclusion(answers, size, activation))
    return {
      output,
      finish,
      result: { kind: 'classification', from, classes, ...(occlusion && { map: 'evidence' }) },
      notes: codeNotes(classes),
      occlusion,
    }
  }
  const own = outputLayout(layout, result)
  const channels = dimOf(result, own, 'C')
  const activation: Activation = await choose(answers, {
    id: 'activation',
    text: 'What the output is: argmax (logits or probabilities, the first class is the background), sigmoid (logits of independent classes), probabilities, labels',
    default: likelyActivation(result, own, channels),
    choices: activations,
  })
  const classes = await askClasses(answers, { names: null, count: classesOf(channels, activation), what: 'segment' })
  const clean = await choose(answers, {
    id: 'clean',
    text: 'What is done to the segments',
    default: 'none',
    choices: ['none', 'largest-component'],
  })
  const plan = planSegmentation(classes, { activation, steps: clean === 'none' ? [] : [{ step: clean }] })
  return {
    output: own === layout ? plan.output : { ...plan.output, layout: own },
    finish: plan.finish,
    result: {
      kind: 'segmentation',
      segments: plan.segments,
      measures: source === 'volume' ? 'volume' : 'area',
    },
    notes: codeNotes(classes),
  }
}

/** Asks whether a map of what the answer depends on is made; a part that is covered has an eighth of each side. */
async function askOcclusion(
  answers: Answers,
  size: readonly number[],
  activation: ClassActivation,
): Promise<Readonly<Record<string, unknown>> | null> {
  const covered = size.map((length) => Math.max(1, Math.round(length / 8)))
  const runs = 15 ** size.length
  const saliency = await choose(answers, {
    id: 'saliency',
    text: `A picture of what the answer depends on: occlusion (the model runs some ${runs} times more), or none`,
    default: 'none',
    isKnown: true,
    choices: ['none', 'occlusion'],
  })
  if (saliency === 'none') return null
  return { value: 'evidence', activation: activation === 'probabilities' ? 'none' : activation, size: covered }
}

/** The layout of an output with as many dimensions as the input, or without channels. */
function outputLayout(layout: string, { dims }: TensorInfo): string {
  if (dims === null || dims.length >= layout.length) return layout
  return layout.replace('C', '')
}

function likelyActivation({ type }: TensorInfo, layout: string, channels: number | null): Activation {
  const isWhole = type !== null && !type.startsWith('float')
  if (!layout.includes('C') || (isWhole && (channels === null || channels === 1))) return 'labels'
  return channels === 1 ? 'sigmoid' : 'argmax'
}

function lastDim({ dims }: TensorInfo): number | null {
  const dim = dims?.at(-1)
  return typeof dim === 'number' && dim > 0 ? dim : null
}
