import type { Knex } from 'knex'
import { findingRefOf } from './filter.ts'

/** What there is to choose from. */
export async function insightOptions(database: Knex) {
  const current = () => database('insight_runs').where({ current: 1 })
  const choices = async (column: string): Promise<string[]> => {
    const found: string[] = await current().whereNotNull(column).distinct(column).pluck(column)
    return found.sort()
  }
  const [range] = await current().select<{ first: string | null; last: string | null }[]>(
    database.raw('min(at) as first, max(at) as last'),
  )
  const versions: { pipeline: string; version: string | null }[] = await current().distinct('pipeline', 'version')
  const names = [...new Set(versions.map(({ pipeline }) => pipeline))].sort()
  const state = await database('insight_state').first<{ filled: number } | undefined>('filled')
  return {
    first: range?.first ?? null,
    last: range?.last ?? null,
    filling: state?.filled === 0,
    pipelines: names.map((name) => ({
      name,
      versions: versions
        .flatMap(({ pipeline, version }) => (pipeline === name && version !== null ? [version] : []))
        .sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
    })),
    findings: await findings(database),
    routes: await choices('route'),
    modalities: await choices('modality'),
    scanners: await choices('scanner'),
    bodyParts: await choices('body_part'),
    sexes: await choices('sex'),
  }
}

async function findings(database: Knex) {
  const rows: { name: string; code: string; site: string; unit: string; pipeline: string; n: number }[] =
    await database('insight_values')
      .join('insight_runs', 'insight_runs.id', 'insight_values.run_id')
      .where('insight_runs.current', 1)
      .groupBy('name', 'code', 'site', 'unit', 'pipeline')
      .select('name', 'code', 'site', 'unit', 'pipeline', database.raw('count(*) as n'))
  const byId = new Map<string, ReturnType<typeof findingRefOf> & { values: number; pipelines: string[] }>()
  for (const { pipeline, n, ...key } of rows) {
    const ref = findingRefOf(key)
    const known = byId.get(ref.id) ?? { ...ref, values: 0, pipelines: [] }
    byId.set(ref.id, { ...known, values: known.values + n, pipelines: [...known.pipelines, pipeline].sort() })
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}
