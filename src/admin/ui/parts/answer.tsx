import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { isMissing, type Problem } from '../api/problem.ts'
import { ProblemAlert } from './problem-alert.tsx'

export interface AnswerProps<T> {
  query: UseQueryResult<T, Problem>
  /** Of the size that the answer will have, so that nothing moves when it comes. */
  skeleton: ReactNode
  /** In place of a problem where the node has no such thing (404, 501). */
  missing?: ReactNode
  children: (answer: T) => ReactNode
}

/** The three states of an answer: not yet, not at all, and here. An answer that is here stays while a newer one fails. */
export function Answer<T>({ query, skeleton, missing, children }: AnswerProps<T>) {
  if (query.data !== undefined) return children(query.data)
  if (query.error) {
    if (missing !== undefined && isMissing(query.error)) return missing
    return <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />
  }
  return (
    <div aria-busy="true">
      <span className="sr-only" role="status">
        Loading
      </span>
      {skeleton}
    </div>
  )
}
