import { compileNumber } from './expression.ts'
import type { Facts, SeriesFacts } from './facts.ts'
import type { Preference } from './route-definition.ts'

/** A series as it stands for an input. */
export interface Candidate {
  /** Its place among the study's series. */
  index: number
  seriesInstanceUID: string
  facts: Facts & { series: SeriesFacts }
}

/** The chosen candidate, and the preference that told it from the next one. */
export interface Selection {
  candidate: Candidate
  /** `thinnest-slices: 1.25`, or null where there was no choice. */
  decidedBy: string | null
  /** The others, in order. */
  others: Candidate[]
}

/**
 * The candidate that the preferences put first. A candidate without a value ranks last in that preference; what no
 * preference tells apart is decided by Series Instance UID, so that the same study always gives the same answer.
 */
export function selectSeries(candidates: readonly Candidate[], prefer: readonly Preference[]): Selection | null {
  const [only] = candidates
  if (!only) return null
  if (candidates.length === 1) return { candidate: only, decidedBy: null, others: [] }
  const keys = prefer.map(rankingBy)
  const ranked = candidates
    .map((candidate) => ({ candidate, ranks: keys.map((key) => key.rank(candidate.facts)) }))
    .sort((a, b) => {
      for (const [i, rank] of a.ranks.entries()) {
        const order = compareRanks(rank, b.ranks[i] ?? null)
        if (order !== 0) return order
      }
      return compareText(a.candidate.seriesInstanceUID, b.candidate.seriesInstanceUID)
    })
  const [first, second] = ranked
  if (!first || !second) return null
  const decisive = first.ranks.findIndex((rank, i) => compareRanks(rank, second.ranks[i] ?? null) !== 0)
  const key = keys[decisive]
  return {
    candidate: first.candidate,
    others: ranked.slice(1).map(({ candidate }) => candidate),
    decidedBy: key ? `${key.name}: ${key.show(first.candidate.facts)}` : 'the lowest Series Instance UID',
  }
}

/** What a series has for a preference, as text; null where it has no value and ranks last. */
export interface PreferenceValue {
  preference: string
  value: string | null
}

/** What a series has for every preference, in their order. */
export function preferenceValues(prefer: readonly Preference[], facts: Candidate['facts']): PreferenceValue[] {
  return prefer.map(rankingBy).map(({ name, rank, show }) => ({
    preference: name,
    value: rank(facts) === null ? null : show(facts),
  }))
}

interface Ranking {
  name: string
  /** Smaller is better; null is worst. */
  rank(facts: Candidate['facts']): number | string | null
  show(facts: Candidate['facts']): string
}

function rankingBy(preference: Preference): Ranking {
  if (typeof preference !== 'string') {
    const highest = 'highest' in preference
    const text = highest ? preference.highest : preference.lowest
    const value = compileNumber(text, 'series')
    const rank = (facts: Facts) => {
      const number = value(facts)
      return number === null ? null : highest ? -number : number
    }
    return { name: `${highest ? 'highest' : 'lowest'} ${text}`, rank, show: (facts) => String(value(facts)) }
  }
  switch (preference) {
    case 'thinnest-slices': {
      const rank = ({ series }: Candidate['facts']) =>
        typeof series.SliceThickness === 'number' ? series.SliceThickness : null
      return { name: preference, rank, show: (facts) => `${rank(facts)} mm` }
    }
    case 'most-instances':
      return {
        name: preference,
        rank: ({ series }) => -Number(series.instances),
        show: ({ series }) => String(series.instances),
      }
    case 'oldest':
      return { name: preference, rank: ({ series }) => timeOf(series), show: ({ series }) => String(timeOf(series)) }
    case 'newest':
      return {
        name: preference,
        rank: ({ series }) => reversed(timeOf(series)),
        show: ({ series }) => String(timeOf(series)),
      }
  }
}

/** Date and time of a series as sortable text: of the series, else of its acquisition, else of its content. */
function timeOf(series: SeriesFacts): string | null {
  for (const what of ['Series', 'Acquisition', 'Content']) {
    const date = series[`${what}Date`]
    const time = series[`${what}Time`]
    if (typeof date === 'string') return `${date} ${typeof time === 'string' ? time : ''}`.trim()
  }
  return null
}

/** Text whose order is the opposite: every UTF-16 unit mirrored, and a last unit so that longer comes first. */
function reversed(text: string | null): string | null {
  if (text === null) return null
  return `${text
    .split('')
    .map((unit) => String.fromCharCode(0xffff - unit.charCodeAt(0)))
    .join('')}\uffff`
}

function compareRanks(a: number | string | null, b: number | string | null): number {
  if (a === b) return 0
  if (a === null) return 1
  if (b === null) return -1
  return typeof a === 'number' && typeof b === 'number' ? a - b : compareText(String(a), String(b))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
