import { type ASTNode, EvaluationError, type ParseResult } from '@marcbachmann/cel-js'
import { messageOf } from '../errors.ts'
import { describeMistake, ExpressionError, misplacedKeyword, slowPattern } from './expression-error.ts'
import { type ConditionPart, conjunctsOf, partsOf, readsOf } from './expression-paths.ts'
import type { Facts, ItemFacts } from './facts.ts'
import { environmentFor, type Scope } from './vocabulary.ts'

/** One evaluation's answer. An expression that touches a missing element is false, and says what was missing. */
export interface Verdict {
  value: boolean
  /** Every path that the expression reads to its value: null where missing, a list of the distinct ones through a list. */
  because: Record<string, unknown>
  /** Those of the paths that have no value. */
  missing: string[]
  /** Why no truth value came out, when something else than a missing element was the cause. */
  error?: string
}

/** An evaluation's answer without the values. */
export interface Outcome {
  readonly value: boolean
  readonly error?: string
  /** True where a missing element left the expression without a truth value. */
  readonly undecided?: true
}

/** An evaluation as it came out: `missing` and `error` count as false where they decide a whole condition. */
export type Truth = 'true' | 'false' | 'missing' | 'error'

export interface Expression {
  readonly text: string
  readonly paths: readonly string[]
  evaluate(facts: Facts): Verdict
  /** The answer alone, cheaper. */
  test(facts: Facts): Outcome
  /** Whether there was an answer at all, for explanations. */
  truth(facts: Facts): Truth
}

/** Compiled expressions by scope, kind and text: the same definitions are evaluated for every study. */
const compiled = new Map<string, unknown>()
const mostCompiled = 5000

function remembered<T>(key: string, make: () => T): T {
  const known = compiled.get(key) as T | undefined
  if (known !== undefined) return known
  const made = make()
  if (compiled.size >= mostCompiled) compiled.clear()
  compiled.set(key, made)
  return made
}

/**
 * Compiles a condition.
 * @param scope `study`: only `study` is known; `series`: `study` and `series`
 * @throws ExpressionError with line, column and a caret under the mistake: bad syntax, an unknown variable or DICOM
 *   keyword (with the nearest known one), operands of the wrong type, a result that is not a truth value
 */
export function compileExpression(text: string, scope: Scope): Expression {
  return remembered(`${scope} bool ${text}`, () => {
    const { parsed, type } = parse(text, scope)
    if (type !== 'bool' && type !== 'dyn') {
      throw new ExpressionError(
        'not-boolean',
        text,
        { start: 0, end: text.length },
        `is ${article(type)}, not true or false`,
      )
    }
    return conditionOver(text, parsed)
  })
}

/** A number computed from a series, for preferences; null where an element that it needs is missing. */
export type NumberExpression = (facts: Facts) => number | null

/**
 * Compiles an expression that gives a number.
 * @throws ExpressionError as `compileExpression` does
 */
export function compileNumber(text: string, scope: Scope): NumberExpression {
  return remembered(`${scope} number ${text}`, () => {
    const { parsed, type } = parse(text, scope)
    if (!['double', 'int', 'uint', 'dyn'].includes(type)) {
      throw new ExpressionError('not-number', text, { start: 0, end: text.length }, `is ${article(type)}, not a number`)
    }
    return (facts) => {
      try {
        const value: unknown = parsed(facts)
        const number = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN
        return Number.isFinite(number) ? number : null
      } catch {
        return null // a missing element: the series ranks last
      }
    }
  })
}

/** The terms of the outermost `&&` chain as expressions of their own, for saying which of them fails. */
export function termsOf(text: string, scope: Scope): Expression[] {
  return remembered(`${scope} terms ${text}`, () => {
    const { parsed } = parse(text, scope)
    const terms = conjunctsOf(parsed.ast, (part) => parseOrNull(part, scope))
    return terms.map((term) => compileExpression(term, scope))
  })
}

/** What a condition is made of, for explanations; its terms are expressions by themselves. */
export function partsOfCondition(text: string, scope: Scope): ConditionPart {
  return remembered(`${scope} parts ${text}`, () =>
    partsOf(parse(text, scope).parsed.ast, (part) => parseOrNull(part, scope)),
  )
}

