import { number, quantity } from '../../words.ts'

/** SNOMED CT codes of the anatomy that the pipelines here speak of. */
const sites: Readonly<Record<string, string>> = {
  'SCT:3341006': 'right lung',
  'SCT:44029006': 'left lung',
  'SCT:39607008': 'lung',
  'SCT:74101002': 'lungs',
  'SCT:45653009': 'right upper lobe',
  'SCT:72481006': 'right middle lobe',
  'SCT:90572001': 'right lower lobe',
  'SCT:44714003': 'left upper lobe',
  'SCT:41224006': 'left lower lobe',
}

/** A place of the body; nothing where a finding speaks of the whole input. */
export function siteName(site: string | null): string {
  return site === null ? '' : (sites[site] ?? site)
}

export const dimensionWords: Readonly<Record<string, string>> = {
  age: 'Age',
  sex: 'Sex',
  modality: 'Modality',
  scanner: 'Scanner',
  bodyPart: 'Body part',
  hour: 'Hour of the day',
  weekday: 'Day of the week',
  pipeline: 'Pipeline',
  version: 'Version',
  route: 'Route',
}

/** A value with its unit, or a dash. */
export function valueOf(value: number | null | undefined, unit: string): string {
  return value === null || value === undefined ? '–' : quantity(value, unit)
}

/** `87 % (79–92)`: a rate with Wilson's interval. */
export function rateOf(rate: { rate: number; low: number; high: number } | null): string {
  if (rate === null) return '–'
  const percent = (part: number) => number(part * 100)
  return `${percent(rate.rate)} % (${percent(rate.low)}–${percent(rate.high)})`
}

/** As few digits as tell numbers of an axis apart. */
export function axisNumber(value: number): string {
  const size = Math.abs(value)
  return number(value, size >= 100 || size === 0 ? 0 : size >= 1 ? 1 : 3).replace('-', '−')
}

/** `Volume (SCT:44029006)` as `Volume, left lung`. */
export function withoutCodes(label: string): string {
  return label.replace(/ \((\w+:[\w.-]+)\)/, (_, site: string) => `, ${siteName(site)}`)
}
