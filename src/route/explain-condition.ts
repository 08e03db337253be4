import { compileExpression, partsOfCondition, type Truth } from './expression.ts'
import type { ConditionPart } from './expression-paths.ts'
import type { Facts } from './facts.ts'
import type { Scope } from './vocabulary.ts'

/** `not-decided`: an element that it needs is missing, so that there is neither true nor false; it counts as not satisfied. */
export type ConditionVerdict = 'true' | 'false' | 'not-decided' | 'error'

/** A condition, or a part of one, with what came of it and the values that it looked at. */
export interface ExplainedCondition {
  kind: 'and' | 'or' | 'not' | 'term'
  text: string
  verdict: ConditionVerdict
  /** Of a term: every path that it reads, null where there is no value. Patient data: for operators, not for logs. */
  values: { path: string; value: unknown }[]
  /** Why there was no truth value, where nothing was missing. */
  error: string | null
  members: ExplainedCondition[]
}

/** Every part of a condition with its verdict; parts that an evaluation would have passed over are looked at too. */
export function explainCondition(text: string, scope: Scope, facts: Facts): ExplainedCondition {
  return explainPart(partsOfCondition(text, scope), scope, facts)
}

function explainPart({ kind, text, members }: ConditionPart, scope: Scope, facts: Facts): ExplainedCondition {
  if (kind === 'term') return explainTerm(text, scope, facts)
  const explained = members.map((member) => explainPart(member, scope, facts))
  const verdicts = explained.map(({ verdict }) => verdict)
  return { kind, text, verdict: combined(kind, verdicts), values: [], error: null, members: explained }
}

function explainTerm(text: string, scope: Scope, facts: Facts): ExplainedCondition {
  const expression = compileExpression(text, scope)
  const { because, error } = expression.evaluate(facts)
  const values = Object.entries(because).map(([path, value]) => ({ path, value }))
  return { kind: 'term', text, verdict: verdictOf(expression.truth(facts)), values, error: error ?? null, members: [] }
}

function verdictOf(truth: Truth): ConditionVerdict {
  return truth === 'missing' ? 'not-decided' : truth
}

/** CEL's logic: one false decides an `&&`, one true an `||`, whatever came of the others. */
function combined(kind: 'and' | 'or' | 'not', verdicts: readonly ConditionVerdict[]): ConditionVerdict {
  if (kind === 'not') {
    const [verdict = 'error'] = verdicts
    return verdict === 'true' ? 'false' : verdict === 'false' ? 'true' : verdict
  }
  const decisive = kind === 'and' ? 'false' : 'true'
  for (const verdict of [decisive, 'error', 'not-decided'] as const) if (verdicts.includes(verdict)) return verdict
  return kind === 'and' ? 'true' : 'false'
}
