import { setImmediate as turn } from 'node:timers/promises'
import type { DicomJson } from '../../dicom/dicom-json.ts'
import { InferError, refusal } from '../error.ts'
import type { Image } from '../image.ts'
import type { Maker } from '../manifest/value-graph.ts'
import { isSameGrid } from '../prepare/grid-mapping.ts'
import { resampleOnto } from '../prepare/resample.ts'
import { metadataOf } from '../read/metadata.ts'
import { readSegmentation } from '../read/segmentation.ts'
import type { StepContext } from '../step.ts'
import type { Value } from '../value.ts'
import { runEntry } from './infer-entry.ts'
import { located } from './located.ts'
import { valuesUsedBy } from './plan.ts'
import type { Run } from './run.ts'

/**
 * Evaluates one entry of a manifest: its values are put into the store, and those that nothing needs any more go. Where an input that is not
 * required is absent, what needs it is left out.
 * @throws {InferError} `refused` and everything that reading, steps and models throw
 */
export async function evaluate(maker: Maker, run: Run, progress: (fraction: number) => void): Promise<void> {
  const needed = valuesUsedBy(maker)
  const missing = needed.find((name) => !run.values.find(name))
  if (missing === undefined) await make(maker, run, progress)
  else run.log.push(`${maker.gives.map(({ name }) => name).join(', ')}: left out, there is no ${missing}`)
  run.values.used(needed)
  // The parent's questions, and progress, get their turn between the steps.
  await turn()
}

async function make(maker: Maker, run: Run, progress: (fraction: number) => void): Promise<void> {
  switch (maker.kind) {
    case 'input':
      await makeInput(maker, run, progress)
      break
    case 'metadata': {
      const opened = run.opened.get(maker.metadata.from)
      if (!opened) return
      put(run, maker.name, { kind: 'numbers', numbers: metadataOf(opened.source.header, maker.metadata) })
      break
    }
    case 'prepare':
      await makePrepared(maker, run, progress)
      break
    case 'infer':
      for (const [name, value] of await runEntry(maker.entry, run, progress)) put(run, name, value)
      break
    case 'finish':
      await makeFinished(maker, run, progress)
      break
  }
}

function put(run: Run, name: string, value: Value): void {
  run.values.put(name, { value, origin: run.plan.origins.get(name) ?? '' })
}

async function makeInput(
  { input }: Extract<Maker, { kind: 'input' }>,
  run: Run,
  progress: (fraction: number) => void,
): Promise<void> {
  if (input.kind === 'segmentation') {
    const given = run.task.inputs[input.name]
    const of = run.opened.get(input.of)
    if (!given || !of) return
    const read = await readSegmentation(given, input, { of, log: run.log })
    run.arrived.set(input.name, read)
    put(run, input.name, { kind: 'labels', labels: read.labels })
    return
  }
  const opened = run.opened.get(input.name)
  if (!opened) return
  const { axis } = opened
  if (axis) put(run, `${input.name}.axis`, { kind: 'numbers', numbers: Float64Array.from(axis) })
  if (!run.plan.uses.get(input.name)) return
  const image = await opened.read({ threads: run.task.threads, onProgress: progress })
  put(run, input.name, { kind: 'image', image })
}

/** What a step may ask, with the header of the value's source. */
function contextOf(run: Run, name: string): StepContext {
  const opened = run.opened.get(run.plan.origins.get(name) ?? '')
  const header: DicomJson = opened?.source.header ?? {}
  return {
    header,
    sourceGrid: opened?.grid,
    frameOfReferenceOf: (other) => frameOfReferenceOf(other, run),
    valueOf: (other) => run.values.get(other).value,
    note: (sentence) => run.log.push(sentence),
  }
}

async function makePrepared(
  { name, chain, needs }: Extract<Maker, { kind: 'prepare' }>,
  run: Run,
  progress: (fraction: number) => void,
): Promise<void> {
  const context = contextOf(run, name)
  const [from] = chain.from as [string]
  let image = chain.from.length === 1 ? imageOf(run.values.get(from).value) : stacked(chain.from, chain.align, run)
  // A stack is new; a single image may be changed where nothing else needs it: neither its name, nor a step of this chain.
  const mentioned = needs.filter((need) => need.name === from).length
  let owned = chain.from.length > 1 || (mentioned === 1 && run.values.isGivenForGood(from))
  for (const [index, { step, options }] of chain.steps.entries()) {
    const before = image
    const within = (fraction: number): void => progress((index + fraction) / chain.steps.length)
    image = applying(name, step, () => stepOf(run, step).apply(image, options, { ...context, owned, progress: within }))
    // What a step hands on unchanged belongs to whom it belonged before.
    owned ||= image.data.buffer !== before.data.buffer
    progress((index + 1) / chain.steps.length)
    await turn()
  }
  put(run, name, { kind: 'image', image })
}

