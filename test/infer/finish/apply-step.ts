import { finishSteps } from '../../../src/infer/finish/steps.ts'
import { type Grid, type LabelMap, voxelsOf } from '../../../src/infer/image.ts'
import { givenKind } from '../../../src/infer/step.ts'
import type { Value } from '../../../src/infer/value.ts'

/** A grid along the patient's axes. */
export function gridOf(
  size: readonly [number, number, number],
  spacing: readonly [number, number, number] = [1, 1, 1],
): Grid {
  return {
    size,
    spacing,
    origin: [0, 0, 0],
    axes: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  }
}

/** A label map from a function of the indices. */
export function labelsFrom(grid: Grid, labelAt: (i: number, j: number, k: number) => number): LabelMap {
  const labels = new Uint8Array(voxelsOf(grid))
  const [nx, ny, nz] = grid.size
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++, at++) labels[at] = labelAt(i, j, k)
  return { grid, labels }
}

export const labelValue = (labels: LabelMap): Value => ({ kind: 'labels', labels })

export const imageValue = (grid: Grid, channels: number, data: ArrayLike<number>): Value => ({
  kind: 'image',
  image: { grid, channels, data: Float32Array.from(data) },
})

export const numbersValue = (...numbers: number[]): Value => ({ kind: 'numbers', numbers: Float64Array.from(numbers) })

/** Numbers that look random, the same in every run, from 0 up to 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Applies a step of the table with options as a manifest has them; checks that the step takes and gives what it says. */
export function applyStep(
  name: string,
  value: Value,
  options: unknown = {},
  others: { values?: Record<string, Value>; notes?: string[]; owned?: boolean } = {},
): Value {
  const step = finishSteps[name]
  if (!step) throw new Error(`there is no step ${name}`)
  const parsed = step.options.parse(options)
  const needs = step.needs?.(parsed) ?? []
  const result = step.apply(value, parsed, {
    header: {},
    owned: others.owned ?? false,
    note: (sentence) => others.notes?.push(sentence),
    valueOf(wanted) {
      const other = others.values?.[wanted]
      if (!other || !needs.includes(wanted)) throw new Error(`${name} asks for ${wanted} without needing it`)
      return other
    },
  })
  if (!step.takes.includes(value.kind)) throw new Error(`${name} does not take ${value.kind}`)
  if (result.kind !== givenKind(step, value.kind)) throw new Error(`${name} gave ${result.kind}`)
  return result
}

/** The labels that a step gives. */
export function labelsAfter(...call: Parameters<typeof applyStep>): number[] {
  const value = applyStep(...call)
  if (value.kind !== 'labels') throw new Error(`labels are expected: ${value.kind}`)
  return [...value.labels.labels]
}

/** The numbers, or the image's data, that a step gives. */
export function numbersAfter(...call: Parameters<typeof applyStep>): number[] {
  const value = applyStep(...call)
  if (value.kind === 'numbers') return [...value.numbers]
  if (value.kind === 'image') return [...value.image.data]
  throw new Error(`numbers or an image are expected: ${value.kind}`)
}
