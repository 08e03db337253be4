import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import { type Extension, RangeSetBuilder, StateEffect, StateField, type Text } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view'
import { call } from '../../api/call.ts'
import { sopClassName } from '../../parts/dicom-names.ts'
import { plural } from '../../words.ts'
import type { Scope } from './use-vocabulary.ts'

const tokens =
  /("(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)|(\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)|\b(true|false|null|in)\b|\b(has|days|years|exists|all|contains|startsWith|endsWith|matches|size)(?=\s*\()|\b((?:study|series|s)\.[A-Za-z_]\w*|today)\b|(&&|\|\||[!=<>]=?)/g
const classes = ['cel-text', 'cel-number', 'cel-word', 'cel-function', 'cel-field', 'cel-sign']

/** Colours of texts, numbers, fields and signs. */
const colours = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = coloured(view.state.doc)
    }
    update({ docChanged, state }: ViewUpdate): void {
      if (docChanged) this.decorations = coloured(state.doc)
    }
  },
  { decorations: ({ decorations }) => decorations },
)

function coloured(doc: Text): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>()
  for (const found of doc.toString().matchAll(tokens)) {
    const name = classes[found.slice(1).findIndex((part) => part !== undefined)]
    if (name) builder.add(found.index, found.index + found[0].length, Decoration.mark({ class: name }))
  }
  return builder.finish()
}

/** A mistake in the text, counted from 1. */
export interface Mistake {
  line: number
  column: number
}

export const setMistakes = StateEffect.define<readonly Mistake[]>()

/** Underlines mistakes where they begin, up to the end of the word. */
const mistakes = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, { effects, changes, state }) {
    let next = shown.map(changes)
    for (const effect of effects) {
      if (!effect.is(setMistakes)) continue
      const builder = new RangeSetBuilder<Decoration>()
      for (const mistake of [...effect.value].sort((a, b) => a.line - b.line || a.column - b.column)) {
        const [from, to] = rangeOf(state.doc, mistake)
        if (to > from) builder.add(from, to, Decoration.mark({ class: 'cel-mistake' }))
      }
      next = builder.finish()
    }
    return next
  },
  provide: (field) => EditorView.decorations.from(field),
})

/** Where a mistake stands in the text. */
export function rangeOf(doc: Text, { line, column }: Mistake): [from: number, to: number] {
  const { from, to, text } = doc.line(Math.min(Math.max(1, line), doc.lines))
  const start = Math.min(from + column - 1, to)
  const word = /^(\w+(\.\w+)*|\s*\S)/.exec(text.slice(start - from))?.[0] ?? ''
  // At the end of the text there is nothing to underline but what stands before it.
  return word === '' ? [Math.max(from, start - 1), start] : [start, start + word.length]
}

export const celMarks: Extension = [colours, mistakes]

const functions: Completion[] = [
  { label: 'has', apply: 'has(', detail: 'has a value', type: 'function' },
  { label: 'days', apply: 'days(', detail: 'days between two dates', type: 'function' },
  { label: 'years', apply: 'years(', detail: 'an age in years', type: 'function' },
  { label: 'today', type: 'variable' },
  { label: 'in', type: 'keyword' },
]

/** Completes fields after `series.` and `study.`, and values that were seen after a comparison. */
export function celCompletion(scope: Scope): (context: CompletionContext) => Promise<CompletionResult | null> {
  return async (context) => {
    const line = context.state.doc.lineAt(context.pos)
    const before = line.text.slice(0, context.pos - line.from)
    const value = /\b(study|series|s)\.(\w+)\s*(?:[!=]=|in\s*\[[^\]]*?)\s*"([^"]*)$/.exec(before)
    if (value)
      return await valuesFor(
        value[1] === 'study' ? 'study' : 'series',
        value[2] ?? '',
        context.pos - (value[3] ?? '').length,
      )
    const field = /\b(study|series|s)\.(\w*)$/.exec(before)
    if (field) return await fieldsFor(field[1] === 'study' ? 'study' : 'series', field[2] ?? '', context)
    const word = context.matchBefore(/\w+$/)
    if (!word && !context.explicit) return null
    const roots: Completion[] = [
      ...(scope === 'series'
        ? [{ label: 'series', detail: 'elements of the series', type: 'variable', boost: 2 }]
        : []),
      { label: 'study', detail: 'elements of the study', type: 'variable', boost: 1 },
    ]
    return { from: word?.from ?? context.pos, options: [...roots, ...functions], validFor: /^\w*$/ }
  }
}

async function fieldsFor(level: Scope, search: string, context: CompletionContext): Promise<CompletionResult | null> {
  const found = await call('GET /routes/vocabulary', { query: { search, level, limit: 40 } }).catch(() => null)
  if (!found || context.aborted) return null
  return {
    from: context.pos - search.length,
    options: found.fields.map(({ keyword, seen, label }, at) => ({
      label: keyword,
      detail: seen > 0 ? `in ${plural(seen, 'study', 'studies')}` : keyword === label ? '' : label,
      type: 'property',
      boost: -at,
    })),
  }
}

async function valuesFor(level: Scope, keyword: string, from: number): Promise<CompletionResult | null> {
  const found = await call('GET /routes/vocabulary', { query: { search: keyword, level, limit: 40 } }).catch(() => null)
  const field = found?.fields.find((one) => one.keyword === keyword)
  if (!field || field.values.length === 0) return null
  return {
    from,
    options: field.values.map(({ value, count }, at) => ({
      label: String(value),
      detail: sopClassName(String(value)) ?? plural(count, 'study', 'studies'),
      type: 'text',
      boost: -at,
    })),
    validFor: /^[^"]*$/,
  }
}