function stepOf({ tables }: Run, step: string) {
  return tables.prepareSteps[step] as Run['tables']['prepareSteps'][string]
}

/** A label map is an image of one channel. */
function imageOf(value: Value): Image {
  if (value.kind === 'image') return value.image
  if (value.kind === 'labels') return { grid: value.labels.grid, channels: 1, data: value.labels.labels }
  throw new InferError('wrong-value', `an image is expected, there is ${value.kind}`)
}

/** Images as channels of one, on the grid of the first. */
function stacked(from: readonly string[], align: 'frame-of-reference' | 'positions' | 'same-grid', run: Run): Image {
  const images = from.map((name) => imageOf(run.values.get(name).value))
  const first = images[0] as Image
  const onto = images.map((image, index) => {
    if (index === 0) return image
    if (align === 'frame-of-reference') checkFrameOfReference(from[0] as string, from[index] as string, run)
    if (isSameGrid(image.grid, first.grid)) return image
    if (align === 'same-grid')
      throw refusal(`${from[index]} does not lie on the grid of ${from[0]}: the same slices and pixels are expected`)
    return resampleOnto(image, first.grid, { antiAlias: true, outside: 0 })
  })
  const length = onto.reduce((sum, { data }) => sum + data.length, 0)
  const [{ data }] = onto as [Image]
  const alike = onto.every((image) => image.data.constructor === data.constructor)
  const stack = alike
    ? new (data.constructor as new (length: number) => Image['data'])(length)
    : new Float32Array(length)
  let at = 0
  for (const image of onto) {
    stack.set(image.data, at)
    at += image.data.length
  }
  return { grid: first.grid, channels: onto.reduce((sum, { channels }) => sum + channels, 0), data: stack }
}

/**
 * Positions of two series can be compared where both are in one frame of reference (PS3.3 C.7.4.1).
 * @throws {InferError} `refused`
 */
function checkFrameOfReference(one: string, other: string, run: Run): void {
  if (run.plan.origins.get(one) === run.plan.origins.get(other)) return
  const [first, second] = [frameOfReferenceOf(one, run), frameOfReferenceOf(other, run)]
  if (first === null || first !== second)
    throw refusal(
      `${other} is not registered with ${one}: its Frame of Reference UID is ${second ?? 'absent'}, ${first ?? 'one'} is expected`,
    )
}

function frameOfReferenceOf(name: string, run: Run): string | null {
  return run.opened.get(run.plan.origins.get(name) ?? '')?.frameOfReferenceUID ?? null
}

async function makeFinished(
  { name, chain, needs }: Extract<Maker, { kind: 'finish' }>,
  run: Run,
  progress: (fraction: number) => void,
): Promise<void> {
  const context = contextOf(run, name)
  let { value } = run.values.get(chain.from)
  const mentioned = needs.filter((need) => need.name === chain.from).length
  let owned = mentioned === 1 && run.values.isGivenForGood(chain.from)
  for (const [index, { step, options }] of chain.steps.entries()) {
    const before = value
    const declared = run.tables.finishSteps[step] as Run['tables']['finishSteps'][string]
    const within = (fraction: number): void => progress((index + fraction) / chain.steps.length)
    value = applying(name, step, () => declared.apply(value, options, { ...context, owned, progress: within }))
    owned ||= memoryOf(value) !== memoryOf(before)
    progress((index + 1) / chain.steps.length)
    await turn()
  }
  put(run, name, value)
}

function memoryOf(value: Value): unknown {
  if (value.kind === 'image') return value.image.data.buffer
  return value.kind === 'labels' ? value.labels.labels.buffer : value
}

/** Says in which step of which value something went wrong. */
function applying<Result>(name: string, step: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw located(error, `${name}, ${step}`)
  }
}
