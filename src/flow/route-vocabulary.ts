import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Knex } from 'knex'
import {
  freeTexts,
  type RouteField,
  routeFields,
  sharedTexts,
  technicalTexts,
  usualFields,
} from '../route/field-vocabulary.ts'
import { isPatientKeyword } from '../route/patient-keywords.ts'
import { type RoutableStudy, seriesFacts, studyFacts } from '../route/study-facts.ts'
import { routableStudies } from './routable-study.ts'

/** A field with what past traffic had in it. */
export interface SeenField extends RouteField {
  /** Studies that had a value, of those that were looked at. */
  seen: number
  /** The most frequent values with the number of studies; none for what identifies people, and for what is new in every study. */
  values: { value: string | number; count: number }[]
}

export interface Vocabulary {
  /** Studies that were looked at: the newest. */
  studies: number
  /** When, ISO 8601 UTC. */
  at: string
  fields: SeenField[]
  /** Fields that the search finds, also those that are left out. */
  total: number
}

export interface VocabularyQuery {
  /** Part of the path or of the label; empty: what traffic had, and the usual ones. */
  search: string
  level?: 'study' | 'series' | undefined
  limit: number
}

const mostStudies = 1000
const batchSize = 4
const mostValues = 30
/** Different values of one field that are counted. */
const mostCounted = 500
const longestValue = 80
/** Free text is offered only where so many studies share it. */
const sharedBy = 3
const maximumAgeMs = 10 * 60_000

/** Values that are another one in every study, or long, are no help in writing conditions. */
const unhelpful = new Set(['UI', 'DA', 'TM', 'DT', 'LT', 'ST', 'UT', 'UR', 'PN', 'SQ', 'AT', 'AS'])
/** Although their names begin with Patient, or they are UIDs. */
const harmless = new Set(['PatientSex', 'SOPClassUID', 'TransferSyntaxUID'])

interface Counts {
  at: string
  studies: number
  byPath: Map<string, { seen: number; values: Map<string | number, number> }>
}

/** The fields that conditions may speak of, with the values of past traffic. What was counted is kept for ten minutes. */
export class RouteVocabulary {
  readonly #database: Knex
  #counts: { at: number; counted: Promise<Counts> } | null = null

  constructor(database: Knex) {
    this.#database = database
  }

  async find({ search, level, limit }: VocabularyQuery): Promise<Vocabulary> {
    const { at, studies, byPath } = await this.#counted()
    const key = search.trim().toLowerCase()
    const found = [...routeFields().values()]
      .filter((field) => level === undefined || field.level === level)
      .filter(({ path, label }) => path.toLowerCase().includes(key) || label.toLowerCase().includes(key))
      .map((field, place) => ({ field, place, seen: byPath.get(field.path)?.seen ?? 0 }))
    // What stands first among all fields is usual; of the others those that traffic had.
    const rank = ({ place, seen }: { place: number; seen: number }) => (seen > 0 ? seen : place < usualFields ? 0.5 : 0)
    const ranked = found
      .filter((one) => key !== '' || rank(one) > 0)
      .sort((a, b) => rank(b) - rank(a) || a.place - b.place)
    return {
      at,
      studies,
      total: ranked.length,
      fields: ranked.slice(0, limit).map(({ field, seen }) => ({
        ...field,
        seen,
        values: valuesOf(field, byPath.get(field.path)?.values ?? new Map<string | number, number>()),
      })),
    }
  }

  #counted(): Promise<Counts> {
    const now = Date.now()
    if (this.#counts === null || now - this.#counts.at > maximumAgeMs) {
      const counted = countTraffic(this.#database)
      this.#counts = { at: now, counted }
      // A failure is told to those who asked, and tried again by the next.
      counted.catch(() => {
        this.#counts = null
      })
    }
    return this.#counts.counted
  }
}

function valuesOf({ keyword, vr }: RouteField, counts: ReadonlyMap<string | number, number>): SeenField['values'] {
  const least = sharedTexts.has(vr) && !technicalTexts.has(keyword) ? sharedBy : 1
  return [...counts]
    .filter(([, count]) => count >= least)
    .sort(([a, m], [b, n]) => n - m || (String(a) < String(b) ? -1 : 1))
    .slice(0, mostValues)
    .map(([value, count]) => ({ value, count }))
}

/** A few studies at a time, so that others have their turns. */
async function countTraffic(database: Knex): Promise<Counts> {
  const ids: number[] = await database('studies').orderBy('id', 'desc').limit(mostStudies).pluck('id')
  const counts: Counts = { at: new Date().toISOString(), studies: 0, byPath: new Map() }
  for (let done = 0; done < ids.length; done += batchSize) {
    for (const study of (await routableStudies(database, ids.slice(done, done + batchSize))).values()) {
      addStudy(study, counts)
      await nextTurn()
    }
  }
  return counts
}

function addStudy(study: RoutableStudy, counts: Counts): void {
  const series = study.series.map(seriesFacts)
  const found = new Map<string, Set<string | number>>()
  const look = (level: string, facts: object): void => {
    for (const [keyword, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(facts))) {
      const path = `${level}.${keyword}`
      let values = found.get(path)
      if (!values) found.set(path, (values = new Set()))
      // Sequences are converted when they are looked at: that they are there is enough.
      if (!descriptor.get && mayOffer(keyword, path))
        for (const value of [descriptor.value].flat(1)) addValue(values, value)
    }
  }
  look('study', studyFacts(study, series))
  for (const facts of series) look('series', facts)
  counts.studies++
  for (const [path, values] of found) {
    let field = counts.byPath.get(path)
    if (!field) counts.byPath.set(path, (field = { seen: 0, values: new Map() }))
    field.seen++
    for (const value of values)
      if (field.values.has(value) || field.values.size < mostCounted)
        field.values.set(value, (field.values.get(value) ?? 0) + 1)
  }
}

function addValue(values: Set<string | number>, value: unknown): void {
  if (typeof value === 'number' || (typeof value === 'string' && value.length <= longestValue)) values.add(value)
}

function mayOffer(keyword: string, path: string): boolean {
  if (harmless.has(keyword)) return true
  const field = routeFields().get(path)
  if (!field || unhelpful.has(field.vr)) return false
  return (
    freeTexts.has(keyword) ||
    !(isPatientKeyword(keyword) || /ID$|Number$|Serial/.test(keyword)) ||
    keyword === 'SeriesNumber'
  )
}
