/** A span of time that something took, or a moment where both ends are the same. ms since the epoch. */
export interface Span {
  from: number
  to: number
}

/** A pause in which nothing happened, which the picture cuts short. */
export interface Break {
  /** Places of its ends, 0 to 1. */
  from: number
  to: number
  /** How long it really was. */
  ms: number
}

export interface TimeScale {
  /** The place of a moment, 0 to 1. */
  place(at: number): number
  breaks: Break[]
  ticks: { place: number; at: number }[]
}

/** Part of the picture's width that a pause has, however long it was. */
const breakWidth = 0.05

/**
 * Where moments stand in a picture that shows seconds of work and days between them: as long as something happens, to scale; pauses that
 * are longer than a quarter of all that happened are cut short.
 */
export function timeScale(spans: readonly Span[]): TimeScale {
  const busy = joined(spans)
  const first = busy[0]?.from ?? 0
  const last = busy.at(-1)?.to ?? 0
  const worked = busy.reduce((sum, { from, to }) => sum + to - from, 0)
  const longest = Math.max(worked / 4, 2000)
  const pauses = busy.slice(1).map(({ from }, index) => ({ from: busy[index]?.to ?? from, to: from }))
  const cut = pauses.filter(({ from, to }) => to - from > longest)
  const shown = Math.max(1, last - first - cut.reduce((sum, { from, to }) => sum + to - from, 0))
  const scale = (1 - Math.min(0.6, cut.length * breakWidth)) / shown
  const width = cut.length === 0 ? 0 : Math.min(breakWidth, 0.6 / cut.length)
  const place = (at: number) => {
    let x = (Math.min(Math.max(at, first), last) - first) * scale
    for (const { from, to } of cut) {
      if (at <= from) break
      const inside = Math.min(at, to) - from
      x += (inside / (to - from)) * width - inside * scale
    }
    return Math.min(1, Math.max(0, x))
  }
  const breaks = cut.map(({ from, to }) => ({ from: place(from), to: place(to), ms: to - from }))
  return { place, breaks, ticks: ticksOf(first, last, place, breaks) }
}

/** Spans that touch or overlap, as one, in order. */
function joined(spans: readonly Span[]): Span[] {
  const found: Span[] = []
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const before = found.at(-1)
    if (before && from <= before.to) before.to = Math.max(before.to, to)
    else found.push({ from, to })
  }
  return found
}

/** Round moments, not too near to each other and not in a pause. */
function ticksOf(first: number, last: number, place: (at: number) => number, breaks: readonly Break[]) {
  const steps = [
    100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
  ]
  const shown = last - first - breaks.reduce((sum, { ms }) => sum + ms, 0)
  const step = steps.find((one) => shown / one <= 7) ?? Math.max(3_600_000, shown / 7)
  const ticks: { place: number; at: number }[] = []
  let before = -1
  // A pause of days has as many steps: they are passed over, as they all stand at one place.
  for (let at = first, count = 0; at <= last && count < 5000; at += step, count++) {
    const x = place(at)
    if (x - before < 0.08 || breaks.some((one) => x > one.from - 0.01 && x < one.to + 0.01)) continue
    ticks.push({ place: x, at })
    before = x
  }
  return ticks
}
