import type { Knex } from 'knex'
import { personNameKey } from '../dicom/search-key.ts'
import { type Effort, walkStudies } from '../store/study-walk.ts'
import { addMatching, matchedUIDs, nameKeyColumns } from './matching.ts'
import type { MatchingKey } from './search-request.ts'

/** What a search is confined to by its URL. */
export interface SearchScope {
  studyInstanceUID?: string
  seriesInstanceUID?: string
}

/** A key that leaves more studies is no way into them; their newest are looked through instead, where matches are found soon. */
const few = 2000

/**
 * Ids of the studies that satisfy the keys of the study level, the newest first (by date, then by arrival), batch after batch; studies
 * that hold nothing are no matches. Where keys of lower levels can only be satisfied by few studies, only those are looked at.
 * @throws RequestError 'bad-parameter' where a key's value does not have its attribute's form
 */
export async function* matchingStudies(
  database: Knex,
  { scope, keys }: { scope: SearchScope; keys: readonly MatchingKey[] },
  effort: Effort,
): AsyncGenerator<number[]> {
  const studyKeys = keys.filter(({ attribute }) => attribute.level === 'study')
  const conditions = (studies: Knex.QueryBuilder) => {
    if (scope.studyInstanceUID !== undefined) studies.where('studies.study_instance_uid', scope.studyInstanceUID)
    for (const key of studyKeys) addMatching(studies, key)
    studies.whereExists((held) => {
      held
        .select('held.id')
        .from({ held: 'series' })
        .whereRaw('held.study_id = studies.id')
        .where('held.instances', '>', 0)
    })
  }
  // Dates are walked: the first matches are found without looking at the others of a year.
  const undated = keys.filter(({ attribute }) => attribute.column !== 'studies.study_date')
  const candidates = await candidateStudies(database, scope, undated)
  if (candidates !== null) {
    const found = database('studies').whereIn('studies.id', candidates)
    conditions(found)
    const order = ['studies.search_date', 'studies.id'].map((column) => ({ column, order: 'desc' as const }))
    yield await found.orderBy(order).pluck('studies.id')
    return
  }
  const bounds = (slice: Knex.QueryBuilder) => {
    for (const key of studyKeys) if (key.attribute.column === 'studies.study_date') onDates(slice, key)
  }
  yield* walkStudies(database, { order: 'search_date', bounds, conditions }, effort)
}

/**
 * Ids of the studies that an indexed key leaves (UIDs, patient, accession number, dates), where they are few; null where none does, or
 * too many. The other keys are still to be matched.
 * @throws RequestError 'bad-parameter' where a key's value does not have its attribute's form
 */
export async function candidateStudies(
  database: Knex,
  scope: SearchScope,
  keys: readonly MatchingKey[],
): Promise<number[] | null> {
  for (const lookUp of indexedLookUps(scope, keys)) {
    const ids: number[] = await lookUp(database).limit(few + 1)
    if (ids.length <= few) return [...new Set(ids)]
  }
  return null
}

type LookUp = (database: Knex) => Knex.QueryBuilder

function indexedLookUps({ studyInstanceUID, seriesInstanceUID }: SearchScope, keys: readonly MatchingKey[]): LookUp[] {
  const studies = (column: string, values: readonly string[]) => (database: Knex) =>
    database('studies').whereIn(column, values).pluck('id')
  const below = (table: string, column: string, values: readonly string[]) => (database: Knex) =>
    database(table).whereIn(column, values).pluck('study_id')
  const lookUps: LookUp[] = []
  if (studyInstanceUID !== undefined) lookUps.push(studies('study_instance_uid', [studyInstanceUID]))
  if (seriesInstanceUID !== undefined) lookUps.push(below('series', 'series_instance_uid', [seriesInstanceUID]))
  for (const key of keys) {
    const values = exactValues(key)
    switch (key.attribute.column) {
      case 'studies.study_instance_uid':
        if (values) lookUps.push(studies('study_instance_uid', values))
        break
      case 'series.series_instance_uid':
        if (values) lookUps.push(below('series', 'series_instance_uid', values))
        break
      case 'instances.sop_instance_uid':
        if (values) lookUps.push(below('instances', 'sop_instance_uid', values))
        break
      case 'studies.patient_id':
        if (values) lookUps.push(studies('patient_id', values))
        break
      case 'studies.accession_number':
        if (values) lookUps.push(studies('accession_number', values))
        break
      case 'studies.patient_name':
        lookUps.push(...namesBeginning(key.value))
        break
      case 'studies.study_date':
        if (!/^\**$/.test(key.value.trim())) lookUps.push((database) => onDates(database('studies'), key).pluck('id'))
        break
      default:
    }
  }
  return lookUps
}

/** Bounds the column that searches are ordered by. */
function onDates(studies: Knex.QueryBuilder, key: MatchingKey): Knex.QueryBuilder {
  addMatching(studies, { ...key, attribute: { ...key.attribute, column: 'search_date' } })
  return studies
}

/** The values of a key without wildcards; null where it has any, or no value. */
function exactValues(key: MatchingKey): string[] | null {
  if (key.attribute.matching === 'uid') {
    const uids = matchedUIDs(key)
    return uids.length > 0 ? uids : null
  }
  const values = key.value
    .trim()
    .split('\\')
    .filter((value) => value !== '')
  return values.length > 0 && !/[*?]/.test(key.value) ? values : null
}

/** A way into the names by what stands before the first wildcard of the first component group that has one. */
function namesBeginning(value: string): LookUp[] {
  const groups = value.split('=').map((group) => personNameKey(group))
  const whole = groups.length > 1
  for (const [i, group] of groups.slice(0, 3).entries()) {
    const beginning = group.split(/[*?]/)[0] ?? ''
    if (beginning === '') continue
    const columns = nameKeyColumns('patient_name').filter((_, column) => !whole || column === i)
    return [
      (database) =>
        database('studies')
          .where((any) => {
            for (const column of columns) any.orWhereBetween(column, [beginning, `${beginning}\u{10ffff}`])
          })
          .pluck('id'),
    ]
  }
  return []
}
