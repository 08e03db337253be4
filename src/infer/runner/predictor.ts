import { InferError } from '../error.ts'
import { checkFinite } from '../runtime/check-tensors.ts'
import type { Model } from '../runtime/model.ts'
import { elementsOf, type Tensor } from '../runtime/tensor.ts'
import { apply, identity, inverse, type Transform } from './augment.ts'
import { oneHot, sigmoid, softmax } from './channel-math.ts'
import { layoutOfRank, lettersOf } from './layout.ts'
import type { CombineOptions, TensorOutputOptions } from './options.ts'
import { numbersOf } from './unpack.ts'

/** Runs models on tensors; what comes back is checked, and belongs to the caller. */
export type Predict = (feeds: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>

export interface Prediction {
  models: readonly Model[]
  transforms: readonly Transform[]
  combine: CombineOptions
  /** Layouts of the inputs that lie on a grid. */
  layouts: ReadonlyMap<string, string>
  /** Layout of an output for which none is said. */
  defaultLayout: string
  outputs: Readonly<Record<string, readonly TensorOutputOptions[]>>
  /** Outputs that are given as they are: states. */
  further: readonly string[]
}

/**
 * Makes one predictor of an ensemble and of test-time augmentation: every model runs on every transform of the input, and the results, turned back,
 * are combined. Only the sum of the results is kept.
 * @throws {InferError} `wrong-shape` where results cannot be combined
 */
export function predictor(prediction: Prediction): Predict {
  const { models, transforms, outputs, further } = prediction
  const wanted = [...Object.keys(outputs), ...further]
  const [model] = models as [Model]
  if (models.length * transforms.length === 1 && prediction.combine === 'mean')
    return async (feeds) => checked(await model.run(feeds, wanted))
  checkCombinable(prediction)
  return async (feeds) => {
    const sums = new Map<string, Gathering>()
    for (const transform of transforms) {
      const given = transform === identity ? feeds : transformed(feeds, prediction.layouts, transform)
      for (const one of models) {
        const results = checked(await one.run(given, wanted))
        for (const [name, tensor] of Object.entries(results)) {
          const layout = outputLayout(prediction, name, tensor)
          const back = isOnGrid(outputs[name]) ? apply(`output ${name}`, tensor, layout, inverse(transform)) : tensor
          const gathering = sums.get(name) ?? gather(prediction.combine, `output ${name}`, isLabels(outputs[name]))
          gathering.add(back, layout)
          sums.set(name, gathering)
        }
      }
    }
    return Object.fromEntries([...sums].map(([name, gathering]) => [name, gathering.result()]))
  }
}

function checked(results: Record<string, Tensor>): Record<string, Tensor> {
  for (const [name, tensor] of Object.entries(results)) checkFinite(name, tensor)
  return results
}

function isOnGrid(outputs: readonly TensorOutputOptions[] | undefined): boolean {
  return outputs?.some(({ kind }) => kind === 'image' || kind === 'labels') ?? false
}

/** Labels that the model itself gives, not those that are made of channels afterwards. */
function isLabels(outputs: readonly TensorOutputOptions[] | undefined): boolean {
  return outputs?.some(({ kind, reduce }) => kind === 'labels' && reduce !== 'argmax') ?? false
}

/** The layout of an output: its own, or that of the input as far as the tensor has dimensions. Vectors are C or NC. */
export function outputLayout(
  { outputs, defaultLayout }: Pick<Prediction, 'outputs' | 'defaultLayout'>,
  name: string,
  { dims, place }: Tensor,
): string {
  const options = outputs[name]
  const own = options?.find(({ layout }) => layout !== undefined)?.layout ?? place?.layout
  if (own !== undefined) return own
  if (!isOnGrid(options)) return dims.length === 1 ? 'C' : 'NC'
  return layoutOfRank(defaultLayout, dims.length)
}

function checkCombinable({ outputs, further, combine }: Prediction): void {
  const wrong = (reason: string): InferError => new InferError('wrong-shape', reason)
  if (further.length > 0)
    throw wrong('the states of recurrent models cannot be combined: one model without augmentation is expected')
  for (const [name, options] of Object.entries(outputs)) {
    if (options.some(({ kind }) => kind === 'tensor'))
      throw wrong(`output ${name}: tensors that a step decodes cannot be combined or turned back`)
    if (isLabels(options) && combine !== 'vote')
      throw wrong(`output ${name}: labels are combined by vote, not by ${combine}`)
  }
}

function transformed(
  feeds: Readonly<Record<string, Tensor>>,
  layouts: ReadonlyMap<string, string>,
  transform: Transform,
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      const layout = layouts.get(name)
      return [name, layout === undefined ? tensor : apply(`input ${name}`, tensor, layout, transform)]
    }),
  )
}

