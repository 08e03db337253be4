/**
 * The language of templates: `{{name}}` stands for a value, `{{#name}}…{{/name}}` for what is only there where the name has a value (for
 * each member, where it is a list), `{{^name}}…{{/name}}` for the contrary. There is nothing else: no code, no access to anything but
 * the values that are given.
 */

export type Value = string | number | boolean | null | readonly Values[]
export interface Values {
  readonly [name: string]: Value | undefined
}

/** How values are written into what surrounds them. */
export type Escaping = 'plain' | 'line' | 'html' | 'json'

type Part =
  | { kind: 'text'; text: string }
  | { kind: 'value'; name: string }
  | { kind: 'section'; name: string; inverted: boolean; parts: Part[] }

/** A template that can be filled in, or what is wrong with it. */
export type Parsed = { ok: true; names: ReadonlySet<string>; parts: readonly Part[] } | { ok: false; problem: string }

/** Characters that a message has at most. */
const longest = 200_000
const deepest = 5

/** Reads a template. */
export function parseTemplate(text: string): Parsed {
  const names = new Set<string>()
  const root: Part[] = []
  const open: { name: string; parts: Part[] }[] = []
  let at = 0
  for (const tag of text.matchAll(/\{\{(.*?)\}\}/gs)) {
    const [whole, inner = ''] = tag
    const parts = open.at(-1)?.parts ?? root
    if (tag.index > at) parts.push({ kind: 'text', text: text.slice(at, tag.index) })
    at = tag.index + whole.length
    const [, sign = '', name = ''] = /^\s*([#^/]?)\s*([A-Za-z]{1,40})\s*$/.exec(inner) ?? []
    if (name === '') return { ok: false, problem: `${whole.slice(0, 60)} is no placeholder` }
    if (sign === '/') {
      if (open.pop()?.name !== name) return { ok: false, problem: `{{/${name}}} ends nothing that has begun` }
      continue
    }
    names.add(name)
    if (sign === '') {
      parts.push({ kind: 'value', name })
      continue
    }
    const section: Part = { kind: 'section', name, inverted: sign === '^', parts: [] }
    parts.push(section)
    open.push({ name, parts: section.parts })
    if (open.length > deepest) return { ok: false, problem: `more than ${deepest} sections in one another` }
  }
  if (open.length > 0) return { ok: false, problem: `{{#${open.at(-1)?.name}}} is not ended` }
  if (at < text.length) root.push({ kind: 'text', text: text.slice(at) })
  return { ok: true, names, parts: root }
}

/** Fills in a template; what it does not know is left empty. Longer than 200,000 characters it is cut off. */
export function fillIn(text: string, values: Values, escaping: Escaping): string {
  const parsed = parseTemplate(text)
  if (!parsed.ok) return ''
  const written: string[] = []
  write(parsed.parts, [values], { written, escape: escapes[escaping], left: longest })
  return written.join('')
}

interface Writing {
  written: string[]
  escape: (text: string) => string
  left: number
}

function write(parts: readonly Part[], scopes: readonly Values[], writing: Writing): void {
  for (const part of parts) {
    if (writing.left <= 0) return
    if (part.kind === 'text') put(part.text, writing)
    else if (part.kind === 'value') put(writing.escape(textOf(find(part.name, scopes))), writing)
    else writeSection(part, scopes, writing)
  }
}

function writeSection(
  { name, inverted, parts }: Extract<Part, { kind: 'section' }>,
  scopes: readonly Values[],
  writing: Writing,
): void {
  const value = find(name, scopes)
  const isThere = Array.isArray(value) ? value.length > 0 : value !== null && value !== false && value !== ''
  if (inverted) {
    if (!isThere) write(parts, scopes, writing)
  } else if (Array.isArray(value)) {
    for (const member of value as readonly Values[]) write(parts, [member, ...scopes], writing)
  } else if (isThere) write(parts, scopes, writing)
}

function put(text: string, writing: Writing): void {
  writing.written.push(text.slice(0, writing.left))
  writing.left -= text.length
}

function find(name: string, scopes: readonly Values[]): Value {
  for (const scope of scopes) if (Object.hasOwn(scope, name)) return scope[name] ?? null
  return null
}

function textOf(value: Value): string {
  if (value === null || typeof value === 'object') return ''
  return String(value)
}

// Direction marks would let a name stand for another: they go as control characters do.
const unseen = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const escapes: Readonly<Record<Escaping, (text: string) => string>> = {
  plain: (text) => text.replaceAll(unseen, (one) => (one === '\n' || one === '\t' ? one : ' ')),
  line: (text) => text.replaceAll(unseen, ' '),
  html: (text) =>
    text
      .replaceAll(unseen, (one) => (one === '\n' || one === '\t' ? one : ' '))
      .replace(/[&<>"'`=]/g, (one) => `&#${one.codePointAt(0)};`),
  json: (text) => JSON.stringify(text).slice(1, -1),
}
