import type * as z from 'zod'
import type { DicomJson } from '../dicom/dicom-json.ts'
import type { Grid, Image } from './image.ts'
import type { Value, ValueKind } from './value.ts'

/** What a step may ask of the pipeline around it. */
export interface StepContext {
  /** Header of the source of the value's chain: the first instance's (for SUV, LUTs, units). */
  header: DicomJson
  /** Another value by its name in the manifest: the mask that a crop follows, the image that a component is weighed by. */
  valueOf(name: string): Value
  /** Frame of Reference UID of the images that another value was made of, by its name; null where it has none. */
  frameOfReferenceOf?(name: string): string | null
  /** Grid of the images that the value is made of: where results are shown. Left out: not known. */
  sourceGrid?: Grid | undefined
  /** A sentence for the attempt's log; no PHI. */
  note(sentence: string): void
  /** Part of the step's work that is done, 0 to 1, for steps that take long. */
  progress?(fraction: number): void
}

/** A step of preprocessing: images in, images out. It may reuse the memory of an image that it is given for good (`owned`). */
export interface PrepareStep<Options extends z.ZodType = z.ZodType> {
  /** What it does, a sentence for the reference page and the JSON Schema. */
  summary: string
  options: Options
  /** Names of other values that the options refer to: they are made first. */
  needs?(options: z.output<Options>): readonly string[]
  /** @throws {InferError} `refused` where the input cannot be used, with the value and the limit */
  apply(image: Image, options: z.output<Options>, context: StepContext & { owned: boolean }): Image
}

/** A step of post-processing. */
export interface FinishStep<Options extends z.ZodType = z.ZodType> {
  summary: string
  options: Options
  /** Kinds of values that it takes; a chain that gives it another is an error of the manifest. */
  takes: readonly ValueKind[]
  /** The kind that it makes; where that depends on what it takes, one for each of them. */
  gives: ValueKind | Readonly<Partial<Record<ValueKind, ValueKind>>>
  needs?(options: z.output<Options>): readonly string[]
  /**
   * @param context.owned the value is given for good: its memory may be reused
   * @throws {InferError} `refused` where the value cannot be what the pipeline is made for; {FinishError} where the step does not fit the value
   */
  apply(value: Value, options: z.output<Options>, context: StepContext & { owned?: boolean }): Value
}

/** The kind that a step makes of a kind that it takes. */
export function givenKind({ gives }: Pick<FinishStep, 'gives'>, taken: ValueKind): ValueKind {
  return typeof gives === 'string' ? gives : (gives[taken] ?? taken)
}

/** Declares a step with the type of its own options, and hands it out with that type forgotten, for a table of steps. */
export function prepareStep<Options extends z.ZodType>(step: PrepareStep<Options>): PrepareStep {
  return step
}

/** As `prepareStep`. */
export function finishStep<Options extends z.ZodType>(step: FinishStep<Options>): FinishStep {
  return step
}
