import type { PlanChain, PlanClass, PlanSegment, PlanStep } from './plan.ts'

/**
 * What a model that segments gives: `argmax`: channels of which the highest is the label, the first the background; `sigmoid`: logits of independent
 * classes; `probabilities`: those of independent classes; `labels`: one label a voxel.
 */
export type Activation = 'argmax' | 'sigmoid' | 'probabilities' | 'labels'
export const activations: readonly Activation[] = ['argmax', 'sigmoid', 'probabilities', 'labels']

/** How many classes, without background, a number of channels stands for. */
export function classesOf(channels: number | null, activation: Activation): number | null {
  if (channels === null || activation === 'labels') return null
  return activation === 'argmax' ? channels - 1 : channels
}

/** From the model's output to segments. */
export interface SegmentationPlan {
  /** What the output of the model becomes. */
  output: Readonly<Record<string, unknown>>
  finish: Record<string, PlanChain>
  segments: PlanSegment[]
}

/**
 * Plans a segmentation. Independent classes may overlap, so that each has a label map of its own.
 * @param steps that follow on label maps
 * @param threshold from which probability a voxel belongs to an independent class
 */
export function planSegmentation(
  classes: readonly PlanClass[],
  {
    activation,
    steps = [],
    threshold = 0.5,
  }: { activation: Activation; steps?: readonly PlanStep[]; threshold?: number },
): SegmentationPlan {
  if (activation === 'argmax' || activation === 'labels') {
    const cleaned = steps.length > 0
    return {
      output: { value: 'labels', kind: 'labels', ...(activation === 'argmax' && { reduce: 'argmax' }) },
      finish: cleaned ? { 'labels-cleaned': { from: 'labels', steps } } : {},
      segments: classes.map((one, index) => ({
        ...one,
        from: cleaned ? 'labels-cleaned' : 'labels',
        value: index + 1,
      })),
    }
  }
  const nameOf = ({ id }: PlanClass): string => (classes.length === 1 ? 'mask' : `mask-${id.slice(0, 58)}`)
  const finish = Object.fromEntries(
    classes.map((one, channel) => {
      const above: PlanStep =
        classes.length === 1
          ? { step: 'threshold', options: { minimum: threshold } }
          : { step: 'threshold', options: { classes: [{ channel, label: 1, minimum: threshold }] } }
      return [nameOf(one), { from: 'probabilities', steps: [above, ...steps] }]
    }),
  )
  return {
    output: activation === 'sigmoid' ? { value: 'probabilities', reduce: 'sigmoid' } : { value: 'probabilities' },
    finish,
    segments: classes.map((one) => ({ ...one, from: nameOf(one), value: 1 })),
  }
}

/** What a classifier's numbers become. */
export type ClassActivation = 'softmax' | 'sigmoid' | 'probabilities'

/** Plans a classification: the output's numbers, and the chain that makes probabilities of them. */
export function planClassification(activation: ClassActivation): {
  output: Readonly<Record<string, unknown>>
  finish: Record<string, PlanChain>
  from: string
} {
  const output = (value: string) => ({ value, kind: 'numbers', layout: 'NC' })
  if (activation === 'probabilities') return { output: output('probability'), finish: {}, from: 'probability' }
  return {
    output: output('logits'),
    finish: { probability: { from: 'logits', steps: [{ step: activation }] } },
    from: 'probability',
  }
}
