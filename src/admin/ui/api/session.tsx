import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, use, useEffect } from 'react'
import { type Need, operations, type Permission } from '../../permissions.ts'
import { type AnswerOf, call, type Operation, onUnauthorized } from './call.ts'
import { Problem } from './problem.ts'

export type Session = AnswerOf<'GET /session'>

const sessionKey = ['session'] as const
const Current = createContext<Session | null>(null)

/** Who is logged in; null for nobody, undefined while the node is asked. */
export function useSessionQuery() {
  const client = useQueryClient()
  useEffect(() => onUnauthorized(() => void client.invalidateQueries({ queryKey: sessionKey })), [client])
  return useQuery<Session | null, Problem>({
    queryKey: sessionKey,
    queryFn: () =>
      call('GET /session').catch((error: unknown) => {
        if (error instanceof Problem && error.status === 401) return null
        throw error
      }),
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** Tells the page that somebody else, or nobody, is logged in now. What the one before saw is forgotten. */
export function useSetSession(): (session: Session | null) => void {
  const client = useQueryClient()
  return (session) => {
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] })
    client.setQueryData(sessionKey, session)
  }
}

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  return <Current value={session}>{children}</Current>
}

/** Who is logged in. Only below the login. */
export function useSession(): Session {
  const session = use(Current)
  if (session === null) throw new Error('useSession stands outside of the login')
  return session
}

/** Whether somebody may do something: an operation of the API, or a permission by its name. */
export function useMay(): (what: Operation | Permission) => boolean {
  const { permissions } = useSession()
  return (what) => {
    const need: Need | undefined = what in operations ? operations[what as keyof typeof operations] : (what as Need)
    return need === 'nothing' || need === 'login' || permissions.includes(need)
  }
}
