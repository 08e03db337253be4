import * as z from 'zod'
import { name, valueName } from '../manifest/vocabulary.ts'

/** Types of tensors that values can be converted to. */
export const tensorType = z.enum([
  'float32',
  'float16',
  'float64',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'bool',
])

/**
 * The order of a tensor's dimensions, slowest first: N batch, T the steps of a sequence, C channels, D (or Z) planes (k), H (or Y) rows (j), W (or
 * X) columns (i) of the image's grid. nnU-Net's arrays are NCDHW, MONAI's NCXYZ, Keras' NHWC. A vector is NC, C, or N.
 */
export const layout = z
  .string()
  .regex(
    /^(?!.*(.).*\1)(?!.*(D.*Z|Z.*D|H.*Y|Y.*H|W.*X|X.*W))[NTCDHWZYX]{1,6}$/,
    'an order of the letters N, T, C, D, H and W, as NCDHW, is expected',
  )

/** What a model's input is made of: an image, a label map (one channel), a vector, or numbers that are always the same. */
export const tensorInput = z.union([
  z.strictObject({ from: valueName, layout: layout.default('NCDHW'), type: tensorType.default('float32') }),
  z.strictObject({
    constant: z.array(z.number()).min(1),
    dims: z.array(z.int().min(0)),
    type: tensorType.default('float32'),
  }),
])

/**
 * What a model's output becomes. `image`: channels on the grid of the input (or on one that is coarser or finer by a whole factor); `labels`:
 * one label a voxel; `numbers`: a vector, the elements in order; `tensor`: as it came, for a step that decodes it.
 */
const describedOutput = z
  .strictObject({
    value: name,
    kind: z.enum(['image', 'labels', 'numbers', 'tensor']).default('image'),
    /** Left out: that of the first input that is an image. */
    layout: layout.optional(),
    /**
     * Made of the channels while the model runs, so that not all of them need be kept. `argmax` gives labels (the channel's number) and needs
     * kind `labels`; `softmax` and `sigmoid` give probabilities.
     */
    reduce: z.enum(['argmax', 'softmax', 'sigmoid']).optional(),
    /** Channels that are kept, after `reduce`, by their numbers from 0. */
    keep: z.array(z.int().min(0)).min(1).optional(),
    /**
     * Where the voxels of a coarser or finer output lie. `centre`: each covers whole voxels of the input (pooling, transposed
     * convolution); `corner`: the first voxels' centres meet (strided convolution).
     */
    align: z.enum(['centre', 'corner']).default('centre'),
    /** What a vector of every slice, or of every step, becomes: one long vector, the mean, or the greatest of each element. */
    over: z.enum(['each', 'mean', 'maximum']).default('each'),
  })
  .superRefine((output, context) => {
    const problem = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if (output.reduce === 'argmax' && output.kind !== 'labels')
      problem('reduce', 'argmax gives labels: kind is labels then')
    if (output.reduce && output.reduce !== 'argmax' && output.kind !== 'image')
      problem('reduce', `${output.reduce} gives an image: kind is image then`)
    if (output.keep && output.kind !== 'image') problem('keep', 'channels are those of an image: kind is image then')
  })

const oneOutput = z.union([valueName.transform((value) => describedOutput.parse({ value })), describedOutput])

/** One value, or several that are made of the same output. */
export const tensorOutput = z.union([oneOutput.transform((output) => [output]), z.array(describedOutput).min(1)])

const axis = z.enum(['i', 'j', 'k'])

