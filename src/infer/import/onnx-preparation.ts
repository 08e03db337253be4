import type { TensorInfo } from '../runtime/model.ts'
import { ImportError } from './error.ts'
import { askIntensity, isProjection } from './intensity.ts'
import type { PlanChain, PlanStep } from './plan.ts'
import {
  type Answers,
  askAxes,
  askModality,
  askNumbers,
  choose,
  distinct,
  numbersOf,
  slug,
  wordsOf,
} from './question.ts'
import { dimOf, fixedSize, likelyLayout, type ModelKind, type TensorRoles } from './tensor-roles.ts'

/** How images get into the model. */
export interface Preparation {
  inputs: Record<string, unknown>[]
  prepare: Record<string, PlanChain>
  feeds: Record<string, Record<string, unknown>>
  run: Record<string, unknown>
  /** Of the first image. */
  layout: string
  source: Source
  /** Columns, rows (and slices) of what the model is given; null where that varies. */
  size: readonly number[] | null
  notes: string[]
}

/** Asks how the images of a model are made, and plans inputs, preparation and run. */
export async function planPreparation(
  answers: Answers,
  { kind, roles }: { kind: ModelKind; roles: TensorRoles },
): Promise<Preparation> {
  const image = roles.images[0] as TensorInfo
  const layout = await answers.text({
    id: 'layout',
    text: 'What the dimensions of the images are: N batch, C channels, D slices, H rows, W columns (or Z, Y, X)',
    default: likelyLayout(image),
    faultOf: (answer) => faultOfLayout(answer, image),
  })
  const is3d = kind.endsWith('3d')
  const modalities = await askModality(answers, {
    text: 'Modality (CT, MR, PT, US …); several that are taken alike with a comma, as CR, DX',
    default: is3d ? 'CT' : kind === 'classification-2d' ? 'CR, DX' : 'MR',
  })
  const modality = [modalities].flat()[0] as string
  const source = is3d ? 'volume' : await askSource(answers, kind, modality)
  const channels = await planChannels(answers, { roles, layout, source })
  const notes = [...channels.notes]
  const steps: PlanStep[] = is3d ? await askGrid(answers) : []
  const intensity = await askIntensity(answers, modality)
  const size = fixedSize(image, layout)
  const shape = is3d
    ? await planRun3d(answers, { kind, size, isSpaced: steps.some(({ step }) => step === 'resample') })
    : await planRun2d(answers, { kind, size, image, layout })
  const repeat: PlanStep[] =
    channels.repeat > 1 && !intensity.some(({ step }) => step === 'repeat-channel')
      ? [{ step: 'repeat-channel', options: { times: channels.repeat } }]
      : []
  // What the header says of showing comes first, so that borders are as dark as what is shown.
  const isShown = intensity.some(({ step }) => step === 'voi')
  const chain = [...steps, ...(isShown ? [...intensity, ...shape.steps] : [...shape.steps, ...intensity]), ...repeat]
  if (isShown) notes.push('voi refuses images whose header has neither a window nor a VOI LUT; min-max takes any.')
  const states = Object.keys(roles.states)
  const run =
    states.length === 0
      ? { ...shape.run, ...(channels.neighbours > 0 && { neighbours: channels.neighbours }) }
      : {
          kind: 'sequence',
          along: await askAlong(answers),
          state: roles.states,
          ...(kind.startsWith('class') && { keep: 'last' }),
        }
  if (states.length > 0)
    notes.push(`${states.join(', ')} was taken for the state of a recurrent model, which begins with zeros.`)
  return {
    inputs: channels.series.map((name) => inputEntry(name, { source, modality: modalities, run })),
    prepare: Object.fromEntries(channels.prepared.map(({ name, from }) => [name, { from, steps: chain }])),
    feeds: Object.fromEntries(
      roles.images.map((one, index) => [
        one.name,
        {
          from: channels.prepared[index]?.name,
          layout,
          ...(one.type !== null && one.type !== 'float32' && { type: one.type }),
        },
      ]),
    ),
    run,
    layout,
    source,
    size: source === 'image' || kind.endsWith('3d') ? shape.size : null,
    notes: [...notes, ...shape.notes],
  }
}

