import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Knex } from 'knex'
import { type Effort, spend } from '../store/study-walk.ts'
import { addMatching } from './matching.ts'
import type { MatchingKey } from './search-request.ts'

/** A series as walks through its instances need it. */
export interface FoundSeries {
  id: number
  study_id: number
  series_number: number | null
  instances: number
}

/** Studies whose series are looked up at once. */
const studiesAtOnce = 100

/**
 * The series of studies, in the studies' order and then by their numbers, batch after batch. Series that hold nothing any more, since
 * their instances came again as another's, are none.
 * @param narrow adds conditions on `series.…`
 */
export async function* seriesOf(
  database: Knex,
  studyIds: readonly number[],
  narrow: (series: Knex.QueryBuilder) => void = () => {},
): AsyncGenerator<FoundSeries[]> {
  for (let i = 0; i < studyIds.length; i += studiesAtOnce) {
    const batch = studyIds.slice(i, i + studiesAtOnce)
    const query = database('series').whereIn('series.study_id', batch).where('series.instances', '>', 0)
    narrow(query)
    const rows: FoundSeries[] = await query.select('id', 'study_id', 'series_number', 'instances')
    const place = new Map(batch.map((id, at) => [id, at]))
    rows.sort(
      (a, b) =>
        (place.get(a.study_id) ?? 0) - (place.get(b.study_id) ?? 0) ||
        nullsFirst(a.series_number, b.series_number) ||
        a.id - b.id,
    )
    yield rows
    await nextTurn()
  }
}

/** Instances that one statement looks at. */
const instancesAtOnce = 1000

interface FoundInstance {
  id: number
  series_id: number
  instance_number: number | null
}

/**
 * Ids of the instances of series, in the series' order and then by their numbers, batch after batch.
 * @param keys keys of the instance level
 */
export async function* instancesOf(
  database: Knex,
  series: readonly FoundSeries[],
  options: { keys: readonly MatchingKey[]; effort: Effort },
): AsyncGenerator<number[]> {
  const { keys, effort } = options
  for (const group of together(series)) {
    const [first] = group
    const alone = group.length === 1 && first !== undefined && first.instances > instancesAtOnce
    if (alone) yield* ofLargeSeries(database, first, options)
    else yield await ofSmallSeries(database, group, keys)
    const looked = alone ? 0 : group.reduce((sum, { instances }) => sum + instances, 0)
    if (!spend(effort, looked)) return
    await nextTurn()
  }
}

/** Series in groups that hold few enough instances for one statement. */
function together(series: readonly FoundSeries[]): FoundSeries[][] {
  const groups: FoundSeries[][] = []
  let room = 0
  for (const one of series) {
    const group = groups.at(-1)
    if (group === undefined || one.instances > room) {
      groups.push([one])
      room = instancesAtOnce
    } else group.push(one)
    room -= one.instances
  }
  return groups
}

async function ofSmallSeries(
  database: Knex,
  group: readonly FoundSeries[],
  keys: readonly MatchingKey[],
): Promise<number[]> {
  const query = database('instances').whereIn(
    'instances.series_id',
    group.map(({ id }) => id),
  )
  for (const key of keys) addMatching(query, key)
  const rows: FoundInstance[] = await query.select('id', 'series_id', 'instance_number')
  const place = new Map(group.map(({ id }, at) => [id, at]))
  return rows
    .sort(
      (a, b) =>
        (place.get(a.series_id) ?? 0) - (place.get(b.series_id) ?? 0) ||
        nullsFirst(a.instance_number, b.instance_number) ||
        a.id - b.id,
    )
    .map(({ id }) => id)
}

/** A part at a time, since a series may hold any number of instances. */
async function* ofLargeSeries(
  database: Knex,
  { id }: FoundSeries,
  { keys, effort }: { keys: readonly MatchingKey[]; effort: Effort },
): AsyncGenerator<number[]> {
  for (let from = 0; ; from += instancesAtOnce) {
    const part: number[] = await database('instances')
      .where({ series_id: id })
      .orderBy(['instance_number', 'id'])
      .offset(from)
      .limit(instancesAtOnce)
      .pluck('id')
    yield keys.length === 0 ? part : await matchingAmong(database, part, keys)
    if (part.length < instancesAtOnce || !spend(effort, part.length)) return
    await nextTurn()
  }
}

async function matchingAmong(database: Knex, ids: readonly number[], keys: readonly MatchingKey[]): Promise<number[]> {
  const query = database('instances').whereIn('instances.id', ids)
  for (const key of keys) addMatching(query, key)
  const found = new Set<number>(await query.pluck('id'))
  return ids.filter((id) => found.has(id))
}

function nullsFirst(a: number | null, b: number | null): number {
  return (a ?? -Infinity) === (b ?? -Infinity) ? 0 : (a ?? -Infinity) - (b ?? -Infinity)
}
