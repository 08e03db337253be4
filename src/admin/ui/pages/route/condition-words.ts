import { fromExpression } from '../../../../route/conditions/from-expression.ts'
import type { FieldCondition } from '../../../../route/conditions/model.ts'
import { sopClassName } from '../../parts/dicom-names.ts'
import { nameOfPath } from './field-picker.tsx'
import { operatorWords } from './operator-words.ts'

/** A condition in the words of the builder, `Modality is CT`; one that is no single line stays as CEL. */
export function conditionWords(text: string): string {
  // Inside a condition on the series of the study they are called s.
  const group = fromExpression(text.replaceAll(/(?<![\w."])s\.(?=[A-Z])/g, 'series.'))
  const [only] = group?.members ?? []
  return group?.match === 'all' && group.members.length === 1 && only?.kind === 'field' ? lineWords(only) : text
}

function lineWords({ field, operator, values }: FieldCondition): string {
  const words = values.map((value) => sopClassName(String(value)) ?? (value === '' ? '(empty)' : String(value)))
  const label = operatorWords(operator)
  const name = nameOfPath(field, 'series')
  if (label.includes('…')) return `${name} ${label.replace('…', words[0] ?? '')}`
  return [name, label, operator === 'between' ? words.join(' and ') : words.join(', ')].filter(Boolean).join(' ')
}
