import { InferError } from '../error.ts'
import type { Grid } from '../image.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { Value } from '../value.ts'
import { type GridSink, gridSink } from './grid-sink.ts'
import type { InferEntry, TensorOutputOptions } from './options.ts'
import { factorsOf, outputGrid, outputSize } from './output-grid.ts'
import type { Region } from './pack.ts'
import { outputLayout } from './predictor.ts'
import { type Block, unpack } from './unpack.ts'
import { type VectorSink, vectorSink } from './vector-sink.ts'

/** What one run was given, and where its results belong. */
export interface Placement {
  /** What it was given: whole planes; all of one size. The results of further ones, which fill up the batch, are left out. */
  regions: readonly Region[]
  batch: number
  /** Planes at the beginning and the end of what it gave that do not count. */
  crop?: { first: number; count: number }
  /** The step that it was of how many, whose results are channels one after the other. */
  step?: { index: number; count: number }
  /** It was given everything at once: outputs may then have a size that is nobody's multiple, or a grid of their own. */
  whole?: boolean
}

/** Makes values of a model's outputs, run by run. */
export class Collector {
  readonly #entry: Pick<InferEntry, 'outputs'>
  readonly #grid: Grid
  readonly #layout: string
  readonly #source: Grid | undefined
  readonly #gridSinks = new Map<TensorOutputOptions, GridSink>()
  readonly #vectorSinks = new Map<TensorOutputOptions, VectorSink>()

  /** @param from the image input that outputs without a layout follow, and the grid that results are shown on, with its axes in the same order */
  constructor(entry: Pick<InferEntry, 'outputs'>, from: { grid: Grid; layout: string; source?: Grid | undefined }) {
    this.#source = from.source
    this.#entry = entry
    this.#grid = from.grid
    this.#layout = from.layout
  }

  /** @throws {InferError} `wrong-shape` */
  put(results: Readonly<Record<string, Tensor>>, placement: Placement): void {
    for (const [name, options] of Object.entries(this.#entry.outputs)) {
      const tensor = results[name] as Tensor
      const onGrid = options.filter(({ kind }) => kind === 'image' || kind === 'labels')
      for (const output of options)
        if (!onGrid.includes(output)) this.#vectorSink(output).put(tensor, placement.batch, placement.regions.length)
      if (onGrid.length > 0) this.#putBlocks(name, tensor, { outputs: onGrid, placement })
    }
  }

  values(): Map<string, Value> {
    const sinks = [...this.#gridSinks, ...this.#vectorSinks]
    return new Map(sinks.map(([output, sink]) => [output.value, sink.value()]))
  }

  #putBlocks(
    name: string,
    tensor: Tensor,
    { outputs, placement }: { outputs: readonly TensorOutputOptions[]; placement: Placement },
  ): void {
    const what = `output ${name}`
    const layout = outputLayout({ outputs: this.#entry.outputs, defaultLayout: this.#layout }, name, tensor)
    const blocks = unpack(what, tensor, layout)
    const { regions, step, crop } = placement
    if (blocks.length !== placement.batch)
      throw new InferError(
        'wrong-shape',
        `${what}: a batch of ${placement.batch} is expected, ${blocks.length} was found`,
      )
    for (const [n, region] of regions.entries()) {
      const given = blocks[n] as Block
      const own = placement.whole ? (tensor.place?.grid ?? null) : null
      const factors = own ? ([1, 1, 1] as const) : factorsOf(what, region.size, given.size)
      const cropped = crop ? cropPlanes(given, scaled(crop, factors[2])) : given
      const first = (region.from[2] + (crop?.first ?? 0)) * factors[2]
      if (!Number.isInteger(first))
        throw new InferError('wrong-shape', `${what}: parts of the image cannot give one plane for ${1 / factors[2]}`)
      for (const [index, output] of outputs.entries()) {
        const sink = this.#gridSink(output, () => {
          const size = placement.whole ? given.size : outputSize(this.#grid.size, factors)
          const grid = own ?? outputGrid(this.#grid, factors, size, output.align)
          return gridSink(output, { grid, source: this.#source }, given.channels * (step?.count ?? 1))
        })
        // Sinks may change what they are given, and keep it.
        const block = index < outputs.length - 1 ? { ...cropped, data: cropped.data.slice() } : cropped
        sink.put(block, { k: first, channel: (step?.index ?? 0) * given.channels })
      }
    }
  }

  #gridSink(output: TensorOutputOptions, make: () => GridSink): GridSink {
    const sink = this.#gridSinks.get(output) ?? make()
    this.#gridSinks.set(output, sink)
    return sink
  }

  #vectorSink(output: TensorOutputOptions): VectorSink {
    const sink = this.#vectorSinks.get(output) ?? vectorSink(output, this.#grid)
    this.#vectorSinks.set(output, sink)
    return sink
  }
}

function scaled({ first, count }: { first: number; count: number }, factor: number): { first: number; count: number } {
  return { first: first * factor, count: count * factor }
}

/** Some planes of a block. */
export function cropPlanes(block: Block, { first, count }: { first: number; count: number }): Block {
  const [nx, ny, nz] = block.size
  const plane = nx * ny
  if (first === 0 && count === nz) return block
  const size = [nx, ny, count] as const
  if (block.channels === 1) return { ...block, size, data: block.data.subarray(first * plane, (first + count) * plane) }
  const data = block.data.slice(0, block.channels * plane * count)
  for (let c = 0; c < block.channels; c++) {
    const from = (c * nz + first) * plane
    data.set(block.data.subarray(from, from + count * plane), c * count * plane)
  }
  return { channels: block.channels, size, data }
}
