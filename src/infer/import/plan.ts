/** A step of a chain, as it will stand in the manifest. */
export interface PlanStep {
  step: string
  options?: Readonly<Record<string, unknown>>
  /** Stands above it. */
  comment?: string
}

/** What a class of the model is, in words and codes. */
export interface PlanClass {
  id: string
  label: string
  category: Code
  type: Code
  modifiers?: readonly Code[]
  colour: readonly [number, number, number]
}

export interface Code {
  value: string
  scheme: string
  meaning: string
}

export type PlanSegment = PlanClass & {
  /** The label map. */
  from: string
  value: number
}

export interface PlanChain {
  from: string | readonly string[]
  align?: 'frame-of-reference' | 'positions' | 'same-grid'
  steps: readonly PlanStep[]
}

/** What the pipeline gives; `map`: a value that shows what a classifier's answer depends on. */
export type PlanResult =
  | { kind: 'segmentation'; segments: readonly PlanSegment[]; measures: 'volume' | 'area' }
  | { kind: 'classification'; from: string; classes: readonly PlanClass[]; map?: string | undefined }
  | { kind: 'images'; from: string }

/** A file that is copied into the pipeline's folder. */
export interface PlanFile {
  source: string
  name: string
}

/** A model with the files that it refers to. */
export interface PlanModel extends PlanFile {
  data: readonly PlanFile[]
}

/** What was found out about a model, from which a pipeline is written. Names of tensors are the model's own. */
export interface Plan {
  name: string
  title: string
  description: string
  /** Where it comes from: a sentence for the README. */
  origin: string
  /** Entries of `inputs`. */
  inputs: readonly Readonly<Record<string, unknown>>[]
  prepare: Readonly<Record<string, PlanChain>>
  /** Several are an ensemble; none: the pipeline has no model. */
  models: readonly PlanModel[]
  feeds: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  run: Readonly<Record<string, unknown>>
  augment?: Readonly<Record<string, unknown>> | undefined
  tensors: Readonly<Record<string, unknown>>
  /** A map of what a classifier's answer depends on. */
  occlusion?: Readonly<Record<string, unknown>> | undefined
  finish: Readonly<Record<string, PlanChain>>
  result: PlanResult
  /** What somebody should look at: assumptions, differences from the training's own code. */
  notes: readonly string[]
  /** What is missing: the manifest does not pass the check before it is done. */
  todo: readonly string[]
}

/** The step that stands where something could not be translated: no step is called so, and the check says so. */
export function todoStep(what: string): PlanStep {
  return {
    step: 'TODO',
    options: { do: what },
    comment: `TODO: ${what} has no step here: write what does the same, or leave it out`,
  }
}

/** What stands in the place of steps. */
export function todosOf(chains: Readonly<Record<string, PlanChain>>): string[] {
  return Object.values(chains).flatMap(({ steps }) =>
    steps.filter(({ step }) => step === 'TODO').map(({ options }) => `${String(options?.do)} has no step here`),
  )
}
