import type { Pipeline } from '../infer/load-pipelines.ts'
import { defaultOutputs } from '../route/route-definition.ts'
import type { InferPayload } from './route-revision.ts'

type Choice = Pick<InferPayload, 'destinations' | 'outputs'>

/** Kinds and ids of the outputs that are made: what some destination gets. Undefined: all. */
export function outputsToMake({ destinations, outputs }: Choice): string[] | undefined {
  const chosen = destinations.map((destination) => outputsFor(destination, outputs))
  if (chosen.length === 0 || chosen.includes(null)) return undefined
  return [...new Set(chosen.flatMap((names) => names ?? []))]
}

/** Whether a destination gets the results of an output, which is called by its id, or by its kind where it has none. */
export function isChosenFor(
  destination: string,
  output: string,
  { outputs, pipeline }: Pick<Choice, 'outputs'> & { pipeline: Pick<Pipeline, 'outputs'> },
): boolean {
  const names = outputsFor(destination, outputs)
  if (names === null) return true
  const declared = pipeline.outputs.find(({ id, kind }) => (id ?? kind) === output)
  return names.includes(output) || (declared !== undefined && names.includes(declared.kind))
}

/** Null: all. */
function outputsFor(destination: string, outputs: Choice['outputs']): readonly string[] | null {
  if (!outputs) return null
  if (Object.hasOwn(outputs, destination)) return outputs[destination] ?? null
  return outputs[defaultOutputs] ?? null
}
