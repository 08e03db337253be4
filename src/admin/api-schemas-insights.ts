import { z } from 'zod'
import { uid } from './api-schemas.ts'

const at = z.string().describe('ISO 8601, UTC')
const count = z.number().int().min(0)

/** What inferences and values can be grouped by. */
export const dimensions = [
  'age',
  'sex',
  'modality',
  'scanner',
  'bodyPart',
  'hour',
  'weekday',
  'day',
  'week',
  'month',
  'pipeline',
  'version',
  'route',
] as const

/** Numbers that a value can be set against. */
export const axes = ['age', 'sliceThickness', 'pixelSpacing', 'kvp', 'fieldStrength', 'images'] as const

/** A measurement or finding, as one text: what `id` of a finding in /insights/options says. */
export const findingId = z
  .string()
  .max(1200)
  .transform((text, context) => {
    const parsed = findingParts.safeParse(jsonOf(text))
    if (parsed.success) {
      const [name, code, site, unit] = parsed.data
      return { name, code, site, unit }
    }
    context.addIssue({ code: 'custom', message: 'expected the id of a finding, as /insights/options gives it' })
    return z.NEVER
  })
  .describe('id of a finding, as /insights/options gives it')

const findingParts = z.tuple([z.string(), z.string(), z.string(), z.string()])

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const time = z.iso.datetime().transform((text) => new Date(text).toISOString())

/** Which inferences are looked at. Only those of the newest revision of their study ever are. */
export const insightFilter = {
  from: time.optional().describe('inferences that ended at this time or later. ISO 8601, UTC'),
  to: time.optional().describe('inferences that ended before this time'),
  pipeline: z.string().max(200).optional().describe('name'),
  version: z.string().max(64).optional(),
  route: z.string().max(64).optional(),
  modality: z.string().max(32).optional(),
  scanner: z.string().max(200).optional().describe('as /insights/options gives it'),
  bodyPart: z.string().max(64).optional(),
  sex: z.string().max(8).optional(),
  ageFrom: z.coerce.number().min(0).max(200).optional().describe('years, this or older'),
  ageTo: z.coerce.number().min(0).max(200).optional().describe('years, younger than this'),
  shadow: z.enum(['true', 'false']).default('false').describe('true: with those of shadow routes'),
}

export const findingRef = z
  .object({
    id: z.string().describe('for the parameter finding'),
    name: z.string(),
    code: z.string().describe('scheme:value'),
    site: z.string().nullable().describe('scheme:value of the anatomy'),
    unit: z.string().describe('UCUM'),
  })
  .meta({ id: 'InsightFinding' })

const choices = z.array(z.string())

export const insightOptions = z
  .object({
    first: at.nullable().describe('the end of the first inference; null: there is none'),
    last: at.nullable(),
    filling: z.boolean().describe('true: earlier inferences are still being counted'),
    pipelines: z.array(z.object({ name: z.string(), versions: choices })),
    findings: z.array(
      findingRef
        .extend({ values: count, pipelines: choices.describe('that give it') })
        .meta({ id: 'InsightFindingChoice' }),
    ),
    routes: choices,
    modalities: choices,
    scanners: choices,
    bodyParts: choices,
    sexes: choices,
  })
  .meta({ id: 'InsightOptions' })

/** Numbers in a nutshell. Quantiles are linear between neighbours. */
export const summary = z
  .object({
    n: count,
    mean: z.number(),
    deviation: z.number().nullable().describe('of the sample; null for one value'),
    minimum: z.number(),
    p5: z.number(),
    q1: z.number(),
    median: z.number(),
    q3: z.number(),
    p95: z.number(),
    maximum: z.number(),
  })
  .meta({ id: 'InsightSummary' })

const counted = {
  studies: count,
  patients: count.describe('that are known by an identifier'),
  runs: count,
}

const group = z
  .object({
    key: z.string().describe('of a period: its first day'),
    label: z.string(),
    ...counted,
    values: summary.nullable().describe('null: no value'),
    histogram: z.array(count).nullable().describe('values by the bins of the answer'),
  })
  .meta({ id: 'InsightGroup' })

/** Values by what they are grouped by; by periods it is a trend. */
export const groupsAnswer = z
  .object({
    by: z.enum(dimensions),
    finding: findingRef.nullable().describe('null: none is asked for, inferences are counted'),
    total: group.omit({ key: true, label: true }).meta({ id: 'InsightTotal' }),
    edges: z
      .array(z.number())
      .nullable()
      .describe(
        'of the bins, one more than there are; a value on an edge is in the bin above, the last edge in the last bin',
      ),
    groups: z.array(group),
    truncated: z.boolean().describe('true: there is more than is looked at, and these are the newest'),
  })
  .meta({ id: 'InsightGroups' })

const volume = z
  .object({ key: z.string(), label: z.string(), ...counted, done: count, refused: count, failed: count })
  .meta({ id: 'InsightVolume' })

export const volumesAnswer = z
  .object({
    by: z.enum(dimensions),
    total: volume.omit({ key: true, label: true }).meta({ id: 'InsightVolumeTotal' }),
    groups: z.array(volume),
    truncated: z.boolean(),
  })
  .meta({ id: 'InsightVolumes' })

