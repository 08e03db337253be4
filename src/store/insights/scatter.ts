import type { Knex } from 'knex'
import { type FindingKey, findingRefOf, type InsightFilter } from './filter.ts'
import { readRows } from './rows.ts'
import { correlationOf } from './summary.ts'

export type Axis = 'age' | 'sliceThickness' | 'pixelSpacing' | 'kvp' | 'fieldStrength' | 'images'

/** Values against another number of their study. @param limit points that are given, evenly chosen in the order of their time */
export async function scatterOf(
  database: Knex,
  filter: InsightFilter,
  asked: { finding: FindingKey; x: Axis; limit: number },
) {
  const { finding, x: axis, limit } = asked
  const { rows, truncated } = await readRows(database, filter, finding)
  const all = rows.flatMap((row) => {
    const x = row[axis]
    if (x === null || row.value === null) return []
    return { x, y: row.value, sex: row.sex, studyInstanceUID: row.studyInstanceUID, at: row.at }
  })
  const every = Math.max(1, all.length / limit)
  const points = all.filter((_, n) => Math.floor(n / every) !== Math.floor((n - 1) / every))
  return {
    x: axis,
    finding: findingRefOf(finding),
    points,
    total: all.length,
    correlation: correlationOf(all),
    truncated,
  }
}
