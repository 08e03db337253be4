import { InferError } from '../error.ts'
import type { Grid } from '../image.ts'
import type { Model } from '../runtime/model.ts'
import type { Value } from '../value.ts'
import { transformsOf } from './augment.ts'
import { Collector } from './collector.ts'
import { Feeder } from './feeder.ts'
import type { Axis, InferEntry } from './options.ts'
import { inverseOf, type Permutation, permuteGrid, permuteValue, slowest } from './permute.ts'
import { predictor } from './predictor.ts'
import { type Run, runSlabs, runSlices, runWhole } from './run-parts.ts'
import { runSequence } from './run-sequence.ts'
import { runSlidingWindow } from './run-sliding-window.ts'

export interface RunContext {
  valueOf(name: string): Value
  /** One, or an ensemble of those with the same inputs and outputs. */
  models: readonly Model[]
  /** Grid of the images that results are shown on: labels on another one are told how sure they are. */
  sourceGrid?: Grid | undefined
  /** Part of the work that is done, 0 to 1. */
  onProgress?(fraction: number): void
}

/**
 * Runs an entry of `infer`: makes tensors of named values, runs the models on them as the entry says, and makes named values of what they give.
 * @returns the values by their names
 * @throws {InferError} `wrong-shape`, naming expected and found; `not-finite`, naming the output; what the runtime throws
 */
export async function runModels(entry: InferEntry, context: RunContext): Promise<Map<string, Value>> {
  const [model] = context.models
  if (!model) throw new InferError('model-failed', `${entry.name} has no model`)
  checkOutputs(entry)
  const axis = entry.run.kind === 'slices' ? entry.run.axis : 'k'
  const permutation = slowest[axis]
  const feeder = new Feeder(entry, { valueOf: context.valueOf, model, ...(axis !== 'k' && { permutation }) })
  const { layout, layouts, reference } = feeder
  const predict = predictor({
    models: context.models,
    transforms: transformsOf(entry.augment, (a) => letterOf(a, permutation)),
    combine: entry.combine,
    layouts,
    defaultLayout: layout,
    outputs: entry.outputs,
    further: entry.run.kind === 'sequence' ? Object.values(entry.run.state) : [],
  })
  const source = context.sourceGrid && permuteGrid(context.sourceGrid, permutation)
  const collector = new Collector(entry, { grid: reference.grid, layout, source })
  const run: Run = { source, feeder, predict, collector, progress: (fraction) => context.onProgress?.(fraction) }
  const windowed = await runAs(run, entry, model)
  const values = new Map([...collector.values(), ...windowed])
  if (axis === 'k') return values
  return new Map([...values].map(([name, value]) => [name, permuteValue(value, inverseOf(permutation))]))
}

async function runAs(run: Run, entry: InferEntry, model: Model): Promise<Map<string, Value>> {
  switch (entry.run.kind) {
    case 'whole':
      await runWhole(run)
      break
    case 'slices':
      await runSlices(run, entry.run)
      break
    case 'slabs':
      await runSlabs(run, entry.run)
      break
    case 'sequence':
      await runSequence(run, model, entry.run)
      break
    case 'sliding-window':
      return await runSlidingWindow(run, entry, entry.run)
  }
  return new Map()
}

/** Axes of the image by their place in the tensor. */
function letterOf(axis: Axis, permutation: Permutation): 'D' | 'H' | 'W' {
  const place = permutation.indexOf(({ i: 0, j: 1, k: 2 } as const)[axis])
  return (['W', 'H', 'D'] as const)[place] as 'D' | 'H' | 'W'
}

/** @throws {InferError} `wrong-shape` for outputs that a way of running cannot give */
export function checkOutputs({ name, run, outputs }: Pick<InferEntry, 'name' | 'run' | 'outputs'>): void {
  const parts = run.kind === 'sliding-window' || run.kind === 'slabs'
  for (const [output, options] of Object.entries(outputs))
    for (const { kind } of options) {
      if (parts && (kind === 'numbers' || kind === 'tensor'))
        throw new InferError(
          'wrong-shape',
          `${name}, output ${output}: a ${run.kind} run gives images and labels, not ${kind}`,
        )
      if (run.kind === 'sequence' && kind === 'tensor')
        throw new InferError('wrong-shape', `${name}, output ${output}: a sequence gives no tensors that are decoded`)
    }
}
