import type { Knex } from 'knex'
import type { DicomJson } from '../dicom/dicom-json.ts'
import { type Effort, effort, spend } from '../store/study-walk.ts'
import type { Level } from './attributes.ts'
import { addMatching } from './matching.ts'
import { instanceAnswers, seriesAnswers, studyAnswers } from './search-answers.ts'
import { instancesOf, seriesOf } from './search-contents.ts'
import type { MatchingKey, SearchRequest } from './search-request.ts'
import { matchingStudies, type SearchScope } from './search-studies.ts'

export type { SearchScope } from './search-studies.ts'

/** The matches, at most as many as the limit allows. */
export interface SearchResult {
  matches: DicomJson[]
  /** There are more matches behind the last one. */
  truncated: boolean
  /** One sentence where older studies were not looked at, because no index answers such a search; else null. */
  incomplete: string | null
}

export interface SearchQuestion {
  level: Level
  scope: SearchScope
  request: SearchRequest
  /** URL of the DICOMweb service, for RetrieveURL. */
  base: string
}

/** How many matches are given without a `limit`, and at most. Headers travel with studies and series, so these are bounded tighter. */
export const searchLimits: Readonly<Record<Level, { unasked: number; maximum: number }>> = {
  study: { unasked: 100, maximum: 5000 },
  series: { unasked: 1000, maximum: 1000 },
  instance: { unasked: 10_000, maximum: 10_000 },
}

/**
 * Answers a QIDO-RS search from the index alone (PS3.18 10.6), the newest studies first; no object is opened. What an index finds
 * costs the same in any archive; what none finds (a word within a description, a rare SOP class without a study) is looked for study by
 * study, up to a bound. No statement holds the event loop for long.
 * @param spent the bound
 * @throws RequestError 'bad-parameter' where a key's value does not have its attribute's form
 */
export async function search(database: Knex, question: SearchQuestion, spent = effort()): Promise<SearchResult> {
  const { level, request, base } = question
  const { unasked, maximum } = searchLimits[level]
  const limit = Math.min(request.limit ?? unasked, maximum)
  const ids = await page(found(database, question, spent), request.offset, limit + 1)
  const truncated = ids.length > limit
  const options = { include: request.include, base, scope: question.scope }
  const answered = ids.slice(0, limit)
  return {
    matches: await answersOf[level](database, answered, options),
    truncated,
    incomplete: spent.exhausted && !truncated ? incompleteSentence : null,
  }
}

const incompleteSentence =
  'Only the newest studies were searched, since no index answers this search. Name a patient, an accession number or dates to search all.'

const answersOf = { study: studyAnswers, series: seriesAnswers, instance: instanceAnswers }

async function page(batches: AsyncIterable<readonly number[]>, offset: number, count: number): Promise<number[]> {
  const ids: number[] = []
  let skipped = 0
  for await (const batch of batches) {
    const skip = Math.min(offset - skipped, batch.length)
    skipped += skip
    for (let i = skip; i < batch.length && ids.length < count; i++) ids.push(batch[i] as number)
    if (ids.length >= count) break
  }
  return ids
}

/** Ids of the rows of the level that match, batch after batch. */
async function* found(
  database: Knex,
  { level, scope, request: { keys } }: SearchQuestion,
  spent: Effort,
): AsyncGenerator<readonly number[]> {
  const of = (wanted: Level) => keys.filter(({ attribute }) => attribute.level === wanted)
  for await (const studies of matchingStudies(database, { scope, keys }, spent)) {
    if (level === 'study') yield studies
    else yield* belowStudies(database, { studies, level, scope, seriesKeys: of('series'), keys: of('instance') }, spent)
    if (spent.exhausted) return
  }
}

interface BelowStudies {
  studies: readonly number[]
  level: 'series' | 'instance'
  scope: SearchScope
  seriesKeys: readonly MatchingKey[]
  keys: readonly MatchingKey[]
}

async function* belowStudies(
  database: Knex,
  { studies, level, scope, seriesKeys, keys }: BelowStudies,
  spent: Effort,
): AsyncGenerator<readonly number[]> {
  const narrow = (series: Knex.QueryBuilder) => {
    if (scope.seriesInstanceUID !== undefined) series.where('series.series_instance_uid', scope.seriesInstanceUID)
    for (const key of seriesKeys) addMatching(series, key)
  }
  for await (const series of seriesOf(database, studies, narrow)) {
    if (level === 'series') yield series.map(({ id }) => id)
    else yield* instancesOf(database, series, { keys, effort: spent })
    if (!spend(spent, series.length)) return
  }
}
