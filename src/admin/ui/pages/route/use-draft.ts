import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { call, callWithTag } from '../../api/call.ts'
import { Problem } from '../../api/problem.ts'
import type { RouteDraft } from '../../api/schema.ts'
import type { Definition } from './route-words.ts'

/** none: nothing differs from what is in force; conflict: somebody else has changed the draft meanwhile. */
export type DraftState = 'none' | 'saved' | 'changed' | 'saving' | 'conflict' | 'failed'

export interface Editing {
  definition: Definition
  draft: RouteDraft | null
  /** Of the draft, for activation: what was looked at is put in force, and nothing else. */
  etag: string | null
  state: DraftState
  error: unknown
  /** Who changed the draft meanwhile, in a conflict. */
  other: RouteDraft | null
  change(definition: Definition): void
  /** Writes what is not written yet. @returns false where that did not work */
  save(): Promise<boolean>
  takeTheirs(): void
  keepMine(): void
  /** Throws the draft away. */
  discard(): Promise<void>
}

/** ms without a key pressed until the draft is written. */
const breath = 700

interface Held {
  /** What is written; null: no draft yet. */
  draft: RouteDraft | null
  etag: string | null
}

/**
 * A route's draft while somebody writes on it: saved by itself, with the tag of what was seen, so that nobody's change is lost. The first
 * change of a route that is in force begins a draft.
 * @param begin what is shown: the draft with its tag, or what is in force
 */
export function useDraft(name: string, begin: Held & { definition: Definition }): Editing {
  const client = useQueryClient()
  const [held, setHeld] = useState<Held>({ draft: begin.draft, etag: begin.etag })
  const [definition, setDefinition] = useState<Definition>(begin.definition)
  const [state, setState] = useState<DraftState>(begin.draft ? 'saved' : 'none')
  const [error, setError] = useState<unknown>(null)
  const [other, setOther] = useState<RouteDraft | null>(null)
  const latest = useRef({ held, definition, isChanged: false, isConflict: false })
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const writing = useRef<Promise<boolean> | null>(null)

  const hold = useCallback((next: Held) => {
    latest.current.held = next
    setHeld(next)
  }, [])
  const conflict = useCallback(async () => {
    const theirs = await callWithTag('GET /routes/{name}/draft', { path: { name } }).catch(() => null)
    latest.current.isConflict = true
    hold({ draft: theirs?.answer ?? null, etag: theirs?.etag ?? null })
    setOther(theirs?.answer ?? null)
    setState('conflict')
  }, [name, hold])

  const write = useCallback(async (): Promise<boolean> => {
    try {
      while (latest.current.isChanged) {
        latest.current.isChanged = false
        setState('saving')
        const { definition: mine, held: seen } = latest.current
        const written =
          seen.etag === null
            ? await call('POST /routes/{name}/draft', { path: { name }, body: { definition: mine } })
            : await call(
                'PUT /routes/{name}/draft',
                { path: { name }, body: { definition: mine } },
                { ifMatch: seen.etag },
              )
        const now = await callWithTag('GET /routes/{name}/draft', { path: { name } })
        if (now.answer.updatedAt !== written.updatedAt || now.answer.updatedBy !== written.updatedBy) {
          latest.current.isChanged = true
          await conflict()
          return false
        }
        hold({ draft: now.answer, etag: now.etag })
      }
      setError(null)
      setState('saved')
      void client.invalidateQueries({ queryKey: ['GET /routes'] })
      void client.invalidateQueries({ queryKey: ['GET /routes/{name}'] })
      return true
    } catch (failure) {
      latest.current.isChanged = true
      if (failure instanceof Problem && (failure.status === 412 || failure.code === 'draft-exists')) await conflict()
      else {
        setError(failure)
        setState('failed')
      }
      return false
    }
  }, [name, client, conflict, hold])

  const save = useCallback((): Promise<boolean> => {
    clearTimeout(timer.current)
    if (latest.current.isConflict) return Promise.resolve(false)
    writing.current ??= write().finally(() => {
      writing.current = null
    })
    return writing.current
  }, [write])

  const change = useCallback(
    (next: Definition) => {
      latest.current.definition = next
      latest.current.isChanged = true
      setDefinition(next)
      if (latest.current.isConflict) return
      setState('changed')
      clearTimeout(timer.current)
      timer.current = setTimeout(() => void save(), breath)
    },
    [save],
  )
  // Who leaves the page keeps what was written.
  useEffect(
    () => () => {
      clearTimeout(timer.current)
      if (latest.current.isChanged && !latest.current.isConflict) void save()
    },
    [save],
  )
  return {
    definition,
    draft: held.draft,
    etag: held.etag,
    state,
    error,
    other,
    change,
    save: () => (latest.current.isChanged ? save() : Promise.resolve(!latest.current.isConflict)),
    takeTheirs: () => {
      const theirs = latest.current.held.draft
      latest.current = {
        ...latest.current,
        isConflict: false,
        isChanged: false,
        ...(theirs && { definition: theirs.definition }),
      }
      if (theirs) setDefinition(theirs.definition)
      setOther(null)
      setState(theirs ? 'saved' : 'none')
    },
    keepMine: () => {
      latest.current.isConflict = false
      latest.current.isChanged = true
      setOther(null)
      void save()
    },
    discard: async () => {
      clearTimeout(timer.current)
      latest.current.isChanged = false
      await writing.current
      const { etag } = latest.current.held
      if (etag !== null) await call('DELETE /routes/{name}/draft', { path: { name } }, { ifMatch: etag })
    },
  }
}