interface Gathering {
  add(tensor: Tensor, layout: string): void
  result(): Tensor
}

function gather(combine: CombineOptions, what: string, labels: boolean): Gathering {
  return labels ? gatherVotes(what) : gatherMean(combine, what)
}

function gatherMean(combine: CombineOptions, what: string): Gathering {
  let sum: Float32Array | undefined
  let dims: readonly number[] = []
  let count = 0
  return {
    add: (tensor, layout) => {
      const given = numbersOf(tensor)
      const data = given instanceof Float32Array ? given : Float32Array.from(given)
      activate(combine, { what, layout, dims: tensor.dims, data })
      count += 1
      if (!sum) {
        sum = data
        dims = tensor.dims
        return
      }
      checkSame(what, dims, tensor.dims)
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (data[i] as number)
    },
    result: () => {
      const data = sum ?? new Float32Array(0)
      if (count > 1) for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) / count
      return { type: 'float32', dims, data }
    },
  }
}

function checkSame(what: string, dims: readonly number[], found: readonly number[]): void {
  if (dims.join() !== found.join())
    throw new InferError(
      'wrong-shape',
      `${what}: [${dims.join(', ')}] and [${found.join(', ')}] were found; models of an ensemble, and turned inputs, must give the same`,
    )
}

function activate(
  combine: CombineOptions,
  { what, layout, dims, data }: { what: string; layout: string; dims: readonly number[]; data: Float32Array },
): void {
  if (combine === 'mean') return
  if (combine === 'mean-sigmoid') {
    sigmoid({ data })
    return
  }
  const at = lettersOf(layout).indexOf('C')
  if (at < 0) throw new InferError('wrong-shape', `${what}: ${combine} needs channels (C), the layout is ${layout}`)
  const channels = { data, channels: dims[at] as number, inner: elementsOf(dims.slice(at + 1)) }
  if (combine === 'mean-softmax') softmax(channels)
  else oneHot(channels)
}

/** For each element the label that most results have; the lowest of equals. */
function gatherVotes(what: string): Gathering {
  const results: Uint8Array[] = []
  let dims: readonly number[] = []
  return {
    add: (tensor) => {
      if (results.length === 0) dims = tensor.dims
      checkSame(what, dims, tensor.dims)
      results.push(Uint8Array.from(numbersOf(tensor)))
    },
    result: () => ({ type: 'uint8', dims, data: majority(results) }),
  }
}

function majority(results: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(0)] = results
  const winner = new Uint8Array(first.length)
  const votes = new Uint16Array(256)
  for (let i = 0; i < winner.length; i++) {
    let best = 255
    for (const result of results) {
      const label = result[i] as number
      const count = (votes[label] as number) + 1
      votes[label] = count
    }
    let most = 0
    for (const result of results) {
      const label = result[i] as number
      const count = votes[label] as number
      if (count > most || (count === most && label < best)) {
        most = count
        best = label
      }
    }
    for (const result of results) votes[result[i] as number] = 0
    winner[i] = best
  }
  return winner
}
