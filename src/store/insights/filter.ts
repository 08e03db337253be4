import type { Knex } from 'knex'

/** Which inferences are looked at; of those that are not of the newest revision none ever is. */
export interface InsightFilter {
  /** ISO 8601 UTC, of the inference's end: the first, and the one after the last. */
  from?: string | undefined
  to?: string | undefined
  /** Name. */
  pipeline?: string | undefined
  version?: string | undefined
  route?: string | undefined
  modality?: string | undefined
  scanner?: string | undefined
  bodyPart?: string | undefined
  sex?: string | undefined
  /** Years: this or older, and younger than. */
  ageFrom?: number | undefined
  ageTo?: number | undefined
  /** True: with those of shadow routes. */
  shadow?: boolean | undefined
}

/** What is measured or found, where, in which unit. */
export interface FindingKey {
  name: string
  /** `scheme:value`. */
  code: string
  /** `scheme:value` of the anatomy; empty: of the whole input. */
  site: string
  /** UCUM. */
  unit: string
}

/** A finding as one text, and as people read it. */
export function findingRefOf({ name, code, site, unit }: FindingKey) {
  return { id: JSON.stringify([name, code, site, unit]), name, code, site: site === '' ? null : site, unit }
}

/** Inferences that a filter lets through; rows are `insight_runs`. */
export function runsMatching(database: Knex, filter: InsightFilter): Knex.QueryBuilder {
  const rows = database('insight_runs').where('insight_runs.current', 1)
  const equal = {
    pipeline: filter.pipeline,
    version: filter.version,
    route: filter.route,
    modality: filter.modality,
    scanner: filter.scanner,
    body_part: filter.bodyPart,
    sex: filter.sex,
  }
  for (const [column, value] of Object.entries(equal))
    if (value !== undefined) rows.where(`insight_runs.${column}`, value)
  if (filter.from !== undefined) rows.where('insight_runs.at', '>=', filter.from)
  if (filter.to !== undefined) rows.where('insight_runs.at', '<', filter.to)
  if (filter.ageFrom !== undefined) rows.where('insight_runs.age', '>=', filter.ageFrom)
  if (filter.ageTo !== undefined) rows.where('insight_runs.age', '<', filter.ageTo)
  if (!filter.shadow) rows.where('insight_runs.shadow', 0)
  return rows
}
