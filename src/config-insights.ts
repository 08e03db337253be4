import { z } from 'zod'

const time = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text).toISOString())
  .describe('ISO 8601, as in 2026-01-01T00:00:00Z.')

const reference = z
  .union([
    z.strictObject({ firstRuns: z.number().int().min(1).max(100_000).describe('The first runs of each version.') }),
    z.strictObject({ from: time, to: time }),
  ])
  .describe(
    'What is compared with: the first runs of each version, or all runs of the pipeline that ended in a period.',
  )

const rule = {
  windowDays: z.number().min(1).max(366).describe('Days up to now that are compared with the reference.'),
  reference,
  minimum: z
    .number()
    .int()
    .min(5)
    .max(100_000)
    .describe('Values that both sides need; with fewer there is no verdict.'),
}

/** The section `insights` of the configuration: what is watched for drift, and in whose name results are verified. */
export const insightsSchema = z
  .strictObject({
    drift: z
      .strictObject({
        windowDays: rule.windowDays.default(14),
        reference: rule.reference.default({ firstRuns: 500 }),
        minimum: rule.minimum.default(50),
        pipelines: z
          .record(
            z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected the name of a pipeline'),
            z.strictObject({
              windowDays: rule.windowDays.optional(),
              reference: rule.reference.optional(),
              minimum: rule.minimum.optional(),
            }),
          )
          .default({})
          .describe('Other rules by pipeline.'),
      })
      .prefault({})
      .describe('How inputs and findings are watched for drift.'),
    organisation: z
      .string()
      .max(64)
      .default('')
      .describe("Who verifies results by accepting them (Verifying Organization); '': the institution of the study."),
  })
  .prefault({})
  .describe('What the AI found, over many studies.')

export type InsightsSettings = z.output<typeof insightsSchema>
