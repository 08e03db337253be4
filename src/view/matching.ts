import type { Knex } from 'knex'
import { personNameKey } from '../dicom/search-key.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import { isUIDText } from '../dicomweb/uid-parameter.ts'
import type { MatchingKey } from './search-request.ts'

/**
 * Adds one matching key to a query (PS3.4 C.2.2.2). An empty value matches everything.
 * @throws RequestError 'bad-parameter' where the value does not have its attribute's form
 */
export function addMatching(query: Knex.QueryBuilder, key: MatchingKey): void {
  const value = key.value.trim()
  if (value === '' || value === '*') return
  const { column, matching } = key.attribute
  switch (matching) {
    case 'uid':
      matchUIDs(query, column, key)
      return
    case 'date':
      matchRange(query, column, key, /^\d{8}$/, 'a date YYYYMMDD')
      return
    case 'time':
      matchRange(query, column, key, /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/, 'a time HHMMSS.FFFFFF')
      return
    case 'integer':
      if (!/^[+-]?\d{1,12}$/.test(value)) throw badValue(key, 'a whole number')
      query.where(column, Number(value))
      return
    case 'person-name':
      matchName(query, column, value)
      return
    case 'text':
      matchAny(query, column, value)
      return
    case 'modalities':
      // A study matches when any of its series has one of the modalities (PS3.4 C.2.2.2, ModalitiesInStudy).
      query.whereExists((inner) => {
        inner.select('matched.id').from({ matched: 'series' }).whereRaw('?? = ??', ['matched.study_id', 'studies.id'])
        inner.andWhere('matched.instances', '>', 0)
        inner.andWhere((any) => matchAny(any, 'matched.modality', value.replaceAll(',', '\\')))
      })
      return
    default:
      matching satisfies never
  }
}

function matchUIDs(query: Knex.QueryBuilder, column: string, key: MatchingKey): void {
  query.whereIn(column, matchedUIDs(key))
}

/**
 * The UIDs of a key (PS3.4 C.2.2.2.2), of which any may match.
 * @throws RequestError 'bad-parameter'
 */
export function matchedUIDs(key: MatchingKey): string[] {
  const uids = key.value
    .split(/[,\\]/)
    .map((uid) => uid.trim())
    .filter((uid) => uid !== '')
  const wrong = uids.find((uid) => !isUIDText(uid))
  if (wrong !== undefined)
    throw badValue(
      key,
      'a UID, or several separated by commas',
      /[*?]/.test(wrong) ? 'no wildcard is allowed' : 'a UID is expected',
    )
  return uids
}

/** `a`, `a-b`, `-b` or `a-`; an upper bound of less precision includes what begins with it. */
function matchRange(query: Knex.QueryBuilder, column: string, key: MatchingKey, form: RegExp, expected: string): void {
  const [from = '', to = from, ...more] = key.value
    .trim()
    .split('-')
    .map((bound) => bound.trim())
  const bounds = [from, to].filter((bound) => bound !== '')
  if (more.length > 0 || bounds.length === 0 || bounds.some((bound) => !form.test(bound))) {
    throw badValue(key, `${expected}, or a range of two with a hyphen`, `${expected} or range`)
  }
  query.whereNotNull(column)
  if (from !== '') query.where(column, '>=', from)
  if (to !== '') query.where(column, '<=', lastMomentOf(to, key.attribute.matching))
}

/** 1200 as an upper bound is every moment of that minute: 120059.999999. */
function lastMomentOf(bound: string, matching: string): string {
  if (matching !== 'time') return bound
  return bound + '005959.999999'.slice(bound.length)
}

function matchAny(query: Knex.QueryBuilder, column: string, value: string): void {
  const values = value.split('\\').filter((one) => one !== '')
  if (values.length === 1) matchText(query, column, value)
  else {
    query.where((any) => {
      for (const one of values) any.orWhere((single) => matchText(single, column, one))
    })
  }
}

/** Wildcards `*` and `?`; a search with one does not look at the case of (ASCII) letters. */
function matchText(query: Knex.QueryBuilder, column: string, value: string): void {
  if (!/[*?]/.test(value)) query.where(column, value)
  else query.whereRaw("lower(??) like lower(?) escape '\\'", [column, likePattern(value)])
}

/** The columns that hold the component groups of a person name, as searches compare them. */
export const nameKeyColumns = (column: string) =>
  [`${column}_key`, `${column}_ideographic_key`, `${column}_phonetic_key`] as const

/**
 * Person names, in any case of letters. A value of one component group matches any of a name's groups: who asks for 山田 need not
 * know that it is the second. A value of several is matched group by group, of which empty ones match everything.
 */
function matchName(query: Knex.QueryBuilder, column: string, value: string): void {
  const columns = nameKeyColumns(column)
  if (!value.includes('=')) {
    query.where((any) => {
      for (const group of columns) any.orWhere((single) => matchNameGroup(single, group, value))
    })
    return
  }
  for (const [i, group] of value.split('=').entries()) {
    const groupColumn = columns[i]
    const wanted = group.trim()
    if (groupColumn !== undefined && wanted !== '' && wanted !== '*') matchNameGroup(query, groupColumn, wanted)
  }
}

function matchNameGroup(query: Knex.QueryBuilder, column: string, value: string): void {
  const key = personNameKey(value)
  if (!/[*?]/.test(key)) query.where(column, key)
  else query.whereRaw("?? like ? escape '\\'", [column, likePattern(key)])
}

function likePattern(value: string): string {
  return value
    .replace(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_')
}

/** `detail.comment` says it as a DIMSE Error Comment has to, in 64 characters (PS3.7 annex C). */
function badValue(key: MatchingKey, expected: string, inShort = `${expected} is expected`): RequestError {
  return new RequestError('bad-parameter', `The value of the parameter ${key.name} is not ${expected}.`, {
    detail: { parameter: key.name, comment: `${key.name}: ${inShort}` },
  })
}
