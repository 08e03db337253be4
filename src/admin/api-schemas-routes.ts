import { z } from 'zod'

const at = z.string().describe('ISO 8601, UTC')

const preference = z.union([
  z.enum(['thinnest-slices', 'most-instances', 'newest', 'oldest']),
  z.strictObject({ highest: z.string().describe('CEL that gives a number') }),
  z.strictObject({ lowest: z.string().describe('CEL that gives a number') }),
])

const input = z.strictObject({
  where: z.string().describe('CEL over series and study'),
  prefer: z.array(preference),
  required: z.boolean(),
  from: z.enum(['study', 'prior']).optional(),
  of: z.string().optional(),
  several: z.boolean().optional(),
})

const definitionShape = {
  name: z.string().max(64),
  description: z.string().optional(),
  enabled: z.boolean(),
  when: z.string().optional().describe('CEL over study'),
  pipeline: z.string(),
  canary: z.strictObject({ pipeline: z.string(), fraction: z.number() }).optional(),
  shadow: z.boolean().optional(),
  destinations: z.array(z.string()),
  outputs: z.record(z.string(), z.array(z.string())).optional(),
  priority: z.enum(['urgent', 'normal', 'low', 'off-peak']),
  stop: z.boolean().optional().describe('where it matches, the routes after it are not asked'),
  fallback: z.boolean().optional().describe('asked after all others, and only where none of them has matched'),
  assemble: z.strictObject({ quiet: z.number() }).optional(),
  urgent: z
    .array(
      z.strictObject({
        finding: z.string().describe('name of a measurement'),
        over: z.number().optional(),
        under: z.number().optional(),
        category: z
          .union([z.literal(1), z.literal(2), z.literal(3)])
          .optional()
          .describe('of the ACR'),
      }),
    )
    .optional()
    .describe('findings that are critical'),
  onAccept: z.enum(['verified-sr']).optional(),
}

/** A definition as it is in force, defaults filled in; config/route.schema.json says more. */
export const routeDefinition = z
  .strictObject({ ...definitionShape, inputs: z.record(z.string(), input) })
  .meta({ id: 'RouteDefinition' })

/** A definition that is being written: everything but the name may be missing yet. */
export const routeDraftDefinition = z
  .strictObject({ ...definitionShape, inputs: z.record(z.string(), input.partial()) })
  .partial()
  .required({ name: true })
  .meta({ id: 'RouteDraftDefinition' })

export const routeProblem = z
  .object({
    path: z.string().describe('as in inputs.ct.where; empty: the whole'),
    expectation: z.string(),
    line: z.number().nullable().describe('of a condition: in its text; of YAML: in the file; from 1'),
    column: z.number().nullable(),
  })
  .meta({ id: 'RouteProblem' })

export const routeVersion = z
  .object({
    name: z.string(),
    version: z.number(),
    active: z.boolean().describe('in force now'),
    definition: routeDefinition,
    author: z.string().nullable(),
    comment: z.string().nullable(),
    createdAt: at,
  })
  .meta({ id: 'RouteVersion' })

export const routeDraft = z
  .object({
    name: z.string(),
    definition: routeDraftDefinition,
    basedOn: z.number().nullable().describe('the version that it was begun from; null: the route is new'),
    createdBy: z.string(),
    updatedBy: z.string(),
    createdAt: at,
    updatedAt: at,
  })
  .meta({ id: 'RouteDraft' })

export const routeDetail = z.object({
  name: z.string(),
  activeVersion: z.number().nullable().describe('null: none is in force'),
  draft: routeDraft.nullable(),
  versions: z.array(routeVersion).describe('the newest first'),
  activations: z
    .array(
      z.object({
        version: z.number().nullable().describe('null: taken out of force'),
        actor: z.string(),
        comment: z.string().nullable(),
        at,
      }),
    )
    .describe('the newest first; at most 200'),
})

export const routeChange = z
  .object({
    path: z.string(),
    before: z.unknown().describe('any JSON; null where it is not there'),
    after: z.unknown().describe('any JSON; null where it is not there'),
    text: z
      .array(z.object({ kind: z.enum(['same', 'removed', 'added']), text: z.string() }))
      .nullable()
      .describe('word by word, of texts'),
  })
  .meta({ id: 'RouteChange' })

export const routeDecision = z
  .object({
    route: z.string(),
    routeVersion: z.number().describe('0: the definition that is tried'),
    matched: z.boolean(),
    expression: z.string(),
    because: z.record(z.string(), z.unknown()).describe('the values that decided'),
    series: z.record(z.string(), z.string()).describe('input of the pipeline to Series Instance UID'),
    further: z.record(z.string(), z.array(z.string())).optional(),
    earlier: z
      .record(z.string(), z.string())
      .optional()
      .describe('input to the Study Instance UID of an earlier study'),
    reason: z.string(),
  })
  .meta({ id: 'RouteDecision' })

interface Condition {
  kind: 'and' | 'or' | 'not' | 'term'
  text: string
  verdict: 'true' | 'false' | 'not-decided' | 'error'
  values: { path: string; value: unknown }[]
  error: string | null
  members: Condition[]
}

