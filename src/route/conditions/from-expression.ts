import { type ASTNode, parse } from '@marcbachmann/cel-js'
import { type Condition, type ConditionGroup, type ConditionValue, fieldPattern, type Operator } from './model.ts'

/**
 * What the builder shows for a CEL text; the empty text is a group without conditions. Only the form is looked at: whether keywords are
 * known and operands fit is what validation says.
 * @returns null for a text that the builder cannot show, and for one that is no CEL: it is then edited as text
 */
export function fromExpression(text: string): ConditionGroup | null {
  if (text.trim() === '') return { kind: 'group', match: 'all', members: [] }
  let ast: ASTNode
  try {
    ast = parse(text).ast
  } catch {
    return null
  }
  const condition = conditionOf(ast, 'series')
  if (!condition) return null
  return condition.kind === 'group' ? condition : { kind: 'group', match: 'all', members: [condition] }
}

/** @param root what `series` is called */
function conditionOf(node: ASTNode, root: string): Condition | null {
  switch (node.op) {
    case '&&':
      return groupOf('all', operandsOf(node, '&&'), root)
    case '||':
      return groupOf('any', operandsOf(node, '||'), root)
    case '!_':
      return negationOf(node.args, root)
    case 'call':
      return existenceOf(node, root)
    case 'rcall':
      return seriesOf(node, root) ?? methodOf(node, root)
    case 'in':
      return membershipOf(node.args, root)
    default:
      return comparisonOf(node, root)
  }
}

function operandsOf(node: ASTNode, op: '&&' | '||'): ASTNode[] {
  return node.op === op ? node.args.flatMap((side) => operandsOf(side, op)) : [node]
}

function groupOf(match: 'all' | 'any', operands: readonly ASTNode[], root: string): Condition | null {
  const conditions = operands.map((operand) => conditionOf(operand, root))
  if (conditions.includes(null)) return null
  const found = conditions as Condition[]
  const members = match === 'all' ? withRanges(found) : found
  const [only] = members
  return members.length === 1 && only ? only : { kind: 'group', match, members }
}

/** `f >= a && f <= b` side by side is one line of the builder. */
function withRanges(members: readonly Condition[]): Condition[] {
  const joined: Condition[] = []
  for (const member of members) {
    const before = joined.at(-1)
    const isRange =
      before?.kind === 'field' &&
      member.kind === 'field' &&
      before.field === member.field &&
      before.operator === 'at-least' &&
      member.operator === 'at-most'
    if (isRange)
      joined[joined.length - 1] = { ...before, operator: 'between', values: [...before.values, ...member.values] }
    else joined.push(member)
  }
  return joined
}

const negations: Partial<Record<Operator, Operator>> = {
  exists: 'is-empty',
  'one-of': 'not-one-of',
  includes: 'excludes',
}

function negationOf(node: ASTNode, root: string): Condition | null {
  const condition = conditionOf(node, root)
  if (!condition) return null
  if (condition.kind === 'field') {
    const operator = negations[condition.operator]
    if (operator) return { ...condition, operator }
  }
  if (condition.kind === 'series' && condition.quantifier === 'some') return { ...condition, quantifier: 'no' }
  const members = condition.kind === 'group' && condition.match === 'any' ? condition.members : [condition]
  return { kind: 'group', match: 'none', members }
}

function existenceOf(node: ASTNode, root: string): Condition | null {
  if (node.op !== 'call') return null
  const [name, [argument, ...more]] = node.args
  const field = argument && fieldOf(argument, root)
  return name === 'has' && field && more.length === 0 ? { kind: 'field', field, operator: 'exists', values: [] } : null
}

const methods: Record<string, Operator> = {
  contains: 'contains',
  startsWith: 'starts-with',
  endsWith: 'ends-with',
  matches: 'matches',
}

function methodOf(node: ASTNode, root: string): Condition | null {
  if (node.op !== 'rcall') return null
  const [name, receiver, [argument, ...more]] = node.args
  const operator = Object.hasOwn(methods, name) ? methods[name] : undefined
  const field = fieldOf(receiver, root)
  const value = argument && literalOf(argument)
  if (!operator || !field || typeof value !== 'string' || more.length > 0) return null
  return { kind: 'field', field, operator, values: [value] }
}

