import type { Operator } from '../../../../route/conditions/model.ts'
import { operatorsFor } from '../../../../route/conditions/operators.ts'

const words = new Map(
  ['CS', 'DS', 'DA', 'AS', 'SQ']
    .flatMap((vr) => [...operatorsFor({ vr, list: false }), ...operatorsFor({ vr, list: true })])
    .map(({ operator, label }) => [operator, label] as const)
    .reverse(),
)

/** What an operator is called where nothing is known of its field. */
export function operatorWords(operator: Operator): string {
  return words.get(operator) ?? operator
}
