import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type * as z from 'zod'
import { suggestion } from '../../nearest-name.ts'
import { knownKeys } from './known-keys.ts'
import { messageOfIssue, typeInWords } from './messages.ts'
import type { Path } from './value-graph.ts'

/** Something wrong at a place of a manifest. */
export interface Problem {
  path: Path
  message: string
  /** True where the key itself is wrong, and not what stands behind it. */
  ofKey?: boolean
}

/** A YAML text as data, and where each of its entries stands. */
export interface ParsedText {
  data: unknown
  /** `line:column` of an entry, both from 1; of the nearest one that contains it where it is missing. */
  where(path: Path, ofKey?: boolean): string
  /** Problems of the YAML itself, each with `line:column: ` before it. */
  problems: string[]
}

/** Reads YAML 1.2 with merge keys. */
export function parseText(text: string): ParsedText {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${line}:${col}`
  }
  const problems = document.errors.map((e) => `${place(e.pos[0])}: ${e.message}`)
  let data: unknown = null
  if (problems.length === 0)
    try {
      data = document.toJS({ maxAliasCount: 200 })
    } catch {
      problems.push('1:1: the aliases of the file unfold without end')
    }
  return { data, where: (path, ofKey = false) => place(offsetOf(document, path, ofKey)), problems }
}

/** Where a path stands in the text; where it is missing, where its parent stands. A key that should not be there stands where it is written. */
function offsetOf(document: Document, path: Path, ofKey: boolean): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    if (length === path.length && isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === last)
      const found = pair && (!ofKey && isScalar(pair.value) ? pair.value : pair.key)
      if (isNode(found) && found.range) return found.range[0]
    }
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

type Issue = z.core.$ZodIssue

/**
 * What a schema finds wrong, in words: of a union the branch that was most probably meant, unknown names with the nearest known one.
 * @param data that was checked
 */
export function problemsOf(error: z.ZodError, schema: z.ZodType, data: unknown): Problem[] {
  const problems = error.issues.flatMap((issue) => described(issue, [], { schema, data }))
  // What a check says of a whole, after an unknown key was taken out of it, says nothing new.
  const unknown = problems.filter(({ message, ofKey }) => ofKey || message.includes(unknownHere))
  return problems.filter((problem) => !unknown.some((other) => other !== problem && isAbove(problem.path, other.path)))
}

const unknownHere = 'is not known here'

function isAbove(path: Path, other: Path): boolean {
  return path.length < other.length && path.every((key, index) => key === other[index])
}

function described(issue: Issue, before: Path, checked: { schema: z.ZodType; data: unknown }): Problem[] {
  const path = [...before, ...issue.path]
  const { schema, data } = checked
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        message:
          key === 'TODO'
            ? 'something is left to do here: write what does the same, or take the entry out'
            : `${key} ${unknownHere}${suggestion(key, knownKeys(schema, path, data))}`,
        ofKey: true,
      }))
    case 'invalid_union': {
      const branch = likeliestBranch(issue.errors, at(data, path))
      if (branch) return branch.flatMap((inner) => described(inner, path, checked))
      const known = choicesOf(issue)
      const found = at(data, path)
      const missing = found === undefined || found === null
      if (known.length === 0) return [{ path, message: missing ? 'is missing' : 'is none of what can stand here' }]
      return [{ path, message: choiceMessage(found, known) }]
    }
    case 'invalid_value': {
      const known = issue.values.filter((value) => typeof value === 'string')
      if (known.length === 0) break
      return [{ path, message: choiceMessage(at(data, path), known) }]
    }
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => [{ path, message: inner.message }])
    case 'invalid_type':
      if (at(data, path) === undefined)
        return [{ path, message: `is missing: ${typeInWords(issue.expected)} is expected` }]
      break
    default:
      break
  }
  return [{ path, message: messageOfIssue(issue, at(data, path), knownKeys(schema, path, data)) }]
}

function choiceMessage(found: unknown, known: readonly string[]): string {
  if (found === undefined || found === null) return `is missing: ${listed(known)} is expected`
  const shown = typeof found === 'string' || typeof found === 'number' ? String(found) : 'this'
  const near = typeof found === 'string' ? suggestion(found, known) : ''
  return `${shown} ${unknownHere}${near}${known.length > 12 ? '' : `: ${listed(known)} is expected`}`
}

function listed(known: readonly string[]): string {
  if (known.length > 12) return 'another name'
  return known.length === 1 ? String(known[0]) : `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`
}

/** The choices of a discriminated union whose discriminator has another value. */
function choicesOf(issue: Extract<Issue, { code: 'invalid_union' }>): string[] {
  const options = (issue as { options?: unknown[] }).options
  return (options ?? []).filter((option): option is string => typeof option === 'string')
}

/** The branch whose own problems lie deepest: its outer shape is that of the data. Branches that take another type altogether do not count. */
function likeliestBranch(branches: readonly (readonly Issue[])[], data: unknown): readonly Issue[] | null {
  const score = (issues: readonly Issue[]): number =>
    issues.reduce((least, issue) => Math.min(least, fit(issue, data)), Number.POSITIVE_INFINITY)
  let best: readonly Issue[] | null = null
  for (const branch of branches) if (branch.length > 0 && (!best || score(branch) > score(best))) best = branch
  return best
}

function fit(issue: Issue, data: unknown): number {
  const depth = issue.path.length
  if (issue.code === 'invalid_union')
    return depth + Math.max(0, ...issue.errors.map((e) => Math.min(...e.map((i) => fit(i, data)))))
  if (depth > 0) return depth + 1
  if (issue.code === 'invalid_type') return -1
  // An enumeration is meant where a text stands, and not where a mapping stands.
  if (issue.code === 'invalid_value') return typeof data === 'string' ? 1 : -1
  return 1
}

function at(data: unknown, path: Path): unknown {
  let found = data
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<PropertyKey, unknown>)[key]
  }
  return found
}
