import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { type BodyOf, call } from '../../api/call.ts'
import type { Problem } from '../../api/problem.ts'
import type { RouteReplay } from '../../api/schema.ts'

/** A replay: begun by `start`, then asked for until it is over. */
export function useReplay() {
  const [id, setId] = useState<string | null>(null)
  const begin = useMutation<RouteReplay, Problem, BodyOf<'POST /routes/replay'>>({
    mutationFn: (body) => call('POST /routes/replay', { body }),
    onSuccess: (replay) => setId(replay.id),
  })
  const progress = useQuery<RouteReplay, Problem>({
    queryKey: ['replay', id],
    queryFn: () => call('GET /routes/replay/{id}', { path: { id: id ?? '' } }),
    enabled: id !== null,
    refetchInterval: ({ state }) => (state.data === undefined || state.data.state === 'running' ? 400 : false),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const replay = id === null ? undefined : (progress.data ?? begin.data)
  return {
    replay,
    error: begin.error ?? progress.error,
    isRunning: begin.isPending || replay?.state === 'running',
    start: begin.mutate,
    cancel: () => {
      if (id !== null) void call('DELETE /routes/replay/{id}', { path: { id } }).then(() => progress.refetch())
    },
  }
}
