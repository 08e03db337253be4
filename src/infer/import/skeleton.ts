import { ImportError } from './error.ts'
import { category } from './known-codes.ts'
import type { Plan, PlanClass } from './plan.ts'
import { planClassification, planSegmentation } from './results.ts'
import { type ModelKind, modelKinds } from './tensor-roles.ts'

/** Kinds of pipelines that can be begun without a model. `threshold` runs as it is, by image processing alone. */
export const skeletonKinds: readonly string[] = ['threshold', ...modelKinds]

const structure: PlanClass = {
  id: 'structure',
  label: 'Structure',
  category: category.structure,
  type: { value: 'STRUCTURE', scheme: '99HILUM', meaning: 'Structure' },
  colour: [230, 80, 80],
}

/**
 * The plan of a pipeline to begin with. Those with a model lack its file: the check says so.
 * @throws {ImportError} `bad-answer` for a kind that there is not
 */
export function planSkeleton(name: string, kind: string): Plan {
  if (kind === 'threshold') return thresholdPlan(name)
  if (!modelKinds.includes(kind as ModelKind))
    throw new ImportError('bad-answer', `--kind ${kind}: one of ${skeletonKinds.join(', ')} is expected`)
  const is3d = kind.endsWith('3d')
  const layout = is3d ? 'NCDHW' : 'NCHW'
  const given = kind.startsWith('classification')
    ? classification()
    : kind.startsWith('images')
      ? images()
      : segmentation(is3d)
  const whole = kind === 'classification-3d'
  return {
    ...commonOf(name),
    inputs: [
      kind === 'classification-2d'
        ? { name: 'images', kind: 'image', modality: ['CR', 'DX'], several: 'first' }
        : { name: 'images', kind: 'volume', modality: 'MR' },
    ],
    prepare: { prepared: { from: 'images', steps: preparationOf(kind) } },
    models: [{ source: '', name: 'model.onnx', data: [] }],
    feeds: { input: { from: 'prepared', layout } },
    run: is3d ? (whole ? { kind: 'whole' } : { kind: 'sliding-window', size: [96, 96, 96] }) : { kind: 'slices' },
    tensors: { output: given.output },
    finish: given.finish,
    result: given.result,
    notes: ['input and output are names of the model’s tensors: replace them by its own.'],
    todo: ['put model.onnx into this folder, and its SHA-256 into infer (hilum pipeline check says which it is)'],
  }
}

function preparationOf(kind: string): Plan['prepare'][string]['steps'] {
  if (kind === 'classification-2d')
    return [
      { step: 'voi' },
      { step: 'invert-monochrome1', options: { range: [0, 1] } },
      { step: 'resize', options: { size: [256, 256], aspect: 'letterbox' } },
    ]
  if (kind === 'classification-3d')
    return [
      { step: 'reorient', options: { axes: 'RAS' } },
      { step: 'resize', options: { size: [96, 96, 96] } },
      { step: 'z-score', options: { elsewhere: 'scaled' } },
    ]
  if (kind.endsWith('3d'))
    return [
      { step: 'reorient', options: { axes: 'RAS' } },
      { step: 'resample', options: { spacing: 1 } },
      { step: 'z-score', options: { elsewhere: 'scaled' } },
    ]
  return [
    { step: 'resize', options: { size: [256, 256] } },
    { step: 'z-score', options: { elsewhere: 'scaled', over: 'slice' } },
  ]
}

type Given = Pick<Plan, 'finish' | 'result'> & { output: Readonly<Record<string, unknown>> }

function segmentation(is3d: boolean): Given {
  const { output, finish, segments } = planSegmentation([structure], {
    activation: 'argmax',
    steps: [{ step: 'largest-component' }],
  })
  return { output, finish, result: { kind: 'segmentation', segments, measures: is3d ? 'volume' : 'area' } }
}

function classification(): Given {
  const { output, finish, from } = planClassification('sigmoid')
  const finding = {
    ...structure,
    id: 'finding',
    label: 'Finding',
    type: { value: 'FINDING', scheme: '99HILUM', meaning: 'Finding' },
  }
  return { output, finish, result: { kind: 'classification', from, classes: [finding] } }
}

function images(): Given {
  return { output: { value: 'made' }, finish: {}, result: { kind: 'images', from: 'made' } }
}

function thresholdPlan(name: string): Plan {
  return {
    ...commonOf(name),
    inputs: [{ name: 'images', kind: 'volume', modality: 'CT', values: 'hounsfield' }],
    prepare: { smoothed: { from: 'images', steps: [{ step: 'gaussian', options: { sigma: 1, unit: 'mm' } }] } },
    models: [],
    feeds: {},
    run: {},
    tensors: {},
    finish: {
      mask: {
        from: 'smoothed',
        steps: [
          { step: 'threshold', options: { minimum: 200 }, comment: 'HU: bone, metal, and vessels with contrast agent' },
          { step: 'components', options: { keep: { minimumVolume: 1 } }, comment: 'mL' },
        ],
      },
    },
    result: {
      kind: 'segmentation',
      segments: [
        {
          ...structure,
          id: 'dense',
          label: 'Dense tissue',
          type: { value: 'DENSE', scheme: '99HILUM', meaning: 'Dense tissue' },
          from: 'mask',
          value: 1,
        },
      ],
      measures: 'volume',
    },
    notes: ['It has no model: everything above a density is one segment. Replace what is not yours.'],
    todo: [],
  }
}

function commonOf(name: string): Pick<Plan, 'name' | 'title' | 'description' | 'origin'> {
  return {
    name,
    title: name.slice(0, 40),
    description: 'To be written: what it finds, in which images.',
    origin: 'Begun by hilum pipeline new.',
  }
}
