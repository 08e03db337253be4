/** One measurement in one study, as two pipelines give it; null where one of them does not. */
export interface Difference {
  name: string
  /** UCUM. */
  unit: string
  code: string
  site: string | null
  studyInstanceUID: string
  a: number | null
  b: number | null
}

/** How far two pipelines agree about a measurement (Bland and Altman): differences are the second's value less the first's. */
export interface Agreement {
  name: string
  unit: string
  code: string
  site: string | null
  studies: number
  meanA: number
  meanB: number
  meanDifference: number
  /** Sample standard deviation of the differences; null for one study. */
  deviation: number | null
  /** Mean difference ± 1.96 standard deviations: 95 % of the differences lie inside where they are normally distributed. */
  limits: { low: number; high: number } | null
  /** The largest difference, without regard to its sign. */
  largest: { studyInstanceUID: string; a: number; b: number }
}

interface Pair {
  studyInstanceUID: string
  a: number
  b: number
}

/**
 * Sums up differences, one row a measurement, in the order in which they come.
 * @param remarks gets a sentence for what only one of the pipelines measures
 */
export function agreementOf(differences: readonly Difference[], remarks: string[]): Agreement[] {
  const groups = grouped(differences, ({ name, unit, code, site }) => JSON.stringify([name, unit, code, site]))
  return [...groups.values()].flatMap((of) => {
    const [first] = of
    if (!first) return []
    const pairs = of.flatMap(({ studyInstanceUID, a, b }) =>
      a === null || b === null ? [] : { studyInstanceUID, a, b },
    )
    const onlyA = of.filter(({ b }) => b === null).length
    const onlyB = of.filter(({ a }) => a === null).length
    const what = `${first.name}${first.site === null ? '' : ` (${first.site})`}`
    if (onlyA > 0) remarks.push(`${what}: only the first measures it, in ${onlyA} of ${of.length} studies`)
    if (onlyB > 0) remarks.push(`${what}: only the second measures it, in ${onlyB} of ${of.length} studies`)
    const { name, unit, code, site } = first
    return pairs.length === 0 ? [] : { name, unit, code, site, ...statistics(pairs) }
  })
}

/** Values by their key, in the order in which keys come. */
export function grouped<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group) group.push(value)
    else groups.set(key, [value])
  }
  return groups
}

function statistics(pairs: readonly Pair[]): Omit<Agreement, 'name' | 'unit' | 'code' | 'site'> {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const differences = pairs.map(({ a, b }) => b - a)
  const meanDifference = mean(differences)
  const squares = differences.reduce((sum, value) => sum + (value - meanDifference) ** 2, 0)
  const deviation = pairs.length > 1 ? Math.sqrt(squares / (pairs.length - 1)) : null
  const size = ({ a, b }: Pair): number => Math.abs(b - a)
  return {
    studies: pairs.length,
    meanA: mean(pairs.map(({ a }) => a)),
    meanB: mean(pairs.map(({ b }) => b)),
    meanDifference,
    deviation,
    limits:
      deviation === null ? null : { low: meanDifference - 1.96 * deviation, high: meanDifference + 1.96 * deviation },
    largest: pairs.reduce((worst, one) => (size(one) > size(worst) ? one : worst)),
  }
}
