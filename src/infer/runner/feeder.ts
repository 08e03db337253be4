import { InferError } from '../error.ts'
import type { Image } from '../image.ts'
import type { Model } from '../runtime/model.ts'
import type { Tensor, TensorType } from '../runtime/tensor.ts'
import type { Value } from '../value.ts'
import { lettersOf } from './layout.ts'
import type { InferEntry } from './options.ts'
import { type ChannelSource, pack, packNumbers, type Region, tensorOfNumbers } from './pack.ts'
import { type Permutation, permuteImage } from './permute.ts'

type Source =
  | { kind: 'image'; image: Image; layout: string; type: TensorType }
  | { kind: 'numbers'; numbers: Float64Array; layout: string; type: TensorType }
  | { kind: 'constant'; tensor: Tensor }

/** Which part of the images one run is given. */
export interface Part {
  regions: readonly Region[]
  outside: number | 'repeat'
  /** For each image; all its channels where it is absent or gives undefined. */
  channelsOf?: (image: Image) => { channels: readonly ChannelSource[]; perStep?: number } | undefined
}

/** Makes what a model is fed with from the values that an entry names. */
export class Feeder {
  /** The first input that is an image: what is said of a grid is said of this one's. */
  readonly reference: Image
  /** Layouts of the inputs that are images. */
  readonly layouts: ReadonlyMap<string, string>
  /** Layout of the reference. */
  readonly layout: string
  /** Runs of a batch must have this size, where the model does not leave it open. */
  readonly fixedBatch: number | null
  readonly #sources: ReadonlyMap<string, Source>
  /** The tensors of the run before, by the names of the inputs: their memory is used again. */
  readonly #before = new Map<string, Tensor>()

  /**
   * @param permutation of the images' axes, so that the one that is walked along is the slowest
   * @throws {InferError} `wrong-shape` when a value is of a kind that no tensor is made of, or there is no image
   */
  constructor(
    entry: Pick<InferEntry, 'inputs'>,
    given: { valueOf(name: string): Value; model: Model; permutation?: Permutation },
  ) {
    this.#sources = new Map(
      Object.entries(entry.inputs).map(([name, input]) => [name, sourceOf(name, input, given)] as const),
    )
    const images = [...this.#sources].flatMap(([name, source]) =>
      source.kind === 'image' ? [{ name, ...source }] : [],
    )
    const [first] = images
    if (!first) throw new InferError('wrong-shape', 'a model needs at least one input that is an image')
    this.reference = first.image
    this.layout = first.layout
    this.layouts = new Map(images.map(({ name, layout }) => [name, layout]))
    const dim = given.model.inputs?.find(({ name }) => name === first.name)?.dims?.[
      lettersOf(first.layout).indexOf('N')
    ]
    this.fixedBatch = typeof dim === 'number' && dim > 0 ? dim : null
  }

  /** @throws {InferError} `wrong-shape` when images differ in size that are walked through together */
  checkSameSize(): void {
    const { size } = this.reference.grid
    for (const [name, source] of this.#sources)
      if (source.kind === 'image' && source.image.grid.size.join() !== size.join())
        throw new InferError(
          'wrong-shape',
          `input ${name} has ${source.image.grid.size.join(' × ')} voxels, ${size.join(' × ')} are expected: images that a model sees part by part must have one size`,
        )
  }

  /** Tensors of one run; the images of which a part is wanted have the same regions. Those of the run before are gone with it. */
  feeds(part: Part): Record<string, Tensor> {
    return Object.fromEntries(
      [...this.#sources].map(([name, source]) => {
        const tensor = this.#tensor(name, source, part)
        // An image's own memory is not to be written to.
        if (source.kind === 'image' && tensor.data !== source.image.data) this.#before.set(name, tensor)
        return [name, tensor]
      }),
    )
  }

  /** Tensors of all images in whole, which may differ in size. */
  whole(): Record<string, Tensor> {
    return Object.fromEntries(
      [...this.#sources].map(([name, source]) => {
        const size = source.kind === 'image' ? source.image.grid.size : this.reference.grid.size
        return [name, this.#tensor(name, source, { regions: [{ from: [0, 0, 0], size }], outside: 0 })]
      }),
    )
  }

  #tensor(name: string, source: Source, { regions, outside, channelsOf }: Part): Tensor {
    const what = `input ${name}`
    if (source.kind === 'constant') return source.tensor
    const { layout, type } = source
    if (source.kind === 'numbers') return packNumbers(what, source.numbers, { layout, type, batch: regions.length })
    const { channels, perStep } = channelsOf?.(source.image) ?? {}
    return pack(what, source.image, {
      layout,
      type,
      regions,
      outside,
      reuse: this.#before.get(name),
      ...(channels && { channels }),
      ...(perStep !== undefined && { channelsPerStep: perStep }),
    })
  }
}

function sourceOf(
  name: string,
  input: InferEntry['inputs'][string],
  { valueOf, permutation }: { valueOf(name: string): Value; permutation?: Permutation },
): Source {
  if ('constant' in input) {
    const { type, dims, constant } = input
    if (dims.reduce((product, dim) => product * dim, 1) !== constant.length)
      throw new InferError(
        'wrong-shape',
        `input ${name}: [${dims.join(', ')}] does not hold ${constant.length} numbers`,
      )
    return { kind: 'constant', tensor: tensorOfNumbers(type, dims, constant) }
  }
  const { layout, type } = input
  const value = valueOf(input.from)
  if (value.kind === 'numbers') return { kind: 'numbers', numbers: value.numbers, layout, type }
  const image = imageOf(value)
  if (!image)
    throw new InferError(
      'wrong-shape',
      `input ${name}: ${input.from} is of kind ${value.kind}; image, labels or numbers are expected`,
    )
  return { kind: 'image', image: permutation ? permuteImage(image, permutation) : image, layout, type }
}

function imageOf(value: Value): Image | null {
  if (value.kind === 'image') return value.image
  return value.kind === 'labels' ? { grid: value.labels.grid, channels: 1, data: value.labels.labels } : null
}