const explainedCondition: z.ZodType<Condition> = z
  .object({
    kind: z.enum(['and', 'or', 'not', 'term']),
    text: z.string(),
    verdict: z
      .enum(['true', 'false', 'not-decided', 'error'])
      .describe('not-decided: a value that it needs is missing; it counts as not satisfied'),
    values: z.array(z.object({ path: z.string(), value: z.unknown() })).describe('of a term; null: no value'),
    error: z.string().nullable(),
    members: z.array(z.lazy(() => explainedCondition)),
  })
  .meta({ id: 'ExplainedCondition' })

const explainedSeries = z
  .object({
    seriesInstanceUID: z.string(),
    studyInstanceUID: z.string().describe('of an earlier study where the input takes those'),
    modality: z.string().nullable(),
    seriesNumber: z.number().nullable(),
    seriesDescription: z.string().nullable(),
    instances: z.number(),
    condition: explainedCondition,
    refers: z.boolean().nullable().describe('to the series of the input that `of` names; null: it need not'),
    preferences: z.array(z.object({ preference: z.string(), value: z.string().nullable() })),
    place: z.number().nullable().describe('1: taken; then those it was preferred to; null: no candidate'),
  })
  .meta({ id: 'ExplainedSeries' })

export const explainedRoute = z
  .object({
    route: z.string(),
    routeVersion: z.number(),
    decision: routeDecision,
    when: explainedCondition.nullable(),
    inputs: z.array(
      z.object({
        name: z.string(),
        required: z.boolean(),
        from: z.enum(['study', 'prior']),
        where: z.string(),
        prefer: z.array(z.string()),
        sentence: z.string(),
        chosen: z.array(z.string()).describe('Series Instance UIDs'),
        series: z.array(explainedSeries),
        omitted: z.number().describe('series that are left out here'),
      }),
    ),
  })
  .meta({ id: 'ExplainedRoute' })

export const routeTest = z.object({
  studyInstanceUID: z.string(),
  earlierStudies: z.number().describe('of the patient, that were looked at'),
  decisions: z.array(routeDecision).describe('of every route, in their order'),
  explanations: z.array(explainedRoute),
})

const replayed = z.object({ matched: z.boolean(), reason: z.string(), series: z.record(z.string(), z.string()) })

export const routeReplay = z
  .object({
    id: z.string(),
    route: z.string(),
    days: z.number(),
    startedBy: z.string(),
    startedAt: at,
    state: z.enum(['running', 'done', 'failed', 'cancelled']),
    done: z.number().describe('studies'),
    total: z.number(),
    error: z.string().nullable(),
    result: z
      .object({
        studies: z.number(),
        truncated: z.boolean().describe('there are older ones that were not looked at'),
        from: at,
        to: at,
        matched: z.number(),
        activeVersion: z.number().nullable().describe('what it was compared with; null: the route is new'),
        activeMatched: z.number().nullable(),
        gained: z.number(),
        lost: z.number(),
        otherSeries: z.number().describe('both match, with other series'),
        differences: z
          .array(
            z.object({
              studyInstanceUID: z.string(),
              kind: z.enum(['gained', 'lost', 'series']),
              before: replayed,
              after: replayed,
            }),
          )
          .describe('the newest; at most 100'),
        sample: z
          .array(
            z.object({
              studyInstanceUID: z.string(),
              reason: z.string(),
              series: z.record(z.string(), z.string()),
            }),
          )
          .describe('studies that match, the newest; at most 20'),
        otherRoutes: z
          .array(z.object({ route: z.string(), gained: z.number(), lost: z.number() }))
          .describe('routes that would decide otherwise too, because one stops others or is a fallback'),
        ms: z.number(),
      })
      .nullable(),
  })
  .meta({ id: 'RouteReplay' })

export const vocabulary = z.object({
  at: at.describe('when the traffic was counted'),
  studies: z.number().describe('that were counted: the newest'),
  total: z.number().describe('fields that the search finds'),
  fields: z.array(
    z.object({
      path: z.string(),
      keyword: z.string(),
      label: z.string(),
      vr: z.string(),
      list: z.boolean().describe('several values: always a list'),
      level: z.enum(['study', 'series']),
      computed: z.boolean(),
      description: z.string().nullable(),
      seen: z.number().describe('studies that had a value'),
      values: z
        .array(z.object({ value: z.union([z.string(), z.number()]), count: z.number().describe('studies') }))
        .describe('the most frequent; none of what identifies people'),
    }),
  ),
})

const clockTime = z.string().describe('local time such as 19:30')
const hours = z.strictObject({ from: clockTime, to: clockTime.describe('not later than from: of the next day') })

export const calendar = z
  .strictObject({
    timeZone: z.string().optional().describe('IANA; left out: that of the machine'),
    windows: z.array(hours.extend({ days: z.array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])) })),
    exceptions: z.array(
      z.strictObject({
        date: z.string(),
        open: z.union([z.enum(['all-day', 'closed']), z.array(hours)]),
        comment: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'OffPeakCalendar' })

export const calendarInForce = z.object({
  calendar,
  author: z.string().nullable().describe('null: the one that the node comes with'),
  updatedAt: at.nullable(),
})