function parse(text: string, scope: Scope): { parsed: ParseResult; type: string } {
  try {
    const parsed = environmentFor(scope).parse(text)
    const checked = parsed.check()
    if (!checked.valid) throw checked.error
    const { paths, patterns } = readsOf(parsed.ast)
    const mistake = misplacedKeyword(text, paths) ?? slowPattern(text, patterns)
    if (mistake) throw mistake
    return { parsed, type: checked.type ?? 'dyn' }
  } catch (error) {
    throw describeMistake(error, text, scope)
  }
}

function parseOrNull(text: string, scope: Scope): ASTNode | null {
  try {
    return environmentFor(scope).parse(text).ast
  } catch {
    return null // not an expression by itself; the caller then writes it from its syntax tree
  }
}

function conditionOver(text: string, parsed: ParseResult): Expression {
  const { paths, strict } = readsOf(parsed.ast)
  const steps = paths.map((path) => path.split('.'))
  const run = (facts: Facts): Outcome => {
    try {
      const value: unknown = parsed(facts)
      if (typeof value === 'boolean') return value ? isTrue : isFalse
      return { value: false, error: 'the result is not true or false' }
    } catch (error) {
      const aboutMissing = error instanceof EvaluationError && missingCodes.has(error.code)
      return aboutMissing ? isMissing : { value: false, error: summaryOf(error) }
    }
  }
  return {
    text,
    paths,
    evaluate(facts) {
      const because = Object.fromEntries(paths.map((path, i) => [path, readPath(facts, steps[i] ?? [])]))
      const missing = paths.filter((path) => because[path] === null)
      const { value, error } = run(facts)
      return { value, ...(error !== undefined && { error }), because, missing }
    },
    test(facts) {
      // Without has(), || and the like a missing element decides; to throw and catch in the library would cost far more.
      return strict && steps.some((path) => readPath(facts, path) === null) ? isMissing : run(facts)
    },
    truth(facts) {
      const { value, error, undecided } = this.test(facts)
      return error !== undefined ? 'error' : undecided ? 'missing' : value ? 'true' : 'false'
    },
  }
}

const isTrue: Outcome = Object.freeze({ value: true })
const isFalse: Outcome = Object.freeze({ value: false })
const isMissing: Outcome = Object.freeze({ value: false, undecided: true })
const missingCodes = new Set(['no_such_key', 'index_out_of_bounds'])

function summaryOf(error: unknown): string {
  return error instanceof EvaluationError ? error.summary : messageOf(error)
}

/** The value at a path; through lists of items or series the distinct values, one alone by itself; null when missing. */
export function readPath(facts: Facts, steps: readonly string[]): unknown {
  let value: unknown = facts
  for (const [i, step] of steps.entries()) {
    if (Array.isArray(value)) return readThroughLists(value, steps.slice(i))
    value = typeof value === 'object' && value !== null ? (value as ItemFacts)[step] : undefined
  }
  return value === undefined ? null : plain(value)
}

function readThroughLists(list: readonly unknown[], steps: readonly string[]): unknown {
  let values = list
  for (const step of steps) {
    values = values
      .flat()
      .map((value) => (typeof value === 'object' && value !== null ? (value as ItemFacts)[step] : undefined))
      .filter((value) => value !== undefined)
  }
  const found = distinct(values.flat().map(plain))
  return found.length === 0 ? null : found.length === 1 ? found[0] : found
}

/** The distinct values (lists by what is in them), in order of appearance. */
export function distinct(values: readonly unknown[]): unknown[] {
  return [...new Map(values.map((value) => [Array.isArray(value) ? JSON.stringify(value) : value, value])).values()]
}

/** Items and series are named by how many there are: a decision is no place for whole sequences. */
function plain(value: unknown): unknown {
  if (!Array.isArray(value)) return typeof value === 'object' && value !== null ? '1 item' : value
  return value.some((member) => typeof member === 'object')
    ? `${value.length} item${value.length === 1 ? '' : 's'}`
    : value
}

function article(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`
}
