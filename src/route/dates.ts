/**
 * Whole days from one date to another, negative where the second is earlier. Dates as DA writes them (PS3.5 6.2), also in the form with
 * dots of ACR-NEMA.
 * @throws RangeError for a text that is no date; without the text, which may be a birth date
 */
export function daysBetween(from: string, to: string): number {
  return Math.round((instantOf(to) - instantOf(from)) / 86_400_000)
}

function instantOf(date: string): number {
  const [, year, month, day] = /^(\d{4})\.?(\d\d)\.?(\d\d)$/.exec(date.trim()) ?? []
  const instant = Date.UTC(Number(year), Number(month) - 1, Number(day))
  // Date.UTC takes 20260231 for the third of March.
  if (!Number.isFinite(instant) || new Date(instant).getUTCDate() !== Number(day))
    throw new RangeError('days() takes two dates, such as study.StudyDate and today')
  return instant
}

const unitsInYear = { D: 365.25, W: 52.18, M: 12, Y: 1 } as const

/**
 * An age as AS writes it (PS3.5 6.2) in years: `045Y` is 45, `006M` is 0.5.
 * @throws RangeError for a text that is no age
 */
export function yearsOfAge(age: string): number {
  const [, number, unit] = /^(\d{1,3})([DWMY])$/.exec(age.trim()) ?? []
  if (number === undefined || unit === undefined) throw new RangeError('years() takes an age, such as study.PatientAge')
  return Number(number) / unitsInYear[unit as keyof typeof unitsInYear]
}

/** The day of an instant as DA writes it, in the time zone of the machine, in which modalities write their dates too. */
export function dayOf(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  return `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`
}