export const scatterAnswer = z
  .object({
    x: z.enum(axes),
    finding: findingRef,
    points: z.array(
      z.object({ x: z.number(), y: z.number(), sex: z.string().nullable(), studyInstanceUID: z.string(), at }),
    ),
    total: count.describe('points that there are; those given are evenly chosen among them'),
    correlation: z.number().nullable().describe("Pearson's, of all; null: not defined"),
    truncated: z.boolean(),
  })
  .meta({ id: 'InsightScatter' })

const change = z
  .object({
    days: z.number().describe('from the first to the last'),
    perYear: z.number().describe('slope of the line of least squares, in the unit a year'),
    percent: z.number().nullable().describe('of the first value, by the last; null where the first is 0'),
    doublingDays: z
      .number()
      .nullable()
      .describe('of exponential growth by least squares; null where it does not grow, or a value is not positive'),
  })
  .meta({ id: 'InsightChange' })

export const patientAnswer = z
  .object({
    known: z.boolean().describe('false: the study has no patient identifier, or nothing was counted of it'),
    studies: z.array(
      z.object({
        studyInstanceUID: z.string(),
        date: z.string().nullable().describe('YYYY-MM-DD'),
        here: z.boolean().describe('false: deleted'),
      }),
    ),
    measurements: z.array(
      z
        .object({
          finding: findingRef,
          pipeline: z.string(),
          points: z.array(
            z.object({
              studyInstanceUID: z.string(),
              date: z.string().describe('of the study, YYYY-MM-DD'),
              value: z.number(),
              version: z.string().nullable(),
            }),
          ),
          change: change.nullable().describe('null: the values are of one day'),
        })
        .meta({ id: 'InsightMeasurement' }),
    ),
  })
  .meta({ id: 'InsightPatient' })

export const agreementDimensions = ['pipeline', 'version', 'scanner', 'route', 'day', 'week', 'month'] as const

const rate = z
  .object({
    hits: count,
    of: count,
    rate: z.number(),
    low: z.number().describe("of Wilson's interval, 95 %"),
    high: z.number(),
  })
  .meta({ id: 'InsightRate' })

const said = { accepted: count, rejected: count, corrected: count, missed: count, comments: count }

export const agreementAnswer = z
  .object({
    by: z.enum(agreementDimensions),
    total: z.object({ ...said, agreement: rate.nullable() }).meta({ id: 'InsightAgreementTotal' }),
    groups: z.array(
      z
        .object({
          key: z.string(),
          label: z.string(),
          ...said,
          agreement: rate.nullable().describe('accepted among accepted, rejected, corrected and missed'),
        })
        .meta({ id: 'InsightAgreementGroup' }),
    ),
    performance: z.array(
      z
        .object({
          key: z.string(),
          label: z.string().describe('of the group'),
          finding: z.string(),
          site: z.string().nullable(),
          truePositive: count,
          falsePositive: count,
          trueNegative: count,
          falseNegative: count,
          unknown: count.describe('statements that feedback does not tell the truth of'),
          precision: rate.nullable(),
          recall: rate.nullable(),
          specificity: rate.nullable(),
          f1: z.number().nullable(),
        })
        .meta({ id: 'InsightPerformance' }),
    ),
  })
  .meta({ id: 'InsightAgreement' })

export const driftVerdict = z.enum(['too-few', 'none', 'moderate', 'strong'])

const driftMeasure = z
  .object({
    subject: z.string(),
    label: z.string(),
    side: z.enum(['input', 'output']),
    kind: z.enum(['number', 'category']),
    verdict: driftVerdict,
    reference: count.describe('values'),
    window: count,
    stability: z.number().nullable().describe('population stability index'),
    statistic: z.number().nullable().describe('of Kolmogorov and Smirnov; of categories, chi-square'),
    degrees: z.number().nullable().describe('degrees of freedom, of chi-square'),
    probability: z.number().nullable().describe('of so large a statistic where nothing differs'),
    bins: z.array(z.object({ label: z.string(), reference: count, window: count })),
  })
  .meta({ id: 'DriftMeasure' })

const period = { from: at.nullable(), to: at.nullable(), runs: count }

export const driftEvaluation = z
  .object({
    id: z.number(),
    at,
    pipeline: z.string(),
    version: z.string().nullable(),
    verdict: driftVerdict.describe('the gravest of those of its measures'),
    reference: z.object({ kind: z.enum(['first-runs', 'period']), ...period }),
    window: z.object(period),
    measures: z.array(driftMeasure),
  })
  .meta({ id: 'DriftEvaluation' })

export const driftAnswer = z
  .object({
    limits: z.object({ moderate: z.number(), strong: z.number() }),
    evaluations: z.array(driftEvaluation).describe('the newest of each pipeline and version'),
  })
  .meta({ id: 'Drift' })

export const driftHistoryAnswer = z
  .object({
    points: z.array(
      z.object({
        at,
        verdict: driftVerdict,
        stability: z.number().nullable(),
        statistic: z.number().nullable(),
        probability: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'DriftHistory' })

/** Tables that leave the page. */
export const insightTables = ['groups', 'histogram', 'volumes', 'agreement', 'performance', 'drift'] as const

export const studyParams = z.strictObject({ studyInstanceUID: uid })