type Source = 'volume' | 'image' | 'frames'

async function askSource(answers: Answers, kind: ModelKind, modality: string): Promise<Source> {
  return await choose(answers, {
    id: 'source',
    text: 'What is given to it slice by slice: a volume, one image, or frames (cine, multi-frame)',
    default: kind === 'classification-2d' || isProjection(modality) ? 'image' : 'volume',
    choices: ['volume', 'image', 'frames'] as const,
  })
}

async function askAlong(answers: Answers): Promise<string> {
  return await choose(answers, {
    id: 'along',
    text: 'What the steps of the recurrent model are',
    default: 'slices',
    choices: ['slices', 'time'],
  })
}

function inputEntry(
  name: string,
  { source, modality, run }: { source: Source; modality: string | string[]; run: Readonly<Record<string, unknown>> },
): Record<string, unknown> {
  if (run.along === 'time') return { name, kind: 'sequence', by: 'time', modality }
  return {
    name,
    kind: source,
    modality,
    ...(modality === 'CT' && source === 'volume' && { values: 'hounsfield' }),
    ...(source === 'image' && { several: 'first' }),
  }
}

interface Channels {
  /** Names of inputs of the pipeline. */
  series: string[]
  /** For each image that the model takes: the name of the prepared image, and what it is made of. */
  prepared: { name: string; from: string | string[] }[]
  repeat: number
  neighbours: number
  notes: string[]
}

async function planChannels(
  answers: Answers,
  { roles, layout, source }: { roles: TensorRoles; layout: string; source: Source },
): Promise<Channels> {
  const none = { repeat: 1, neighbours: 0, notes: [] }
  if (roles.images.length > 1) {
    const series = distinct(roles.images.map(({ name }) => slug(name, 'series')))
    return {
      ...none,
      series,
      prepared: series.map((from) => ({ name: `${from.slice(0, 54)}-prepared`, from })),
      notes: [`Each of the model's inputs ${series.join(', ')} takes a series of its own.`],
    }
  }
  const count = dimOf(roles.images[0] as TensorInfo, layout, 'C') ?? 1
  const one = { ...none, series: ['images'], prepared: [{ name: 'prepared', from: 'images' }] }
  if (count === 1) return one
  const canNeighbour = source !== 'image' && count % 2 === 1 && !/[DZ]/.test(layout)
  const meaning = await choose(answers, {
    id: 'channels',
    text: `What the ${count} channels are: the grey image repeated, neighbouring slices, or series of their own`,
    default: count === 3 && source === 'image' ? 'repeat' : canNeighbour ? 'neighbours' : 'series',
    choices: ['repeat', 'neighbours', 'series'] as const,
  })
  if (meaning === 'repeat') return { ...one, repeat: count }
  if (meaning === 'neighbours') {
    if (!canNeighbour)
      throw new ImportError(
        'bad-answer',
        `channels: neighbours: an odd number of channels of slices is expected, there are ${count}`,
      )
    return { ...one, neighbours: (count - 1) / 2 }
  }
  const names = wordsOf(
    await answers.text({
      id: 'series',
      text: `Names of the ${count} series, in the order of the channels`,
      default: Array.from({ length: count }, (_, index) => `series-${index + 1}`).join(', '),
      faultOf: (answer) => {
        const given = wordsOf(answer).length
        return given === count ? null : `${given} names are given, ${count} are expected`
      },
    }),
  )
  const series = distinct(names.map((name) => slug(name, 'series')))
  return { ...none, series, prepared: [{ name: 'prepared', from: series }] }
}

