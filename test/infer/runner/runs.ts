import type { Grid, Image } from '../../../src/infer/image.ts'
import { type InferEntry, runOptions, tensorInput, tensorOutput } from '../../../src/infer/runner/options.ts'
import { runModels } from '../../../src/infer/runner/run-models.ts'
import type { Model, TensorInfo } from '../../../src/infer/runtime/model.ts'
import type { Tensor } from '../../../src/infer/runtime/tensor.ts'
import type { Value, ValueKind, ValueOf } from '../../../src/infer/value.ts'

export function gridOf(nx: number, ny: number, nz: number): Grid {
  return {
    size: [nx, ny, nz],
    spacing: [1, 2, 3],
    origin: [10, 20, 30],
    axes: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  }
}

/** An image whose every element differs: a fraction of a whole number, in no order. */
export function noise(grid: Grid, channels = 1): Image {
  const data = new Float32Array(grid.size[0] * grid.size[1] * grid.size[2] * channels)
  let state = 12_345
  for (let i = 0; i < data.length; i++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    data[i] = (state % 2001) / 1000 - 1
  }
  return { grid, channels, data }
}

/** A model made of a function, for what no real one shows. */
export function functionModel(
  run: (feeds: Readonly<Record<string, Tensor>>) => Record<string, Tensor>,
  more: { inputs?: readonly TensorInfo[] } = {},
): Model & Record<'calls' | 'fed', Readonly<Record<string, Tensor>>[]> {
  // As they were in the run, and the tensors themselves, whose memory may be used for the next run.
  const calls: Readonly<Record<string, Tensor>>[] = []
  const fed: Readonly<Record<string, Tensor>>[] = []
  return {
    provider: 'function',
    notes: [],
    inputs: more.inputs ?? null,
    outputs: null,
    calls,
    fed,
    run: async (feeds) => {
      calls.push(structuredClone(feeds))
      fed.push(feeds)
      return run(feeds)
    },
    close: async () => {},
  }
}

export const float32 = (dims: readonly number[], data: ArrayLike<number>): Tensor => ({
  type: 'float32',
  dims,
  data: Float32Array.from(data),
})

/** A model that changes the numbers of `in` and gives them as `out`. */
export function numbersModel(
  change: (data: Float32Array, dims: readonly number[]) => ArrayLike<number>,
): ReturnType<typeof functionModel> {
  return functionModel(({ in: given }) => {
    if (given?.type !== 'float32') throw new Error('float32 is expected')
    return { out: float32(given.dims, change(given.data, given.dims)) }
  })
}

/** An entry as it stands in a manifest, read with its schemas. */
export function entryOf(given: {
  inputs?: Record<string, unknown>
  run?: Record<string, unknown>
  outputs?: Record<string, unknown>
  augment?: InferEntry['augment']
  combine?: InferEntry['combine']
}): InferEntry {
  const read = <Output>(record: Record<string, unknown>, parse: (value: unknown) => Output): Record<string, Output> =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, parse(value)]))
  return {
    name: 'test',
    inputs: read(given.inputs ?? { in: { from: 'image' } }, (value) => tensorInput.parse(value)),
    run: runOptions.parse(given.run ?? { kind: 'whole' }),
    outputs: read(given.outputs ?? { out: 'result' }, (value) => tensorOutput.parse(value)),
    augment: given.augment,
    combine: given.combine ?? 'mean',
  }
}

export async function runOn(
  entry: InferEntry,
  models: Model | readonly Model[],
  values: Record<string, Image | Value>,
): Promise<Map<string, Value>> {
  return runModels(entry, {
    models: [models].flat(),
    valueOf: (name) => {
      const value = values[name]
      if (!value) throw new Error(`no value ${name}`)
      return 'kind' in value ? value : { kind: 'image', image: value }
    },
  })
}

/** A value of a kind; another kind fails the test. */
export function valueOf<Kind extends ValueKind>(
  values: Map<string, Value>,
  kind: Kind,
  name = 'result',
): ValueOf<Kind> {
  const value = values.get(name)
  if (value?.kind !== kind) throw new Error(`${name} is ${value?.kind ?? 'absent'}, ${kind} is expected`)
  return value as ValueOf<Kind>
}

export const imageOf = (values: Map<string, Value>, name = 'result'): Image => valueOf(values, 'image', name).image
