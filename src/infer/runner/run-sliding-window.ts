import { InferError } from '../error.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { Value } from '../value.ts'
import { type GridSink, gridSink } from './grid-sink.ts'
import type { InferEntry, RunOf, TensorOutputOptions } from './options.ts'
import { factorsOf, outputGrid, outputSize } from './output-grid.ts'
import type { Region } from './pack.ts'
import { outputLayout } from './predictor.ts'
import { filled, type Run } from './run-parts.ts'
import { SlidingSum, type WindowShape } from './sliding-sum.ts'
import { type Block, unpack } from './unpack.ts'
import { windowStarts } from './windows.ts'

type Size = readonly [number, number, number]

/**
 * Window by window, weighed by a Gaussian (or all the same) where windows overlap, as MONAI and nnU-Net do. Windows are visited plane of windows by
 * plane of windows along k; as soon as no further window reaches a plane of voxels, it is finished and handed on, so that no more
 * planes than a window has are kept as numbers of every channel.
 */
export async function runSlidingWindow(
  run: Run,
  entry: InferEntry,
  options: RunOf<'sliding-window'>,
): Promise<Map<string, Value>> {
  const { feeder, predict } = run
  feeder.checkSameSize()
  const grid = feeder.reference.grid
  const outputs = Object.entries(entry.outputs).map(
    ([name, outs]) => new WindowedOutput(name, outs, { run, entry, options }),
  )
  // How coarse the outputs are is known after the first window, which does not depend on it.
  const starts = (multiple: readonly number[]): [number[], number[], number[]] =>
    [0, 1, 2].map((axis) =>
      windowStarts(grid.size[axis] as number, options.size[axis] as number, options.overlap, multiple[axis] ?? 1),
    ) as [number[], number[], number[]]
  let [xs, ys, zs] = starts([])
  const predictAll = async (regions: readonly Region[]): Promise<void> => {
    const given = filled(feeder, regions)
    const results = await predict(feeder.feeds({ regions: given, outside: options.outside }))
    for (const output of outputs) output.add(results[output.name] as Tensor, regions, given.length)
  }
  const region = (k: number, j: number, i: number): Region => ({ from: [i, j, k], size: options.size })
  await predictAll([region(zs[0] as number, ys[0] as number, xs[0] as number)])
  const multiple = [0, 1, 2].map((axis) => Math.max(...outputs.map((output) => output.strideAlong(axis))))
  ;[xs, ys, zs] = starts(multiple)
  for (const [layer, k] of zs.entries()) {
    const windows = ys.flatMap((j) => xs.map((i) => region(k, j, i))).slice(layer === 0 ? 1 : 0)
    for (let at = 0; at < windows.length; at += options.batch) {
      await predictAll(windows.slice(at, at + options.batch))
      run.progress((layer + Math.min(1, (at + options.batch) / windows.length)) / zs.length)
    }
    for (const output of outputs) output.finishBefore(zs[layer + 1] ?? grid.size[2])
  }
  return new Map(outputs.flatMap((output) => output.values()))
}

/** One output of the model, from its windows to the values that are made of it. */
class WindowedOutput {
  readonly name: string
  readonly #options: readonly TensorOutputOptions[]
  readonly #from: { run: Run; entry: InferEntry; options: RunOf<'sliding-window'> }
  #factors: Size = [1, 1, 1]
  #sum: SlidingSum | undefined
  #sinks: GridSink[] = []

  constructor(
    name: string,
    options: readonly TensorOutputOptions[],
    from: { run: Run; entry: InferEntry; options: RunOf<'sliding-window'> },
  ) {
    this.name = name
    this.#options = options
    this.#from = from
  }

  /** Voxels of the input along an axis for one of the output; 1 where the output is as fine or finer. */
  strideAlong(axis: number): number {
    return Math.max(1, Math.round(1 / (this.#factors[axis] as number)))
  }

  add(tensor: Tensor, regions: readonly Region[], batch: number): void {
    const what = `output ${this.name}`
    const { run, entry } = this.#from
    const layout = outputLayout({ outputs: entry.outputs, defaultLayout: run.feeder.layout }, this.name, tensor)
    const blocks = unpack(what, tensor, layout)
    if (blocks.length !== batch)
      throw new InferError('wrong-shape', `${what}: a batch of ${batch} is expected, ${blocks.length} was found`)
    for (const [n, region] of regions.entries()) {
      const block = blocks[n] as Block
      this.#sum ??= this.#begin(what, block)
      const from = region.from.map((f, axis) => f * (this.#factors[axis] as number)) as unknown as Size
      if (!from.every(Number.isInteger))
        throw new InferError(
          'wrong-shape',
          `${what}: one voxel for ${this.#factors.map((f) => 1 / f).join(' × ')}, windows at ${region.from.join(', ')} do not meet`,
        )
      this.#sum.add(block, from)
    }
  }

  #begin(what: string, block: Block): SlidingSum {
    const { run, options } = this.#from
    const { grid } = run.feeder.reference
    this.#factors = factorsOf(what, options.size, block.size)
    const size = outputSize(grid.size, this.#factors)
    this.#sinks = this.#options.map((output) =>
      gridSink(
        output,
        { grid: outputGrid(grid, this.#factors, size, output.align), source: run.source },
        block.channels,
      ),
    )
    const window: WindowShape = { size: block.size, blend: options.blend, sigma: options.sigma }
    return new SlidingSum(size, block.channels, window)
  }

  /** @param k of the input: no further window reaches the planes before it */
  finishBefore(k: number): void {
    this.#sum?.finish(Math.ceil(k * this.#factors[2]), (block, plane) => {
      for (const [index, sink] of this.#sinks.entries()) {
        // The memory is used again; a sink may keep a block that is all there is.
        const shared = index < this.#sinks.length - 1 || this.#sum?.depth === 1
        const data = shared ? block.data.slice() : block.data
        sink.put({ ...block, data }, { k: plane, channel: 0 })
      }
    })
  }

  values(): [string, Value][] {
    return this.#sinks.map((sink, index) => [(this.#options[index] as TensorOutputOptions).value, sink.value()])
  }
}
