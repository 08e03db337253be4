import type { FoundValue } from './task.ts'

/** Which values of a measurement are critical, as a route says. */
export interface UrgentRule {
  finding: string
  over?: number | undefined
  under?: number | undefined
  /** ACR category of actionable findings; 1 when left out. */
  category?: 1 | 2 | 3 | undefined
}

/** What is critical about findings. */
export interface Urgent {
  /** The most pressing of those that apply. */
  category: 1 | 2 | 3
  /** Which findings, and why; without patient data. */
  sentence: string
}

/** @returns null where no finding is critical */
export function urgentOf(
  findings: readonly Pick<FoundValue, 'name' | 'value' | 'unit'>[],
  rules: readonly UrgentRule[],
): Urgent | null {
  const hits = rules.flatMap((rule) =>
    findings
      .filter(({ name, value }) => name === rule.finding && isBeyond(value, rule))
      .map(({ name, value, unit }) => ({
        category: rule.category ?? 1,
        words: `${name} is ${Number(value.toPrecision(4))} ${unit}, ${limitOf(value, rule)}`,
      })),
  )
  if (hits.length === 0) return null
  const category = hits.reduce<1 | 2 | 3>((least, hit) => (hit.category < least ? hit.category : least), 3)
  return { category, sentence: `critical finding: ${hits.map(({ words }) => words).join('; ')}` }
}

function isBeyond(value: number, { over, under }: UrgentRule): boolean {
  return (over !== undefined && value > over) || (under !== undefined && value < under)
}

function limitOf(value: number, { over, under }: UrgentRule): string {
  return over !== undefined && value > over ? `over ${over}` : `under ${under}`
}
