import { type ASTNode, EvaluationError, ParseError, type SourceRange, TypeError } from '@marcbachmann/cel-js'
import { HilumError, messageOf } from '../errors.ts'
import { nearestName, suggestion } from '../nearest-name.ts'
import { belowStudy, elementType, knownNames, type Scope } from './vocabulary.ts'

export type ExpressionErrorCode =
  | 'syntax'
  | 'unknown-variable'
  | 'unknown-keyword'
  | 'not-in-study'
  | 'wrong-type'
  | 'slow-pattern'
  | 'not-boolean'
  | 'not-number'

/** An expression that is refused, with the position of the mistake; `message` ends with the line and a caret under it. */
export class ExpressionError extends HilumError<ExpressionErrorCode> {
  /** Counted from 1. */
  readonly line: number
  /** Counted from 1. */
  readonly column: number
  /** The mistake in one sentence, without position and caret. */
  readonly sentence: string

  constructor(code: ExpressionErrorCode, text: string, range: SourceRange, sentence: string) {
    const before = text.slice(0, range.start).split('\n')
    const line = before.length
    const column = (before.at(-1) ?? '').length + 1
    const source = text.split('\n')[line - 1] ?? ''
    const width = Math.max(1, Math.min(range.end - range.start, source.length - column + 1))
    const caret = `${' '.repeat(column - 1)}${'^'.repeat(width)}`
    super(code, `line ${line}, column ${column}: ${sentence}\n  ${source}\n  ${caret}`, {
      detail: { line, column, text },
    })
    this.line = line
    this.column = column
    this.sentence = sentence
  }
}

/** Turns what the CEL library threw into a refusal that an administrator can act on. */
export function describeMistake(error: unknown, text: string, scope: Scope): ExpressionError {
  if (error instanceof ExpressionError) return error
  const known = error instanceof ParseError || error instanceof TypeError || error instanceof EvaluationError
  const range = (known ? error.range : undefined) ?? { start: 0, end: text.length }
  const summary = known ? error.summary : messageOf(error)
  const word = text.slice(range.start, range.end)
  if (known && error.code === 'unknown_variable') return unknownVariable(text, range, word, scope)
  if (known && error.code === 'no_such_key') return unknownKeyword(text, range, word)
  if (error instanceof ParseError)
    return new ExpressionError('syntax', text, range, syntaxSentence(text, range, summary))
  return new ExpressionError('wrong-type', text, range, summary)
}

function syntaxSentence(text: string, range: SourceRange, summary: string): string {
  const near = text.slice(Math.max(0, range.start - 3), range.end + 2)
  if (/[^=!<>]=[^=]/.test(near)) return `${summary}; equality is written ==`
  if (/\b(and|or|not)\b/i.test(text.slice(Math.max(0, range.start - 3), range.end + 3))) {
    return `${summary}; and, or, not are written &&, ||, !`
  }
  return summary
}

function unknownVariable(text: string, range: SourceRange, word: string, scope: Scope): ExpressionError {
  if (word === 'series' && scope === 'study') {
    const sentence = '"series" is known inside inputs only; here write study.series.exists(s, …) or study.Modalities'
    return new ExpressionError('unknown-variable', text, range, sentence)
  }
  const variables = scope === 'series' ? ['study', 'series', 'today'] : ['study', 'today']
  const keyword = elementType(word) ? ` (${word} is written ${scope}.${word})` : suggestion(word, variables)
  return new ExpressionError('unknown-variable', text, range, `unknown variable "${word}"${keyword}`)
}

function unknownKeyword(text: string, range: SourceRange, word: string): ExpressionError {
  const indexed = /\[\s*["'](\w*)["']\s*\]$/.exec(word)
  const owner = indexed
    ? /^(study|series)\b/.exec(word)
    : /\b(study|series)\s*\.\??\s*$/.exec(text.slice(0, range.start))
  const of = owner === null ? 'item' : owner[1] === 'study' ? 'study' : 'series'
  const key = indexed?.[1] ?? word
  const nearest = nearestName(key, knownNames(of))
  const help = nearest === null ? '' : ` (did you mean "${nearest}"?)`
  const start = indexed ? range.start + word.lastIndexOf(key) : range.start
  return new ExpressionError(
    'unknown-keyword',
    text,
    { start, end: start + key.length },
    `unknown DICOM keyword "${key}"${help}`,
  )
}

/** `study.Modality` and its like: elements of a series, which a study never has. */
export function misplacedKeyword(text: string, paths: readonly string[]): ExpressionError | null {
  for (const path of paths) {
    const keyword = /^study\.(\w+)$/.exec(path)?.[1]
    if (keyword === undefined || !belowStudy.has(keyword)) continue
    const start = text.search(new RegExp(`\\bstudy\\s*\\.\\??\\s*${keyword}\\b`))
    const help = keyword === 'Modality' ? 'series.Modality or study.Modalities' : `series.${keyword}`
    const range = { start: Math.max(0, start), end: Math.max(0, start) + `study.${keyword}`.length }
    return new ExpressionError(
      'not-in-study',
      text,
      range,
      `${keyword} is an element of series, not of studies: write ${help}`,
    )
  }
  return null
}

/**
 * CEL promises patterns in linear time (RE2); JavaScript's take exponential time where a repeated group repeats or
 * branches inside. Those, back-references, and patterns that are no literal are refused.
 */
export function slowPattern(text: string, patterns: readonly ASTNode[]): ExpressionError | null {
  for (const node of patterns) {
    const range = { start: node.start, end: node.end }
    if (node.op !== 'value' || typeof node.args !== 'string') {
      return new ExpressionError('slow-pattern', text, range, 'matches() takes a literal pattern')
    }
    try {
      new RegExp(node.args)
    } catch (error) {
      return new ExpressionError('syntax', text, range, messageOf(error))
    }
    if (!canExplode(node.args)) continue
    return new ExpressionError(
      'slow-pattern',
      text,
      range,
      'a repeated group must not repeat or branch inside, nor refer back',
    )
  }
  return null
}

function canExplode(pattern: string): boolean {
  const bare = pattern.replaceAll(/\\[^1-9]/g, 'x').replaceAll(/\[[^\]]*\]/g, 'x')
  if (/\\[1-9]/.test(bare)) return true
  // For each open group: whether something in it repeats or branches.
  const varies: boolean[] = [false]
  for (const [i, unit] of bare.split('').entries()) {
    if (unit === '(') varies.push(false)
    else if ('*+{|'.includes(unit)) varies[varies.length - 1] = true
    else if (unit === ')') {
      const inner = varies.pop() ?? false
      if (inner && '*+{'.includes(bare[i + 1] ?? ' ')) return true
      if (inner) varies[varies.length - 1] = true
    }
  }
  return false
}