/** How a model is run over its inputs. Sizes are in voxels along i, j and k of the first image's grid. */
export const runOptions = z.discriminatedUnion('kind', [
  /** Everything at once. */
  z.strictObject({ kind: z.literal('whole') }),
  /** Slice by slice, or frame by frame. */
  z.strictObject({
    kind: z.literal('slices'),
    axis: axis.default('k'),
    /** Slices of one run; the layout needs an N for more than one. */
    batch: z.int().min(1).max(1024).default(1),
    /** Slices on either side that are given as further channels (2.5D), from the lowest to the highest. */
    neighbours: z.int().min(0).max(32).default(0),
    /** What stands for slices beyond the ends: the last one again, or zeros. */
    ends: z.enum(['repeat', 'zero']).default('repeat'),
  }),
  /** Slab by slab along k, each with `halo` more slices on either side: for models whose field of view is no larger. */
  z.strictObject({
    kind: z.literal('slabs'),
    slab: z.int().min(1).max(512),
    halo: z.int().min(0).max(64).default(0),
  }),
  z.strictObject({
    kind: z.literal('sliding-window'),
    size: z.tuple([z.int().min(1), z.int().min(1), z.int().min(1)]),
    /** Part of a window that its neighbour covers too. */
    overlap: z.number().min(0).max(0.95).default(0.5),
    /** How windows are weighed where they overlap: `gaussian` as MONAI and nnU-Net do, highest in the middle; or all the same. */
    blend: z.enum(['gaussian', 'constant']).default('gaussian'),
    /** Standard deviation of the Gaussian, as a part of the window. */
    sigma: z.number().positive().max(1).default(0.125),
    /** Windows of one run; the layout needs an N for more than one. */
    batch: z.int().min(1).max(64).default(1),
    /** What lies outside of an image that is smaller than a window. */
    outside: z.number().default(0),
  }),
  /** A recurrent model, step by step along time (the channels of a sequence) or along the slices. */
  z.strictObject({
    kind: z.literal('sequence'),
    along: z.enum(['time', 'slices']).default('time'),
    /** Channels of one step, where a sequence's channels are several a point in time. */
    channels: z.int().min(1).default(1),
    /** `backward`: from the last step to the first. */
    direction: z.enum(['forward', 'backward']).default('forward'),
    /**
     * Which output is the state that is given to which input in the next step: `{ h_in: h_out }`. It begins with zeros; dimensions that the model
     * leaves open are 1 unless `stateDims` gives them.
     */
    state: z.record(z.string().min(1), z.string().min(1)).default({}),
    stateDims: z.record(z.string().min(1), z.array(z.int().min(1))).default({}),
    /** `each`: every step gives a result; `last`: only the last one's counts. */
    keep: z.enum(['each', 'last']).default('each'),
  }),
])

/**
 * Test-time augmentation: the model runs on its input flipped along every combination of the axes and turned in the plane, and the results, turned
 * back, are averaged.
 */
export const augmentOptions = z.strictObject({
  flips: z.array(axis).default([]),
  /** Quarter turns of the slice: 1 is 90°. */
  rotations: z.array(z.int().min(1).max(3)).default([]),
})

/**
 * How the results of an ensemble, and of augmentation, become one. `mean`: of the outputs as they are (logits); `mean-softmax`, `mean-sigmoid`:
 * of the probabilities that the logits stand for, so that the output is probabilities; `vote`: each result counts for its
 * greatest channel, the output is the part of votes.
 */
export const combineOptions = z.enum(['mean', 'mean-softmax', 'mean-sigmoid', 'vote'])

export type TensorInputOptions = z.output<typeof tensorInput>
export type TensorOutputOptions = z.output<typeof describedOutput>
export type RunOptions = z.output<typeof runOptions>
export type RunOf<Kind extends RunOptions['kind']> = Extract<RunOptions, { kind: Kind }>
export type AugmentOptions = z.output<typeof augmentOptions>
export type CombineOptions = z.output<typeof combineOptions>
export type Axis = z.output<typeof axis>

/** What the runner needs to know of one entry of `infer`. */
export interface InferEntry {
  name: string
  /** By the name of the model's input. */
  inputs: Readonly<Record<string, TensorInputOptions>>
  run: RunOptions
  augment?: AugmentOptions | undefined
  combine: CombineOptions
  /** By the name of the model's output. */
  outputs: Readonly<Record<string, readonly TensorOutputOptions[]>>
}

/** Names of the values that an entry is fed with. */
export function needsOf(entry: Pick<InferEntry, 'inputs'>): string[] {
  return Object.values(entry.inputs).flatMap((input) => ('from' in input ? [input.from] : []))
}