/** `study.series.exists(s, …)` and `.all`; what is inside speaks of that series alone. */
function seriesOf(node: ASTNode, root: string): Condition | null {
  if (node.op !== 'rcall' || root !== 'series') return null
  const [name, receiver, [variable, body, ...more]] = node.args
  if (fieldOf(receiver, root) !== 'study.series' || variable?.op !== 'id' || !body || more.length > 0) return null
  if (name !== 'exists' && name !== 'all') return null
  // Another name than the one that is written would change the text.
  if (variable.args !== 's') return null
  const inner = conditionOf(body, 's')
  if (!inner) return null
  const where: ConditionGroup = inner.kind === 'group' ? inner : { kind: 'group', match: 'all', members: [inner] }
  return { kind: 'series', quantifier: name === 'all' ? 'every' : 'some', where }
}

function membershipOf([left, right]: [ASTNode, ASTNode], root: string): Condition | null {
  const field = fieldOf(left, root)
  if (field && right.op === 'list') {
    const values = right.args.map(literalOf)
    return values.includes(null)
      ? null
      : { kind: 'field', field, operator: 'one-of', values: values as ConditionValue[] }
  }
  const list = fieldOf(right, root)
  const value = literalOf(left)
  return list && value !== null ? { kind: 'field', field: list, operator: 'includes', values: [value] } : null
}

const comparisons: Record<string, Operator> = {
  '==': 'equals',
  '!=': 'not-equals',
  '>': 'greater',
  '>=': 'at-least',
  '<': 'less',
  '<=': 'at-most',
}

function comparisonOf(node: ASTNode, root: string): Condition | null {
  const operator = Object.hasOwn(comparisons, node.op) ? comparisons[node.op] : undefined
  if (!operator) return null
  const [left, right] = node.args as [ASTNode, ASTNode]
  const value = literalOf(right)
  if (value === null) return null
  if (left.op === 'call') return computedOf(left, node.op, value, root)
  const field = fieldOf(left, root)
  return field ? { kind: 'field', field, operator, values: [value] } : null
}

/** `days(field, today) <= 30` and `years(field) >= 65`. */
function computedOf(call: ASTNode, op: string, value: ConditionValue, root: string): Condition | null {
  if (call.op !== 'call') return null
  const [name, [first, second, ...more]] = call.args
  const field = first && fieldOf(first, root)
  if (!field || more.length > 0 || typeof value !== 'number') return null
  const line = (operator: Operator): Condition => ({ kind: 'field', field, operator, values: [value] })
  if (name === 'days' && second?.op === 'id' && second.args === 'today')
    return op === '<=' ? line('within-days') : op === '>' ? line('older-than-days') : null
  if (name === 'years' && !second) return op === '>=' ? line('years-at-least') : op === '<' ? line('years-below') : null
  return null
}

/** The field that a node denotes, under the name that the model gives it; null where it is none. */
function fieldOf(node: ASTNode, root: string): string | null {
  const path = pathOf(node, root)
  return path !== null && fieldPattern.test(path) ? path : null
}

function pathOf(node: ASTNode, root: string): string | null {
  if (node.op === 'id') return node.args === 'study' ? 'study' : node.args === root ? 'series' : null
  if (node.op === '.') {
    const base = pathOf(node.args[0], root)
    return base === null ? null : `${base}.${node.args[1]}`
  }
  if (node.op === '[]') {
    const base = pathOf(node.args[0], root)
    const index = literalOf(node.args[1])
    return base === null || typeof index !== 'number' ? null : `${base}[${index}]`
  }
  return null
}

function literalOf(node: ASTNode): ConditionValue | null {
  if (node.op === '-_') {
    const value = literalOf(node.args)
    return typeof value === 'number' ? -value : null
  }
  if (node.op !== 'value') return null
  const { args } = node
  if (typeof args === 'string') return args
  // Integers that a number cannot hold would come back as others.
  if (typeof args === 'bigint') return Number.isSafeInteger(Number(args)) ? Number(args) : null
  return typeof args === 'number' ? args : null
}
