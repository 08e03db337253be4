import {
  keepPreviousData,
  type QueryKey,
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { useRef } from 'react'
import { type AnswerOf, call, type InputOf, newKey, type Operation, type Reading } from './call.ts'
import { Problem } from './problem.ts'

/** Under what an answer is kept: the operation first, so that events can name it. */
export function keyOf<O extends Reading>(operation: O, input?: InputOf<O>): QueryKey {
  return input === undefined ? [operation] : [operation, input]
}

export interface ApiOptions {
  /** false: not asked yet, for instance while nothing is chosen. */
  enabled?: boolean
  /** Shows the answer to the last question while the next is asked: for lists that are filtered or paged. */
  keepPrevious?: boolean
  /** ms; asked again so often, beside the events. */
  every?: number
}

/** What the node answers, kept up to date by its events: `useApi('GET /studies', { query: { search } })`. */
export function useApi<O extends Reading>(
  operation: O,
  input?: InputOf<O>,
  { enabled = true, keepPrevious = false, every }: ApiOptions = {},
): UseQueryResult<AnswerOf<O>, Problem> {
  return useQuery<AnswerOf<O>, Problem>({
    queryKey: keyOf(operation, input),
    queryFn: ({ signal }) => call(operation, input, { signal }),
    enabled,
    ...(keepPrevious ? { placeholderData: keepPreviousData } : {}),
    ...(every === undefined ? {} : { refetchInterval: every }),
  })
}

export interface ActOptions<O extends Operation> {
  /** What is out of date after the act; everything that is shown, where it is not said. */
  changes?: readonly Reading[]
  onDone?(answer: AnswerOf<O>, input: InputOf<O>): void
}

/** With the ETag of what was seen, where the act is an edit: `remove.mutate({ path: { name }, ifMatch: etag })`. */
type Asked<O extends Operation> = InputOf<O> & { ifMatch?: string }

/**
 * An act: `const retry = useAct('POST /jobs/{id}/retry')`, then `retry.mutate({ path: { id } })`. An attempt that got no answer may be
 * repeated by the same call: it carries the same idempotency key, and the node does it once.
 */
export function useAct<O extends Exclude<Operation, Reading>>(
  operation: O,
  { changes, onDone }: ActOptions<O> = {},
): UseMutationResult<AnswerOf<O>, Problem, Asked<O>> {
  const client = useQueryClient()
  const unanswered = useRef<{ input: string; key: string } | null>(null)
  return useMutation<AnswerOf<O>, Problem, Asked<O>>({
    mutationFn: async (input) => {
      const asked = JSON.stringify(input)
      const key = unanswered.current?.input === asked ? unanswered.current.key : newKey()
      unanswered.current = { input: asked, key }
      try {
        const answer = await call(operation, input, { idempotencyKey: key, ifMatch: input.ifMatch })
        unanswered.current = null
        return answer
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 0) unanswered.current = null
        throw error
      }
    },
    onSuccess: async (answer, input) => {
      onDone?.(answer, input)
      if (changes === undefined) await client.invalidateQueries()
      else await Promise.all(changes.map((one) => client.invalidateQueries({ queryKey: [one] })))
    },
  })
}
