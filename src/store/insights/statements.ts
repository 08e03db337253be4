import { z } from 'zod'

/** A class of a pipeline that has a threshold: with it, a value says that something is there, or is not. */
export interface Threshold {
  /** The label, which is the name of the finding. */
  name: string
  /** `scheme:value`. */
  code: string
  site: string | null
  /** Of the finding's value, in percent. */
  least: number
}

/** A finding that a run says to be there, or not to be there. */
export interface Statement {
  name: string
  site: string | null
  isPositive: boolean
}

const code = z.object({ value: z.string(), scheme: z.string() })
const classes = z.array(
  z.object({ label: z.string(), type: code, site: code.optional(), threshold: z.number().optional() }),
)
const located = z.object({ classes })
const manifest = z.object({
  outputs: z.array(
    z.object({
      kind: z.string(),
      classes: classes.optional().catch(undefined),
      classification: located.optional().catch(undefined),
    }),
  ),
})

/** The thresholds of the classifiers of a pipeline, from its manifest as the database keeps it; none where it says nothing of them. */
export function thresholdsOf(text: string): Threshold[] {
  const parsed = manifest.safeParse(JSON.parse(text))
  if (!parsed.success) return []
  const all = parsed.data.outputs.flatMap(({ kind, classes: own, classification }) =>
    kind === 'classification-report' ? (own ?? []) : (classification?.classes ?? []),
  )
  const thresholds = all.flatMap(({ label, type, site, threshold }): Threshold[] =>
    threshold === undefined
      ? []
      : [
          {
            name: label,
            code: `${type.scheme}:${type.value}`,
            site: site ? `${site.scheme}:${site.value}` : null,
            least: threshold * 100,
          },
        ],
  )
  return [...new Map(thresholds.map((one) => [JSON.stringify([one.name, one.code, one.site]), one])).values()]
}

/** What the values of a run say by the thresholds of its pipeline. */
export function statementsOf(
  findings: readonly { name: string; value: number; code: string; site: string | null }[],
  thresholds: readonly Threshold[],
): Statement[] {
  return thresholds.flatMap(({ name, code: wanted, site, least }) => {
    const found = findings.filter((one) => one.name === name && one.code === wanted && (one.site ?? null) === site)
    // The largest value decides: what is found in one of several series is found.
    return found.length === 0
      ? []
      : [{ name, site, isPositive: Math.max(...found.map(({ value }) => value)) >= least - 1e-9 }]
  })
}