async function askGrid(answers: Answers): Promise<PlanStep[]> {
  const axes = await askAxes(answers)
  const spacing = await askNumbers(
    answers,
    {
      id: 'spacing',
      text: 'Spacing of the training images along columns, rows and slices, mm; or none',
      default: 'none',
    },
    { counts: [1, 3] },
  )
  return [
    ...(axes === null ? [] : [{ step: 'reorient', options: { axes } }]),
    ...(spacing ? [{ step: 'resample', options: { spacing: spacing.length === 1 ? spacing[0] : spacing } }] : []),
  ]
}

interface Shape {
  steps: PlanStep[]
  size: readonly number[] | null
  run: Record<string, unknown>
  notes: string[]
}

async function planRun3d(
  answers: Answers,
  { kind, size, isSpaced }: { kind: ModelKind; size: number[] | null; isSpaced: boolean },
): Promise<Shape> {
  const isWhole = kind === 'classification-3d'
  const window = isWhole
    ? null
    : await askNumbers(
        answers,
        {
          id: 'window',
          text: 'Size of the sliding window along columns, rows and slices, voxels; or none, for the whole volume at once',
          default: (size ?? [96, 96, 96]).join(','),
          isKnown: size !== null,
          faultOf: (answer) =>
            answer === 'none' || !size || numbersOf(answer)?.join() === size.join()
              ? null
              : `the model takes ${size.join(',')} voxels and nothing else`,
        },
        { counts: [3], whole: true },
      )
  if (window) return { steps: [], size: null, run: { kind: 'sliding-window', size: window }, notes: [] }
  if (!size)
    return {
      steps: [],
      size: null,
      run: { kind: 'whole' },
      notes: ['The whole volume is given to the model at once: it may need much memory.'],
    }
  // Voxels of a spacing stay of that spacing.
  const fit = await askFit(answers, size, isSpaced ? 'crop-or-pad' : 'resize')
  return { steps: [fit], size, run: { kind: 'whole' }, notes: [] }
}

async function planRun2d(
  answers: Answers,
  { kind, size, image, layout }: { kind: ModelKind; size: number[] | null; image: TensorInfo; layout: string },
): Promise<Shape> {
  const wanted =
    size ??
    (await askNumbers(
      answers,
      { id: 'size', text: 'Columns and rows that slices are brought to; or none, as they come', default: 'none' },
      { counts: [2], whole: true },
    ))
  const batch = dimOf(image, layout, 'N')
  const run = { kind: 'slices', ...(batch !== null && batch > 1 && { batch }) }
  if (!wanted)
    return {
      steps: [],
      size: null,
      run,
      notes: ['Slices are given in the size that they have: many networks want a multiple of 16 or 32.'],
    }
  return {
    steps: [await askFit(answers, wanted, kind === 'classification-2d' ? 'letterbox' : 'resize')],
    size: wanted,
    run,
    notes: [],
  }
}

async function askFit(
  answers: Answers,
  size: readonly number[],
  otherwise: 'resize' | 'letterbox' | 'crop-or-pad',
): Promise<PlanStep> {
  const how = await choose(answers, {
    id: 'fit',
    text: `How images get ${size.join(' x ')} voxels: resize (stretched), letterbox (aspect kept), crop-or-pad (spacing kept)`,
    default: otherwise,
    choices: ['resize', 'letterbox', 'crop-or-pad'],
  })
  if (how === 'crop-or-pad') return { step: 'fit', options: { size } }
  return { step: 'resize', options: how === 'letterbox' ? { size, aspect: 'letterbox', fill: 'minimum' } : { size } }
}

function faultOfLayout(layout: string, image: TensorInfo): string | null {
  if (image.dims !== null && layout.length !== image.dims.length)
    return `the model's input ${image.name} has ${image.dims.length} dimensions`
  const axes = layout.split('')
  const isRight = axes.every((axis) => 'NTCDHWXYZ'.includes(axis)) && new Set(axes).size === axes.length
  return isRight && /[WX]/.test(layout) && /[HY]/.test(layout) ? null : 'letters as NCHW or NCDHW are expected'
}
