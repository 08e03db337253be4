import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, use, useEffect, useState } from 'react'

/** live: changes come as they happen; connecting: not yet, or not any more. */
export type LiveState = 'live' | 'connecting'

/**
 * Which answers an event makes stale. A page whose list changes by itself has its operations here; operations that this version of the node
 * does not have do no harm.
 */
const stale: Readonly<Record<string, readonly string[]>> = {
  study: [
    'GET /jobs',
    'GET /queue',
    'GET /studies',
    'GET /studies/{studyInstanceUID}',
    'GET /overview',
    'GET /remotes',
  ],
  job: [
    'GET /jobs',
    'GET /queue',
    'GET /queue/failures',
    'GET /studies',
    'GET /studies/{studyInstanceUID}',
    'GET /overview',
  ],
  delivery: ['GET /studies/{studyInstanceUID}', 'GET /overview', 'GET /destinations'],
  quarantine: ['GET /quarantine', 'GET /overview'],
  remote: ['GET /remotes', 'GET /remotes/refused', 'GET /overview'],
  disk: ['GET /storage', 'GET /overview'],
}

/** ms; a burst of events asks for the same thing once in this time. */
const breath = 1000

const Live = createContext<LiveState>('connecting')

/** Whether the page hears of changes at this moment. */
export function useLive(): LiveState {
  return use(Live)
}

/** Keeps what is shown up to date by the node's events. A connection that broke is made again; then everything is asked anew. */
export function LiveUpdates({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const [state, setState] = useState<LiveState>('connecting')
  useEffect(() => listen(client, setState), [client])
  return <Live value={state}>{children}</Live>
}

function listen(client: QueryClient, tell: (state: LiveState) => void): () => void {
  let source: EventSource | null = null
  let again: ReturnType<typeof setTimeout> | undefined
  let wait = 1000
  let hadConnection = false
  const pending = new Map<string, ReturnType<typeof setTimeout>>()

  const invalidate = (operation: string, studyInstanceUID: string | undefined) => {
    const name = `${operation} ${studyInstanceUID ?? ''}`
    if (pending.has(name)) return
    const refresh = () => {
      pending.delete(name)
      void client.invalidateQueries({
        predicate: ({ queryKey: [asked, input] }) =>
          asked === operation && (studyInstanceUID === undefined || speaksOf(input, studyInstanceUID)),
      })
    }
    pending.set(name, setTimeout(refresh, breath))
  }
  const heard = (kind: string) => (event: MessageEvent<string>) => {
    const { studyInstanceUID } = JSON.parse(event.data) as { studyInstanceUID?: string }
    for (const operation of stale[kind] ?? []) invalidate(operation, studyInstanceUID)
  }
  const connect = () => {
    source = new EventSource('/api/events')
    source.addEventListener('ready', () => {
      tell('live')
      wait = 1000
      // What happened while nobody listened is not told again.
      if (hadConnection) void client.invalidateQueries()
      hadConnection = true
    })
    source.addEventListener('resync', () => void client.invalidateQueries())
    for (const kind of Object.keys(stale)) source.addEventListener(kind, heard(kind))
    source.addEventListener('error', () => {
      tell('connecting')
      // The browser tries again by itself, unless it was refused; then this does, more and more rarely.
      if (source?.readyState !== EventSource.CLOSED) return
      again = setTimeout(connect, wait)
      wait = Math.min(wait * 2, 30_000)
    })
  }
  connect()
  return () => {
    source?.close()
    clearTimeout(again)
    for (const timer of pending.values()) clearTimeout(timer)
  }
}

/** A question about one study is stale only by news of that study; one about several, always. */
function speaksOf(input: unknown, studyInstanceUID: string): boolean {
  const asked = (input as { path?: { studyInstanceUID?: string } } | undefined)?.path?.studyInstanceUID
  return asked === undefined || asked === studyInstanceUID
}
