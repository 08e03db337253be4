/** Seconds that a study has to be quiet. */
export interface QuietSettings {
  /** After the last instance. */
  quietSeconds: number
  /** After the release of the last association that brought instances, where that is sooner. */
  releaseSeconds: number
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

/** When a study counts as complete, in milliseconds, and the reason why. */
export interface Due {
  at: number
  reason: string
}

/** Decides when a study counts as complete, if nothing more arrives. */
export function completionDue(study: Receiving, settings: QuietSettings, override: QuietOverride | null): Due {
  const quiet = override?.seconds ?? settings.quietSeconds
  const suffix = override === null ? '' : ` (${override.because})`
  const afterLast = after(study.lastInstanceAt, study.listeningSince, {
    seconds: quiet,
    what: 'the last instance',
    suffix,
  })
  // A route that wants another quiet time knows that a release says nothing (one association a series), or cannot wait for it.
  if (study.releasedAt === null || override !== null) return afterLast
  const seconds = settings.releaseSeconds
  const afterRelease = after(study.releasedAt, study.listeningSince, { seconds, what: 'association release', suffix })
  return afterRelease.at < afterLast.at ? afterRelease : afterLast
}

function after(
  event: number,
  listeningSince: number,
  { seconds, what, suffix }: { seconds: number; what: string; suffix: string },
): Due {
  const since = event >= listeningSince ? what : 'the node started'
  return { at: Math.max(event, listeningSince) + seconds * 1000, reason: `quiet ${seconds} s after ${since}${suffix}` }
}
