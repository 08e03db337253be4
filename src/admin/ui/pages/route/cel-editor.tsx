import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { useEffect, useEffectEvent, useRef } from 'react'
import { styleNonce } from '../../style-nonce.ts'
import { celCompletion, celMarks, type Mistake, rangeOf, setMistakes } from './cel-language.ts'
import type { Scope } from './use-vocabulary.ts'

export interface CelEditorProps {
  label: string
  value: string
  scope: Scope
  /** Mistakes with their sentence; those without a place concern the whole. */
  mistakes: readonly (Mistake & { sentence: string })[]
  readOnly: boolean
  hint: string
  onChange(text: string): void
}

/** A condition as CEL text: coloured, completed from what the node knows, with its mistakes underlined and said below. */
export function CelEditor({ label, value, scope, mistakes, readOnly, hint, onChange }: CelEditorProps) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const writable = useRef(new Compartment())
  const changed = useEffectEvent(onChange)
  const begin = useEffectEvent(() => ({ value, label, hint, readOnly }))
  useEffect(() => {
    const parent = place.current
    if (!parent) return
    const first = begin()
    const editor = new EditorView({
      parent,
      state: EditorState.create({
        doc: first.value,
        extensions: [
          EditorView.cspNonce.of(styleNonce()),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': first.label, spellcheck: 'false' }),
          history(),
          closeBrackets(),
          autocompletion({ override: [celCompletion(scope)], icons: false, activateOnTyping: true }),
          // Tab leaves the editor, as it leaves every field.
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          placeholder(first.hint),
          celMarks,
          writable.current.of(EditorState.readOnly.of(first.readOnly)),
          EditorView.updateListener.of(({ docChanged, state, transactions }) => {
            const isOwn = transactions.some((one) => one.isUserEvent('outside'))
            if (docChanged && !isOwn) changed(state.doc.toString())
          }),
        ],
      }),
    })
    view.current = editor
    return () => {
      editor.destroy()
      view.current = null
    }
  }, [scope])
  useEffect(() => {
    const editor = view.current
    if (!editor || editor.state.doc.toString() === value) return
    editor.dispatch({
      changes: { from: 0, to: editor.state.doc.length, insert: value },
      userEvent: 'outside',
    })
  }, [value])
  useEffect(() => {
    view.current?.dispatch({ effects: setMistakes.of(mistakes) })
  }, [mistakes])
  useEffect(() => {
    view.current?.dispatch({ effects: writable.current.reconfigure(EditorState.readOnly.of(readOnly)) })
  }, [readOnly])
  const goTo = (mistake: Mistake) => {
    const editor = view.current
    if (!editor) return
    const [from] = rangeOf(editor.state.doc, mistake)
    editor.dispatch({ selection: { anchor: from } })
    editor.focus()
  }
  return (
    <div className="cel">
      <div ref={place} className={`cel-place${mistakes.length > 0 ? ' cel-wrong' : ''}`} />
      <ul className="cel-mistakes" aria-live="polite">
        {mistakes.map((mistake) => (
          <li key={`${mistake.line} ${mistake.column} ${mistake.sentence}`}>
            <button type="button" onClick={() => goTo(mistake)}>
              Line {mistake.line}, column {mistake.column}
            </button>{' '}
            {mistake.sentence}
          </li>
        ))}
      </ul>
    </div>
  )
}
