import { suggestion } from '../nearest-name.ts'
import type { RouteDefinition, RouteProblem } from './route-definition.ts'

/** An input, as a pipeline declares it. */
export interface KnownInput {
  name: string
  /** volume, sequence, segmentation, … */
  kind: string
  from: 'study' | 'prior'
  required: boolean
  /** The input that a segmentation is of. */
  of?: string
}

/** What a pipeline declares, as far as routes refer to it. */
export interface KnownPipeline {
  /** As a route may write it: `name`, `name@1.2.0`, `name@sha256:…`; several of one pipeline. */
  name: string
  inputs: readonly KnownInput[]
  outputs: readonly { id?: string | undefined; kind: string }[]
}

/** What a route may name, as far as it is known. */
export interface KnownNames {
  destinations: readonly string[]
  pipelines: readonly KnownPipeline[]
}

/** What a route names that is not there, and where it does not fit its pipeline: an input, an output, a destination. */
export function unknownReferences(route: RouteDefinition, known: KnownNames): RouteProblem[] {
  const problems: RouteProblem[] = []
  const references = [{ path: 'pipeline', reference: route.pipeline }]
  if (route.canary) references.push({ path: 'canary.pipeline', reference: route.canary.pipeline })
  for (const { path, reference } of references) {
    const pipeline = known.pipelines.find(({ name }) => name === reference)
    if (pipeline) problems.push(...inputProblems(route, pipeline), ...outputProblems(route, pipeline))
    else {
      const help = suggestion(
        reference,
        known.pipelines.map(({ name }) => name),
      )
      problems.push({ path, expectation: `no pipeline is called "${reference}"${help}` })
    }
  }
  for (const [i, name] of route.destinations.entries()) {
    if (known.destinations.includes(name)) continue
    const expectation = `no destination is called "${name}"${suggestion(name, known.destinations)}`
    problems.push({ path: `destinations.${i}`, expectation })
  }
  return problems
}

function inputProblems(route: RouteDefinition, { name: pipeline, inputs }: KnownPipeline): RouteProblem[] {
  const problems: RouteProblem[] = []
  for (const [name, given] of Object.entries(route.inputs)) {
    const at = (part: string, expectation: string): void =>
      void problems.push({ path: `inputs.${name}${part}`, expectation })
    const input = inputs.find((one) => one.name === name)
    if (!input) {
      at('', `pipeline "${pipeline}" has no input "${name}"; it has ${inputs.map((one) => one.name).join(', ')}`)
      continue
    }
    if ((given.from ?? 'study') !== input.from)
      at('.from', `pipeline "${pipeline}" takes this input from: ${input.from}`)
    if (input.kind === 'segmentation' && given.of !== input.of)
      at('.of', `pipeline "${pipeline}" takes a segmentation of its input "${input.of}"`)
    if (given.several && input.kind !== 'sequence') at('.several', `pipeline "${pipeline}" takes one series`)
    if (input.required && !given.required) at('.required', `pipeline "${pipeline}" needs this input`)
  }
  for (const { name, required } of inputs) {
    if (!required || name in route.inputs) continue
    problems.push({ path: 'inputs', expectation: `pipeline "${pipeline}" needs the input "${name}"` })
  }
  return problems
}

function outputProblems({ outputs = {} }: RouteDefinition, pipeline: KnownPipeline): RouteProblem[] {
  const known = new Set(pipeline.outputs.flatMap(({ id, kind }) => (id === undefined ? [kind] : [id, kind])))
  return Object.entries(outputs).flatMap(([destination, names]) =>
    names.flatMap((name, i) =>
      known.has(name)
        ? []
        : {
            path: `outputs.${destination}.${i}`,
            expectation: `pipeline "${pipeline.name}" has no output "${name}"; it has ${[...known].join(', ')}`,
          },
    ),
  )
}
