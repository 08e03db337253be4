import type { Operator } from './model.ts'

/** What the builder has to know of a field to offer its operators. */
export interface FieldType {
  /** PS3.5 6.2; of a computed field that of a like element: DS for numbers, CS for texts. */
  vr: string
  /** The element may have several values: it is then always a list. */
  list: boolean
}

/** An operator as the builder names it, and the values that it takes. */
export interface OperatorChoice {
  operator: Operator
  label: string
  /** How many values: `many` is one or more. */
  values: 0 | 1 | 2 | 'many'
  /** `own`: as the field's values are written; `number`: a number of days or years. */
  of: 'own' | 'number' | 'text'
}

const numeric = new Set(['DS', 'IS', 'FL', 'FD', 'SL', 'SS', 'UL', 'US', 'SV', 'UV'])

const presence: OperatorChoice[] = [
  { operator: 'exists', label: 'has a value', values: 0, of: 'own' },
  { operator: 'is-empty', label: 'is empty', values: 0, of: 'own' },
]
const identity: OperatorChoice[] = [
  { operator: 'equals', label: 'is', values: 1, of: 'own' },
  { operator: 'not-equals', label: 'is not', values: 1, of: 'own' },
  { operator: 'one-of', label: 'is one of', values: 'many', of: 'own' },
  { operator: 'not-one-of', label: 'is none of', values: 'many', of: 'own' },
]
const order: OperatorChoice[] = [
  { operator: 'greater', label: 'greater than', values: 1, of: 'own' },
  { operator: 'at-least', label: 'at least', values: 1, of: 'own' },
  { operator: 'less', label: 'less than', values: 1, of: 'own' },
  { operator: 'at-most', label: 'at most', values: 1, of: 'own' },
  { operator: 'between', label: 'between', values: 2, of: 'own' },
]
const text: OperatorChoice[] = [
  { operator: 'contains', label: 'contains', values: 1, of: 'text' },
  { operator: 'starts-with', label: 'starts with', values: 1, of: 'text' },
  { operator: 'ends-with', label: 'ends with', values: 1, of: 'text' },
  { operator: 'matches', label: 'matches the pattern', values: 1, of: 'text' },
]
const members: OperatorChoice[] = [
  { operator: 'includes', label: 'includes', values: 1, of: 'own' },
  { operator: 'excludes', label: 'does not include', values: 1, of: 'own' },
]
const dates: OperatorChoice[] = [
  { operator: 'within-days', label: 'within the last … days', values: 1, of: 'number' },
  { operator: 'older-than-days', label: 'more than … days ago', values: 1, of: 'number' },
]
const later: Partial<Record<Operator, string>> = {
  greater: 'after',
  'at-least': 'on or after',
  less: 'before',
  'at-most': 'on or before',
}
const ages: OperatorChoice[] = [
  { operator: 'years-at-least', label: 'at least … years', values: 1, of: 'number' },
  { operator: 'years-below', label: 'under … years', values: 1, of: 'number' },
]

/** The operators that the builder offers for a field, the likeliest first. */
export function operatorsFor({ vr, list }: FieldType): OperatorChoice[] {
  if (list) return [...members, ...presence]
  if (numeric.has(vr)) return [...order, ...identity, ...presence]
  switch (vr) {
    case 'DA':
      return [
        ...dates,
        ...order.map((one) => ({ ...one, label: later[one.operator] ?? one.label })),
        ...identity,
        ...presence,
      ]
    case 'TM':
    case 'DT':
      return [...order.map((one) => ({ ...one, label: later[one.operator] ?? one.label })), ...identity, ...presence]
    case 'AS':
      return [...ages, ...identity, ...presence]
    case 'UI':
    case 'CS':
      return [...identity, ...text, ...presence]
    case 'SQ':
    case 'OB':
    case 'OW':
    case 'UN':
      return presence
    default:
      return [...identity, ...text, ...presence]
  }
}
