import type { DicomJson } from '../../../src/dicom/dicom-json.ts'
import { cross, type Vector } from '../../../src/dicom/geometry.ts'
import { type Grid, type Image, placeOf, voxelsOf } from '../../../src/infer/image.ts'
import { prepareSteps } from '../../../src/infer/prepare/steps.ts'
import type { PrepareStep, StepContext } from '../../../src/infer/step.ts'
import type { Value } from '../../../src/infer/value.ts'

/** A step as a manifest writes it, with its options. */
export type Call = [step: string, options?: object]

export interface ChainContext {
  header?: DicomJson
  values?: Record<string, Value>
  notes?: string[]
  /** Frame of Reference UIDs by name. */
  frames?: Record<string, string>
}

/** Runs steps as the engine does: what a step made is given to the next for good. */
export function runChain(
  image: Image,
  calls: readonly Call[],
  { header, values, notes, frames }: ChainContext = {},
): Image {
  const context: StepContext = {
    header: header ?? {},
    valueOf(name) {
      const value = values?.[name]
      if (!value) throw new Error(`no value ${name}`)
      return value
    },
    frameOfReferenceOf: (name) => frames?.[name] ?? null,
    note: (sentence) => notes?.push(sentence),
  }
  let current = image
  for (const [name, options] of calls) {
    const step = prepareSteps[name] as PrepareStep
    const owned = current.data.buffer !== image.data.buffer
    current = step.apply(current, step.options.parse(options ?? {}), { ...context, owned })
  }
  return current
}

export const upright: Grid['axes'] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]] // biome-ignore format: a matrix

/** Axes turned about x, then y, then z; degrees. */
export function turned(x: number, y: number, z: number): Grid['axes'] {
  const [a, b, c] = [x, y, z].map((degrees) => (degrees * Math.PI) / 180) as [number, number, number]
  const first: Vector = [Math.cos(b) * Math.cos(c), Math.cos(b) * Math.sin(c), -Math.sin(b)]
  const second: Vector = [
    Math.sin(a) * Math.sin(b) * Math.cos(c) - Math.cos(a) * Math.sin(c),
    Math.sin(a) * Math.sin(b) * Math.sin(c) + Math.cos(a) * Math.cos(c),
    Math.sin(a) * Math.cos(b),
  ]
  return [first, second, cross(first, second)]
}

export function gridOf(
  size: Grid['size'],
  spacing: Vector = [1, 1, 1],
  axes: Grid['axes'] = upright,
  origin: Vector = [0, 0, 0],
): Grid {
  return { size, spacing, origin, axes }
}

/** A grid whose middle is the patient's origin. */
export function centredGrid(size: Grid['size'], spacing: Vector, axes: Grid['axes'] = upright): Grid {
  const middle = placeOf(gridOf(size, spacing, axes), size.map((n) => (n - 1) / 2) as unknown as Vector)
  return gridOf(size, spacing, axes, middle.map((x) => -x) as unknown as Vector)
}

/** An image of a function of places, or of indices. */
export function imageOf(
  grid: Grid,
  value: (place: Vector, index: Vector) => number,
  type: typeof Float32Array | typeof Int16Array | typeof Uint8Array = Float32Array,
): Image {
  const data = new type(voxelsOf(grid))
  const [nx, ny, nz] = grid.size
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) data[at] = value(placeOf(grid, [i, j, k]), [i, j, k])
  return { grid, channels: 1, data }
}

/** Numbers that look random and are always the same: from 0 up to 1. */
export function noise(seed = 1): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** An image of noise. */
export function noiseImage(
  size: Grid['size'],
  type: typeof Float32Array | typeof Int16Array | typeof Uint8Array = Float32Array,
  amplitude = 1000,
): Image {
  const random = noise(size[0] * 31 + size[1])
  return imageOf(gridOf(size), () => (random() - (type === Uint8Array ? 0 : 0.5)) * amplitude, type)
}
