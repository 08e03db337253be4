import type { Quantity } from '../measure/quantity.ts'
import { type FinishStep, givenKind, type PrepareStep } from '../step.ts'
import type { ValueKind } from '../value.ts'
import type { PipelineInput } from './input.ts'
import type { FinishedManifest, PipelineManifest, PreparedManifest } from './pipeline.ts'
import type { StepCall } from './step-chain.ts'

export type Path = readonly PropertyKey[]

/** A name that an entry refers to, and where it says so. */
export interface Need {
  name: string
  path: Path
}

/** A value as a manifest declares it. */
export interface DeclaredValue {
  name: string
  /** Null where a chain is broken: what it would give is not known. */
  kind: ValueKind | null
  path: Path
}

type Inference = PipelineManifest['infer'][number]

/** An entry that makes values at once out of others. */
export type Maker = { path: Path; needs: Need[]; gives: DeclaredValue[] } & (
  | { kind: 'input'; input: PipelineInput }
  | { kind: 'metadata'; name: string; metadata: PipelineManifest['metadata'][string] }
  | { kind: 'prepare'; name: string; chain: PreparedManifest }
  | { kind: 'infer'; entry: Inference }
  | { kind: 'finish'; name: string; chain: FinishedManifest }
)

/** The steps and quantities that a manifest may use, by name. */
export interface StepTables {
  prepareSteps: Readonly<Record<string, PrepareStep>>
  finishSteps: Readonly<Record<string, FinishStep>>
  quantities: Readonly<Record<string, Quantity>>
}

/** Every entry of a manifest that makes values, in the order of the file. */
export function makersOf(manifest: PipelineManifest, tables: StepTables): Maker[] {
  const makers: Maker[] = [
    ...manifest.inputs.map((input, index) => inputMaker(input, ['inputs', index])),
    ...Object.entries(manifest.metadata).map(
      ([name, metadata]): Maker => ({
        kind: 'metadata',
        name,
        metadata,
        path: ['metadata', name],
        needs: [{ name: metadata.from, path: ['metadata', name, 'from'] }],
        gives: [{ name, kind: 'numbers', path: ['metadata', name] }],
      }),
    ),
    ...Object.entries(manifest.prepare).map(([name, chain]) => prepareMaker(name, chain, tables)),
    ...manifest.infer.map((entry, index) => inferMaker(entry, ['infer', index])),
  ]
  const kinds = new Map(makers.flatMap(({ gives }) => gives.map((value) => [value.name, value.kind])))
  // A finish chain's kind depends on what it is made of, which may be another: they are declared first, and settled one by one.
  const finish = Object.entries(manifest.finish)
  for (let settled = -1; settled !== kinds.size; ) {
    settled = kinds.size
    for (const [name, chain] of finish) {
      const from = kinds.get(chain.from)
      if (!kinds.has(name) && from !== undefined) kinds.set(name, from && kindAfter(chain.steps, from, tables))
    }
  }
  makers.push(
    ...finish.map(
      ([name, chain]): Maker => ({
        kind: 'finish',
        name,
        chain,
        path: ['finish', name],
        needs: [
          { name: chain.from, path: ['finish', name, 'from'] },
          ...stepNeeds(chain.steps, ['finish', name], tables.finishSteps),
        ],
        gives: [{ name, kind: kinds.get(name) ?? null, path: ['finish', name] }],
      }),
    ),
  )
  return makers
}

/** The kind that a chain of post-processing gives, or null where a step does not take what comes before it. */
export function kindAfter(steps: readonly StepCall[], from: ValueKind, { finishSteps }: StepTables): ValueKind | null {
  let kind = from
  for (const { step } of steps) {
    const declared = finishSteps[step]
    if (!declared?.takes.includes(kind)) return null
    kind = givenKind(declared, kind)
  }
  return kind
}

function inputMaker(input: PipelineInput, path: Path): Maker {
  const { name, kind } = input
  const gives: DeclaredValue[] = [{ name, kind: kind === 'segmentation' ? 'labels' : 'image', path }]
  if (kind === 'sequence') gives.push({ name: `${name}.axis`, kind: 'numbers', path })
  const needs = kind === 'segmentation' ? [{ name: input.of, path: [...path, 'of'] }] : []
  return { kind: 'input', input, path, needs, gives }
}

function prepareMaker(name: string, chain: PreparedManifest, tables: StepTables): Maker {
  const path = ['prepare', name]
  const from = chain.from.map(
    (source, index): Need => ({
      name: source,
      path: [...path, 'from', ...(chain.from.length > 1 ? [index] : [])],
    }),
  )
  return {
    kind: 'prepare',
    name,
    chain,
    path,
    needs: [...from, ...stepNeeds(chain.steps, path, tables.prepareSteps)],
    gives: [{ name, kind: 'image', path }],
  }
}

function inferMaker(entry: Inference, path: Path): Maker {
  return {
    kind: 'infer',
    entry,
    path,
    needs: Object.entries(entry.inputs).flatMap(([tensor, input]) =>
      'from' in input ? [{ name: input.from, path: [...path, 'inputs', tensor, 'from'] }] : [],
    ),
    gives: [
      ...Object.entries(entry.outputs).flatMap(([tensor, outputs]) =>
        outputs.map(({ value, kind }): DeclaredValue => ({ name: value, kind, path: [...path, 'outputs', tensor] })),
      ),
      ...(entry.occlusion
        ? [{ name: entry.occlusion.value, kind: 'image' as const, path: [...path, 'occlusion', 'value'] }]
        : []),
    ],
  }
}

/** Names of other values that the options of steps refer to. */
function stepNeeds(
  steps: readonly StepCall[],
  path: Path,
  table: Readonly<Record<string, { needs?(options: unknown): readonly string[] }>>,
): Need[] {
  return steps.flatMap(({ step, options }, index) =>
    (table[step]?.needs?.(options) ?? []).map((name) => ({ name, path: [...path, 'steps', index, step] })),
  )
}

/**
 * The input that each value is made of, by its name: whose header, study and frames it belongs to. Of several the first counts; a segmentation
 * belongs to the images that it was drawn on.
 */
export function originsOf(makers: readonly Maker[]): Map<string, string> {
  const makerOf = new Map(makers.flatMap((maker) => maker.gives.map(({ name }) => [name, maker] as const)))
  const origins = new Map<string, string>()
  const find = (name: string, above: readonly string[]): string | undefined => {
    const known = origins.get(name)
    const maker = makerOf.get(name)
    if (known !== undefined || !maker || above.includes(name)) return known
    const first = maker.needs[0]?.name
    const isImages = maker.kind === 'input' && maker.input.kind !== 'segmentation'
    const origin = isImages ? maker.input.name : first === undefined ? undefined : find(first, [...above, name])
    if (origin !== undefined) origins.set(name, origin)
    return origin
  }
  for (const name of makerOf.keys()) find(name, [])
  return origins
}
