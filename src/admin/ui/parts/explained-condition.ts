import type { ExplainedCondition } from '../api/schema.ts'
import type { Explained, Verdict } from './explanation.tsx'

const verdicts: Readonly<Record<ExplainedCondition['verdict'], Verdict>> = {
  true: 'holds',
  false: 'fails',
  'not-decided': 'unknown',
  error: 'unknown',
}
const groups = { and: 'all of these', or: 'at least one of these', not: 'not this' } as const

/** A condition as the API explains it, for `Explanation`. */
export function explainedOf({ kind, text, verdict, values, error, members }: ExplainedCondition): Explained {
  return {
    text: kind === 'term' || members.length === 0 ? text : groups[kind],
    verdict: verdicts[verdict],
    values: values.map(({ path, value }) => ({ name: path, value })),
    reason: error ?? (verdict === 'not-decided' && kind === 'term' ? 'a value is missing, so it does not hold' : null),
    members: members.map(explainedOf),
  }
}
