import { tagOf } from '../dicom/dictionary.ts'
import { RequestError } from '../dicomweb/request-error.ts'
import { type IndexedAttribute, indexedAttribute, isAtOrAbove, type Level } from './attributes.ts'

/** One matching key with its value as sent. */
export interface MatchingKey {
  attribute: IndexedAttribute
  /** The name that the client used, for error messages. */
  name: string
  value: string
}

/** A search as a client asked for it (PS3.18 8.3.4, 10.6.1). */
export interface SearchRequest {
  keys: MatchingKey[]
  /** Tags asked for beyond the answer's own. */
  include: ReadonlySet<string> | 'all'
  /** null: not given. */
  limit: number | null
  offset: number
  fuzzyMatching: boolean
}

/**
 * Reads the query part of a search. A key that the index cannot match is refused: a filter that is silently ignored would
 * answer with other patients' studies.
 * @throws RequestError 'unknown-parameter', 'bad-parameter'
 */
export function parseSearchRequest(query: URLSearchParams, level: Level): SearchRequest {
  const request: SearchRequest = { keys: [], include: new Set(), limit: null, offset: 0, fuzzyMatching: false }
  const include = new Set<string>()
  let includeAll = false
  const seen = new Set<string>()
  for (const [name, value] of query) {
    const lower = name.toLowerCase()
    if (lower === 'includefield') {
      for (const field of value.split(',')) {
        if (field.trim().toLowerCase() === 'all') includeAll = true
        else include.add(tagOfName(field.trim()) ?? field.trim())
      }
      continue
    }
    const known = ['limit', 'offset', 'fuzzymatching', 'accept'].includes(lower) ? lower : null
    const key = known ?? tagOfName(name)
    if (key === null) throw unknownParameter(name, 'it is neither a DICOM keyword, nor a tag, nor a QIDO-RS parameter')
    if (seen.has(key)) throw new RequestError('bad-parameter', `The parameter ${shown(name)} is given more than once.`)
    seen.add(key)
    if (known === 'limit') request.limit = wholeNumber(name, value)
    else if (known === 'offset') request.offset = wholeNumber(name, value)
    else if (known === 'fuzzymatching') request.fuzzyMatching = truth(name, value)
    else if (known === null) request.keys.push({ attribute: searchable(key, name, level), name: shown(name), value })
  }
  request.include = includeAll ? 'all' : include
  return request
}

function searchable(tag: string, name: string, level: Level): IndexedAttribute {
  const attribute = indexedAttribute(tag)
  if (attribute === undefined) throw unknownParameter(name, 'the index does not hold this attribute')
  if (!isAtOrAbove(attribute.level, level)) {
    throw unknownParameter(name, `it is an attribute of the ${attribute.level}, and the search is for a ${level}`)
  }
  return attribute
}

/** `PatientID`, `00100020` or `RequestAttributesSequence.…` (of which the first element names the attribute). */
function tagOfName(name: string): string | null {
  const first = name.split('.')[0] ?? ''
  if (/^[0-9A-Fa-f]{8}$/.test(first)) return name.includes('.') ? null : first.toUpperCase()
  return name.includes('.') ? null : (tagOf(first) ?? null)
}

function wholeNumber(name: string, value: string): number {
  if (!/^\d{1,9}$/.test(value)) {
    throw new RequestError(
      'bad-parameter',
      `The parameter ${shown(name)} is not a whole number of at most nine digits.`,
    )
  }
  return Number(value)
}

function truth(name: string, value: string): boolean {
  if (value === 'true' || value === 'false' || value === '') return value === 'true'
  throw new RequestError('bad-parameter', `The parameter ${shown(name)} is neither true nor false.`)
}

function unknownParameter(name: string, why: string): RequestError {
  return new RequestError('unknown-parameter', `The parameter ${shown(name)} cannot be searched by: ${why}.`, {
    detail: { parameter: shown(name) },
  })
}

function shown(name: string): string {
  return name.replace(/[^ -~]/g, '?').slice(0, 80)
}
