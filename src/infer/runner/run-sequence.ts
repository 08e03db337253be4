import { InferError } from '../error.ts'
import type { Image } from '../image.ts'
import type { Model, TensorInfo } from '../runtime/model.ts'
import { type Tensor, zeros } from '../runtime/tensor.ts'
import type { RunOf } from './options.ts'
import { planes, type Run, stepsOf } from './run-parts.ts'

/**
 * A recurrent model, step by step along time or along the slices: the state that a step gives is what the next one is given. Images that are no
 * sequence of as many steps are given whole in each step.
 */
export async function runSequence(run: Run, model: Model, options: RunOf<'sequence'>): Promise<void> {
  const { feeder, predict, collector } = run
  const { along, direction, keep, channels: perStep } = options
  const { reference } = feeder
  if (along === 'slices') feeder.checkSameSize()
  const steps = along === 'slices' ? reference.grid.size[2] : stepsOf(reference, perStep)
  let state = firstState(model, options)
  for (let done = 0; done < steps; done++) {
    const index = direction === 'forward' ? done : steps - 1 - done
    const region = along === 'slices' ? planes(feeder, index, 1) : planes(feeder, 0, reference.grid.size[2])
    const channelsOf = (image: Image) =>
      along === 'time' ? channelsOfStep(image, { index, perStep, steps }) : undefined
    const feeds = feeder.feeds({ regions: [region], outside: 0, channelsOf })
    const results = await predict({ ...feeds, ...state })
    state = Object.fromEntries(
      Object.entries(options.state).map(([input, output]) => [input, results[output] as Tensor]),
    )
    if (keep === 'each' || done === steps - 1) {
      const step = along === 'time' && keep === 'each' ? { index, count: steps } : undefined
      collector.put(results, { regions: [region], batch: 1, ...(step && { step }) })
    }
    run.progress((done + 1) / steps)
  }
}

function channelsOfStep(
  image: Image,
  { index, perStep, steps }: { index: number; perStep: number; steps: number },
): { channels: { channel: number; shift: number }[]; perStep: number } | undefined {
  if (image.channels !== steps * perStep) return undefined
  return {
    channels: Array.from({ length: perStep }, (_, c) => ({ channel: index * perStep + c, shift: 0 })),
    perStep,
  }
}

function firstState(model: Model, { state, stateDims }: RunOf<'sequence'>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.keys(state).map((input) => {
      const info: TensorInfo | undefined = model.inputs?.find(({ name }) => name === input)
      const dims = stateDims[input] ?? info?.dims?.map((dim) => (typeof dim === 'number' ? dim : 1))
      if (!dims)
        throw new InferError(
          'wrong-shape',
          `the model does not say what dimensions its state ${input} has: stateDims must`,
        )
      return [input, zeros(info?.type ?? 'float32', dims)]
    }),
  )
}
