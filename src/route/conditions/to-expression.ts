import {
  type Condition,
  type ConditionGroup,
  type ConditionValue,
  type FieldCondition,
  fieldPattern,
  type SeriesCondition,
} from './model.ts'

/** How tightly a text binds: what is put into another text gets parentheses where it binds less. */
type Binding = 'or' | 'and' | 'relation' | 'unary'

interface Written {
  text: string
  binding: Binding
}

/**
 * The CEL text of what the builder shows. Groups without members are left out; the text of a group without any condition is empty. What
 * `fromExpression` makes of the text gives the same text again.
 * @throws RangeError for a field, a number of values or a value that no line of the builder can have
 */
export function toExpression(group: ConditionGroup): string {
  return write(group, 'series')?.text ?? ''
}

/** @param root what `series` is called: inside `study.series.exists(s, …)` it is `s` */
function write(condition: Condition, root: string): Written | null {
  switch (condition.kind) {
    case 'field':
      return writeField(condition, root)
    case 'series':
      return writeSeries(condition)
    case 'group':
      return writeGroup(condition, root)
  }
}

function writeGroup({ match, members }: ConditionGroup, root: string): Written | null {
  const written = members.map((member) => write(member, root)).filter((one) => one !== null)
  const joined = join(written, match === 'all' ? 'and' : 'or')
  return match === 'none' && joined ? negated(joined) : joined
}

function join(parts: readonly Written[], binding: 'and' | 'or'): Written | null {
  const [only] = parts
  if (parts.length <= 1) return only ?? null
  // The same operator needs no parentheses: a && (b && c) is a && b && c.
  const texts = parts.map((part) => {
    const bare = part.binding === binding || part.binding === 'relation' || part.binding === 'unary'
    return bare ? part.text : `(${part.text})`
  })
  return { text: texts.join(binding === 'and' ? ' && ' : ' || '), binding }
}

function negated({ text, binding }: Written): Written {
  return { text: binding === 'unary' ? `!${text}` : `!(${text})`, binding: 'unary' }
}

function writeSeries({ quantifier, where }: SeriesCondition): Written | null {
  const inner = write(where, 's')
  if (!inner) return null
  const text = `study.series.${quantifier === 'every' ? 'all' : 'exists'}(s, ${inner.text})`
  return { text: quantifier === 'no' ? `!${text}` : text, binding: 'unary' }
}

const comparisons: Partial<Record<FieldCondition['operator'], string>> = {
  equals: '==',
  'not-equals': '!=',
  greater: '>',
  'at-least': '>=',
  less: '<',
  'at-most': '<=',
}
const methods: Partial<Record<FieldCondition['operator'], string>> = {
  contains: 'contains',
  'starts-with': 'startsWith',
  'ends-with': 'endsWith',
  matches: 'matches',
}

function writeField(condition: FieldCondition, root: string): Written {
  const { operator, values } = condition
  const field = fieldOf(condition, root)
  const relation = (text: string): Written => ({ text, binding: 'relation' })
  const one = () => literal(single(condition))
  switch (operator) {
    // CEL's has() takes no index.
    case 'exists':
    case 'is-empty':
      if (field.endsWith(']'))
        throw new RangeError(`${condition.field}: whether it has a value is asked of the whole element`)
      return { text: `${operator === 'is-empty' ? '!' : ''}has(${field})`, binding: 'unary' }
    case 'one-of':
      return relation(`${field} in ${listOf(condition)}`)
    case 'not-one-of':
      return negated(relation(`${field} in ${listOf(condition)}`))
    case 'includes':
      return relation(`${one()} in ${field}`)
    case 'excludes':
      return negated(relation(`${one()} in ${field}`))
    case 'within-days':
      return relation(`days(${field}, today) <= ${one()}`)
    case 'older-than-days':
      return relation(`days(${field}, today) > ${one()}`)
    case 'years-at-least':
      return relation(`years(${field}) >= ${one()}`)
    case 'years-below':
      return relation(`years(${field}) < ${one()}`)
    case 'between': {
      const [low, high, ...more] = values
      if (low === undefined || high === undefined || more.length > 0)
        throw new RangeError(`${condition.field} between: two values are expected`)
      return { text: `${field} >= ${literal(low)} && ${field} <= ${literal(high)}`, binding: 'and' }
    }
    default: {
      const method = methods[operator]
      if (method === undefined) return relation(`${field} ${comparisons[operator]} ${one()}`)
      return { text: `${field}.${method}(${one()})`, binding: 'unary' }
    }
  }
}

function fieldOf({ field }: FieldCondition, root: string): string {
  if (!fieldPattern.test(field))
    throw new RangeError(`"${field}" is no field: study.Keyword or series.Keyword is expected`)
  return field.startsWith('series') ? root + field.slice('series'.length) : field
}

function single({ field, operator, values }: FieldCondition): ConditionValue {
  const [value, ...more] = values
  if (value === undefined || more.length > 0) throw new RangeError(`${field} ${operator}: one value is expected`)
  return value
}

/** Numbers of a list are all of one type in CEL: integers beside others are written as those. */
function listOf({ field, operator, values }: FieldCondition): string {
  if (values.length === 0) throw new RangeError(`${field} ${operator}: one value or more is expected`)
  const doubles = values.some((value) => typeof value === 'number' && !Number.isSafeInteger(value))
  const texts = values.map((value) => `${literal(value)}${doubles && Number.isSafeInteger(value) ? '.0' : ''}`)
  return `[${texts.join(', ')}]`
}

function literal(value: ConditionValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (!Number.isFinite(value)) throw new RangeError('a number is expected')
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential()
  return Object.is(value, -0) ? '0' : String(value)
}
