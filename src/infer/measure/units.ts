import { FinishError } from '../finish/error.ts'

/** Units of one dimension: what one of each is in the first. */
const dimensions: readonly Readonly<Record<string, number>>[] = [
  { mm: 1, cm: 10, m: 1000, um: 1e-3 },
  { mm2: 1, cm2: 100, m2: 1e6 },
  { mm3: 1, uL: 1, cm3: 1e3, mL: 1e3, dm3: 1e6, L: 1e6 },
  { d: 1, wk: 7, mo: 30.4375, a: 365.25 },
  { '%': 1, '1': 100 },
  { mg: 1, g: 1e3, kg: 1e6 },
]

/**
 * What one unit is in another (UCUM): a value in `from` divided by it is the value in `to`.
 * @throws {FinishError} `wrong-value` where they are not of one dimension, or not known
 */
export function unitRatio(from: string, to: string): number {
  if (from === to) return 1
  const dimension = dimensions.find((units) => from in units)
  const [one, other] = [dimension?.[from], dimension?.[to]]
  if (one === undefined || other === undefined)
    throw new FinishError(
      'wrong-value',
      `the unit ${to} cannot be given for what is measured in ${from}${dimension ? `: ${Object.keys(dimension).join(', ')} can` : ''}`,
    )
  return other / one
}

/** A value in the unit that is asked for. */
export function inUnit(value: number, from: string, to: string | undefined): { value: number; unit: string } {
  const unit = to ?? from
  return { value: value / unitRatio(from, unit), unit }
}

/** A part of 1 as it is, or in % where that is asked for. */
export function asPart(value: number, unit = '1'): { value: number; unit: string } {
  return unit === '1' ? { value, unit } : inUnit(100 * value, '%', unit)
}
