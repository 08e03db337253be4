import * as z from 'zod'
import { inferenceSchema } from './inference.ts'
import { inputSchema, metadataSchema } from './input.ts'
import { measurementSchema } from './measurement.ts'
import { outputSchema } from './output.ts'
import { radiomicsSchema } from './radiomics.ts'
import { segmentSchema } from './segment.ts'
import { stepSchema } from './step-chain.ts'
import type { StepTables } from './value-graph.ts'
import { code, fileName, name, valueName } from './vocabulary.ts'

/** Schema 2 of pipeline.yaml: a flow of named values, from inputs to outputs. What refers to what is checked by `findBrokenReferences`. */
export function pipelineSchemaOf(tables: StepTables) {
  /** Images made of others by steps. Several are stacked as channels on the grid of the first. */
  const prepared = z.strictObject({
    from: z.union([valueName, z.array(valueName).min(1)]).transform((from) => [from].flat()),
    /**
     * How further images come onto the first one's grid. `frame-of-reference`: resampled, and refused where their Frame of Reference UID is
     * another; `positions`: resampled as their positions say, whatever their frame; `same-grid`: refused unless the grids are the same.
     */
    align: z.enum(['frame-of-reference', 'positions', 'same-grid']).default('frame-of-reference'),
    steps: z.array(stepSchema(tables.prepareSteps)).default([]),
  })
  const finished = z.strictObject({ from: valueName, steps: z.array(stepSchema(tables.finishSteps)).default([]) })
  return z.strictObject({
    schema: z.literal(2),
    name,
    version: z.string().regex(/^\d+\.\d+\.\d+$/, 'a version as 1.0.0 is expected'),
    title: z.string().min(1).max(40),
    manufacturer: z.string().min(1).max(64),
    description: z.string().min(1),
    intendedUse: z.string().min(1),
    limits: z.string().min(1),
    /** True: it shows how something is done, and is not for clinical use; every result says so. */
    demonstrator: z.boolean().default(false),
    /** CID 7162. */
    family: code.optional(),
    /** Files that whoever installs the pipeline puts into its folder, and where each comes from. Without them it cannot be used. */
    supplied: z.record(fileName, z.string().min(1)).default({}),
    inputs: z.array(inputSchema).min(1),
    /** Vectors of numbers of the inputs' headers: age, sex, weight. */
    metadata: z.record(name, metadataSchema).default({}),
    prepare: z.record(name, prepared).default({}),
    infer: z.array(inferenceSchema).default([]),
    finish: z.record(name, finished).default({}),
    segments: z.array(segmentSchema).default([]),
    measure: z.array(z.union([measurementSchema(tables.quantities), radiomicsSchema])).default([]),
    outputs: z.array(outputSchema).min(1),
  })
}

export type PipelineManifest = z.output<ReturnType<typeof pipelineSchemaOf>>
export type PreparedManifest = PipelineManifest['prepare'][string]
export type FinishedManifest = PipelineManifest['finish'][string]

/** A pipeline that can run: its manifest, checked, and where its files are. */
export interface Pipeline extends PipelineManifest {
  /** Absolute path. */
  folder: string
  /** `sha256:` and the digest over the sorted names and digests of the files that decide the result. */
  digest: string
}
