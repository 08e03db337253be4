/**
 * When a study counts as complete. The first line that applies decides; `release`, `quiet` and `longest` are the settings.
 *
 * | what is known of the study                                 | complete                                  | the reason names       |
 * |------------------------------------------------------------|-------------------------------------------|------------------------|
 * | an MPPS is in progress                                     | `longest` after the last instance         | the MPPS               |
 * | instances that MPPS or availability notifications list     | `longest` after the last instance         | how many of how many   |
 * | are missing                                                |                                           |                        |
 * | all that they list are here, and were not all in the       | at once                                   | how many, and whose    |
 * | newest revision                                            |                                           | list it is             |
 * | an MPPS was discontinued, or completed without a list; an  | `release` after association release, also | release, and what says |
 * | order is completed (HL7)                                   | where a route wants another quiet time    | that it is over        |
 * | a route has some of its required series, and not all       | `longest` after the last instance         | the route and input    |
 * | an archive counts more instances than are here             | `longest` after the last instance         | how many of how many   |
 * | an archive counts no more than are here                    | as below                                  | the archive as well    |
 * | nothing, or an archive that does not answer                | `release` after association release, or   | which of them          |
 * |                                                            | `quiet` after the last instance: whichever |                       |
 * |                                                            | is sooner; a route's own quiet time       |                        |
 * |                                                            | stands for both                           |                        |
 *
 * Nothing is ever complete sooner by `longest` than it would be by `quiet` or `release`. The time in which the node was not listening
 * counts for none of them. Archives are asked when a study would be complete by one of the last lines, never before, and never where
 * an MPPS was discontinued: then what is here is all.
 */

/** Seconds that a study has to be quiet. */
export interface QuietSettings {
  /** After the last instance. */
  quietSeconds: number
  /** After the release of the last association that brought instances, where that is sooner. */
  releaseSeconds: number
  /** After the last instance, where something that is expected is missing. Default 300. */
  longestSeconds?: number
}

/** A route's own quiet time for a study; it stands for both settings. */
export interface QuietOverride {
  seconds: number
  /** Whose it is, such as `route lung-density`. */
  because: string
}

/** What there is to know of a study that is being received. Times in milliseconds. */
export interface Receiving {
  lastInstanceAt: number
  /** When the last association that brought instances ended; null while one is open, or where none is known. */
  releasedAt: number | null
  /** When this node began to listen: while it did not, nobody could send, and that was no quiet. */
  listeningSince: number
}

/** How many instances there should be, and how many of them are here. */
export interface Counted {
  expected: number
  present: number
  /** Who says so, such as `MPPS 1.2.3 lists` or `archive pacs counts`. */
  by: string
}

/** What archives answered about a study. */
export interface ArchiveAnswer {
  /** Of the first archive that knows the study; null where none does. */
  counted: Counted | null
  /** Why others gave no answer, such as `archive pacs did not answer within 10 s`. */
  failures: readonly string[]
}

/** What is known of what a study should hold, in words where nothing has to be computed with it. */
export interface Expectation {
  /** A performed procedure step that is in progress. */
  inProgress: string | null
  /** What steps and notifications list. `isNews`: the newest revision did not have as much. */
  listed: (Counted & { isNews: boolean }) | null
  /** Why nothing more is to come. `final`: not even an archive may know better. */
  ended: { sentence: string; final: boolean } | null
  /** Which route waits for which of its inputs. */
  missingSeries: string | null
  /** null: not asked (yet). */
  archives: ArchiveAnswer | null
}

export const nothingExpected: Expectation = {
  inProgress: null,
  listed: null,
  ended: null,
  missingSeries: null,
  archives: null,
}

/** When a study counts as complete, in milliseconds, and the reason why. */
export interface Due {
  at: number
  reason: string
  /** True where an archive, if there is one, has to be asked before: what it counts may change the answer. */
  asksArchives: boolean
}

const defaultLongestSeconds = 300

