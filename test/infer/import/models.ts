import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type OnnxGraph, writeOnnx } from '../../support/onnx-file.ts'

type Dims = readonly (number | string)[]

/**
 * A model of two channels, background and foreground, of one that it takes: [0.5 - x, x - 0.5]. Bright voxels (above 0.5) are class 1.
 * @param space dimensions after batch and channel
 */
export function twoClasses(space: Dims, axis = 1): OnnxGraph {
  return {
    inputs: { image: ['float32', [1, 1, ...space]] },
    outputs: { pred: ['float32', [1, 2, ...space]] },
    constants: {
      half: { type: 'float32', dims: [1], values: [0.5] },
    },
    nodes: [
      { op: 'Sub', inputs: ['half', 'image'], outputs: ['background'] },
      { op: 'Sub', inputs: ['image', 'half'], outputs: ['foreground'] },
      { op: 'Concat', inputs: ['background', 'foreground'], outputs: ['pred'], attributes: { axis } },
    ],
  }
}

/** As `twoClasses`, on 16 x … voxels, but only the first 8 along the first dimension of space count: it shows which way the axes run. */
export function firstHalf(space: readonly [16, number, number?]): OnnxGraph {
  const ones = space.slice(1).map(() => 1)
  const { inputs, outputs, constants, nodes } = twoClasses(space as readonly number[])
  return {
    inputs,
    outputs,
    constants: {
      ...constants,
      half0: {
        type: 'float32',
        dims: [1, 1, 16, ...ones],
        values: Array.from({ length: 16 }, (_, n) => (n < 8 ? 1 : 0)),
      },
    },
    nodes: [
      { op: 'Mul', inputs: ['image', 'half0'], outputs: ['seen'] },
      ...nodes.map((node) => ({ ...node, inputs: node.inputs.map((name) => (name === 'image' ? 'seen' : name)) })),
    ],
  }
}

/** A classifier: the mean of the image less 0.5, as one logit. */
export const classifier: OnnxGraph = {
  inputs: { image: ['float32', ['n', 1, 16, 16]] },
  outputs: { score: ['float32', ['n', 1]] },
  constants: { half: { type: 'float32', dims: [1], values: [0.5] } },
  nodes: [
    { op: 'GlobalAveragePool', inputs: ['image'], outputs: ['mean'] },
    { op: 'Flatten', inputs: ['mean'], outputs: ['flat'], attributes: { axis: 1 } },
    { op: 'Sub', inputs: ['flat', 'half'], outputs: ['score'] },
  ],
}

/** A recurrent model: each slice is added to what came before; the sum is the result and the state. */
export const recurrent: OnnxGraph = {
  inputs: { x: ['float32', [1, 1, 16, 16]], h_in: ['float32', [1, 1, 16, 16]] },
  outputs: { y: ['float32', [1, 1, 16, 16]], h_out: ['float32', [1, 1, 16, 16]] },
  nodes: [
    { op: 'Add', inputs: ['x', 'h_in'], outputs: ['y'] },
    { op: 'Identity', inputs: ['y'], outputs: ['h_out'] },
  ],
}

/** Two channels into probabilities of three independent classes: each channel, and the greater of both. */
export function regions(space: Dims): OnnxGraph {
  return {
    inputs: { image: ['float32', [1, 2, ...space]] },
    outputs: { pred: ['float32', [1, 3, ...space]] },
    constants: { axes: { type: 'int64', dims: [1], values: [1] } },
    nodes: [
      { op: 'ReduceMax', inputs: ['image'], outputs: ['most'], attributes: { axes: [1] } },
      { op: 'Concat', inputs: ['image', 'most'], outputs: ['pred'], attributes: { axis: 1 } },
    ],
  }
}

/** Writes files by their paths under a folder: objects as JSON, graphs (of `.onnx`) as models. */
export async function writeTree(folder: string, files: Readonly<Record<string, unknown>>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    if (name.endsWith('.onnx')) await writeOnnx(file, content as OnnxGraph)
    else writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  }
  return folder
}
