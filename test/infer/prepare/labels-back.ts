import { finishSteps } from '../../../src/infer/finish/steps.ts'
import type { Grid, Image } from '../../../src/infer/image.ts'
import { labelsOnto } from '../../../src/infer/prepare/resample.ts'
import type { FinishStep, StepContext } from '../../../src/infer/step.ts'
import type { Value } from '../../../src/infer/value.ts'
import type { Call } from './chain.ts'

/** Labels that steps make of what a model gave, on the grid of the images that it was made of, as the engine brings them there. */
export function labelsBack(image: Image, calls: Call | Call[], grid: Grid): Uint8Array {
  const context: StepContext = {
    header: {},
    sourceGrid: grid,
    valueOf: (name) => {
      throw new Error(`no value ${name}`)
    },
    note: () => {},
  }
  let value: Value = { kind: 'image', image }
  for (const [name, options] of (Array.isArray(calls[0]) ? calls : [calls]) as Call[]) {
    const step = finishSteps[name] as FinishStep
    value = step.apply(value, step.options.parse(options ?? {}), context)
  }
  if (value.kind !== 'labels') throw new Error(`the steps give ${value.kind}`)
  return labelsOnto(value.labels, grid).labels
}

/** How well the voxels of a label (left out: of any) in one array cover those in the other. */
export function diceOf(found: Uint8Array, drawn: Uint8Array, label?: number): number {
  let both = 0
  let sum = 0
  for (let i = 0; i < drawn.length; i++) {
    const inDrawn = label === undefined ? drawn[i] !== 0 : drawn[i] === label
    const inFound = label === undefined ? found[i] !== 0 : found[i] === label
    if (inDrawn) sum++
    if (inFound) sum++
    if (inDrawn && inFound) both++
  }
  return (2 * both) / sum
}