/** Decides when a study counts as complete, if nothing more arrives and nothing more becomes known; see the table above. */
export function completionDue(
  study: Receiving,
  settings: QuietSettings,
  override: QuietOverride | null,
  known: Expectation = nothingExpected,
): Due {
  const normal = known.ended
    ? whenEnded(study, settings, override, known.ended.sentence)
    : whenQuiet(study, settings, override)
  const waiting = (missing: string): Due => whenLongest(study, settings, { normal, missing })
  const { inProgress, listed, ended, missingSeries, archives } = known
  if (inProgress !== null) return waiting(`${inProgress} is still in progress`)
  if (listed && listed.present < listed.expected) return waiting(someOf(listed))
  if (listed?.isNews) return { at: study.lastInstanceAt, reason: allOf(listed), asksArchives: false }
  if (!ended && missingSeries !== null) return waiting(missingSeries)
  if (archives === null) return { ...normal, asksArchives: ended?.final !== true }
  const { counted, failures } = archives
  if (counted && counted.present < counted.expected) return waiting(someOf(counted))
  const reason = [normal.reason, ...(counted ? [allOf(counted)] : failures)].join('; ')
  return { at: normal.at, reason, asksArchives: false }
}

const someOf = ({ present, expected, by }: Counted): string => `${present} of ${expected} instances that ${by}`
const allOf = ({ expected, by }: Counted): string =>
  expected === 1 ? `the one instance that ${by} is here` : `all ${expected} instances that ${by} are here`

interface Moment {
  at: number
  reason: string
}

function whenQuiet(study: Receiving, settings: QuietSettings, override: QuietOverride | null): Moment {
  const quiet = override?.seconds ?? settings.quietSeconds
  const suffix = override === null ? '' : ` (${override.because})`
  const afterLast = after(study.lastInstanceAt, study.listeningSince, {
    seconds: quiet,
    what: 'the last instance',
    suffix,
  })
  // A route that wants another quiet time knows that a release says nothing (one association a series), or cannot wait for it.
  if (study.releasedAt === null || override !== null) return afterLast
  return sooner(afterRelease(study.releasedAt, study, settings), afterLast)
}

/** That nothing more is to come makes a release count, whatever quiet time a route wants; an open association still may bring some. */
function whenEnded(
  study: Receiving,
  settings: QuietSettings,
  override: QuietOverride | null,
  sentence: string,
): Moment {
  const quiet = whenQuiet(study, settings, override)
  if (study.releasedAt === null) return quiet
  const { at, reason } = sooner(afterRelease(study.releasedAt, study, settings), quiet)
  return { at, reason: `${reason}; ${sentence}` }
}

function whenLongest(
  study: Receiving,
  settings: QuietSettings,
  { normal, missing }: { normal: Moment; missing: string },
): Due {
  const seconds = settings.longestSeconds ?? defaultLongestSeconds
  const since = study.lastInstanceAt >= study.listeningSince ? 'the last instance' : 'the node started'
  const at = Math.max(study.lastInstanceAt, study.listeningSince) + seconds * 1000
  if (at < normal.at) return { at: normal.at, reason: `${normal.reason}; ${missing}`, asksArchives: false }
  return { at, reason: `${seconds} s after ${since}: ${missing}`, asksArchives: false }
}

const sooner = (a: Moment, b: Moment): Moment => (a.at < b.at ? a : b)

function afterRelease(releasedAt: number, { listeningSince }: Receiving, { releaseSeconds }: QuietSettings): Moment {
  return after(releasedAt, listeningSince, { seconds: releaseSeconds, what: 'association release', suffix: '' })
}

function after(
  event: number,
  listeningSince: number,
  { seconds, what, suffix }: { seconds: number; what: string; suffix: string },
): Moment {
  const since = event >= listeningSince ? what : 'the node started'
  return { at: Math.max(event, listeningSince) + seconds * 1000, reason: `quiet ${seconds} s after ${since}${suffix}` }
}
