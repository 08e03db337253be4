import { type ASTNode, serialize } from '@marcbachmann/cel-js'

/** What an expression reads, found by walking its syntax tree. */
export interface Reads {
  /** Dotted paths from `study` or `series`, in the order of the text: `series.Modality`, `study.series.Modality`. */
  paths: string[]
  /** A missing element decides the whole expression: it has no `has()`, alternative, macro or optional access. */
  strict: boolean
  /** The pattern arguments of `matches`. */
  patterns: ASTNode[]
}

const strictOperators = new Set(['value', 'id', '.', '[]', 'list', '==', '!=', 'in', '+', '-', '*', '/', '%'])
for (const operator of ['<', '<=', '>', '>=', '!_', '-_', '&&']) strictOperators.add(operator)
/** Calls that evaluate all of their arguments. */
const strictCalls = new Set([
  'days',
  'years',
  'size',
  'double',
  'int',
  'string',
  'startsWith',
  'endsWith',
  'contains',
  'matches',
])
const iterating = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])

const roots = new Set(['study', 'series', 'today'])

/** Macro variables to the path of the list that they run over, or null where that is no fact. */
type Variables = ReadonlyMap<string, string | null>

/** The paths that an expression reads, also inside `exists`, `all`, `map`, `filter` and `cel.bind`. */
export function readsOf(ast: ASTNode): Reads {
  const paths = new Set<string>()
  const patterns: ASTNode[] = []
  let strict = true

  const visitAll = (nodes: readonly ASTNode[], variables: Variables): void => {
    for (const node of nodes) visit(node, variables)
  }

  const visit = (node: ASTNode, variables: Variables): void => {
    if (
      node.op === 'call'
        ? !strictCalls.has(node.args[0])
        : node.op === 'rcall'
          ? !strictCalls.has(node.args[0])
          : !strictOperators.has(node.op)
    ) {
      strict = false
    }
    const path = pathOf(node, variables)
    if (path !== null) {
      if (path.includes('.') || path === 'today') paths.add(path)
      return visitIndexes(node, variables)
    }
    switch (node.op) {
      case 'value':
      case 'id':
        return
      case '.':
      case '.?':
        return visit(node.args[0], variables)
      case '!_':
      case '-_':
        return visit(node.args, variables)
      case 'list':
        return visitAll(node.args, variables)
      case 'map':
        return visitAll(node.args.flat(), variables)
      case 'call':
        return visitAll(node.args[1], variables)
      case 'rcall':
        return visitMethod(node.args, variables)
      default:
        return visitAll(node.args, variables)
    }
  }

  /** A path may carry indexes that are expressions themselves. */
  const visitIndexes = (node: ASTNode, variables: Variables): void => {
    if (node.op === '[]' || node.op === '[?]') visit(node.args[1], variables)
    if (node.op === '[]' || node.op === '[?]' || node.op === '.' || node.op === '.?')
      visitIndexes(node.args[0], variables)
  }

  const visitMethod = ([method, receiver, args]: [string, ASTNode, ASTNode[]], variables: Variables): void => {
    if (method === 'matches' && args[0]) patterns.push(args[0])
    visit(receiver, variables)
    const [first, ...rest] = args
    if (first?.op !== 'id') return visitAll(args, variables)
    if (iterating.has(method)) return visitAll(rest, new Map(variables).set(first.args, pathOf(receiver, variables)))
    const [bound, body] = rest
    if (method === 'bind' && receiver.op === 'id' && receiver.args === 'cel' && bound && body) {
      visit(bound, variables)
      return visit(body, new Map(variables).set(first.args, pathOf(bound, variables)))
    }
    visitAll(args, variables)
  }

  visit(ast, new Map())
  return { paths: [...paths], strict, patterns }
}

/** The path that a node denotes: a fact's root, a macro variable over a fact, or a member or element of one. */
function pathOf(node: ASTNode, variables: Variables): string | null {
  switch (node.op) {
    case 'id': {
      const variable = variables.get(node.args)
      if (variable !== undefined) return variable
      return roots.has(node.args) ? node.args : null
    }
    case '.':
    case '.?': {
      const base = pathOf(node.args[0], variables)
      return base === null ? null : `${base}.${node.args[1]}`
    }
    case '[]':
    case '[?]': {
      const base = pathOf(node.args[0], variables)
      const index = node.args[1]
      if (base === null) return null
      return index.op === 'value' && typeof index.args === 'string' ? `${base}.${index.args}` : base
    }
    default:
      return null
  }
}

/** The terms of the outermost `&&` chain: the expression is true exactly when each of them is. */
export function conjunctsOf(ast: ASTNode, parses: (text: string) => ASTNode | null): string[] {
  if (ast.op === '&&') return ast.args.flatMap((side) => conjunctsOf(side, parses))
  return [writtenOf(ast, parses)]
}

function writtenOf(ast: ASTNode, parses: (text: string) => ASTNode | null): string {
  const written = ast.input.slice(ast.start, ast.end)
  const parsed = parses(written)
  // A node's range leaves out parentheses at its edges; where that changes the meaning, it is written anew.
  return parsed && serialize(parsed) === serialize(ast) ? written : serialize(ast)
}

/** A condition and what it is made of; a `term` has no members. */
export interface ConditionPart {
  kind: 'and' | 'or' | 'not' | 'term'
  text: string
  members: ConditionPart[]
}

/** The tree of `&&`, `||` and `!` down to the terms; chains of one operator are one node. */
export function partsOf(ast: ASTNode, parses: (text: string) => ASTNode | null): ConditionPart {
  const text = writtenOf(ast, parses)
  const operands = (node: ASTNode, op: '&&' | '||'): ASTNode[] =>
    node.op === op ? node.args.flatMap((side) => operands(side, op)) : [node]
  const all = (nodes: readonly ASTNode[]) => nodes.map((node) => partsOf(node, parses))
  if (ast.op === '&&') return { kind: 'and', text, members: all(operands(ast, '&&')) }
  if (ast.op === '||') return { kind: 'or', text, members: all(operands(ast, '||')) }
  if (ast.op === '!_') return { kind: 'not', text, members: all([ast.args]) }
  return { kind: 'term', text, members: [] }
}
