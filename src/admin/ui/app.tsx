import { lazy, Suspense, useEffect } from 'react'
import { Route, Router, Switch } from 'wouter'
import { LiveUpdates } from './api/live.tsx'
import { SessionProvider, useMay, useSessionQuery } from './api/session.tsx'
import { FailedPart } from './layout/failed-part.tsx'
import { NotFound, NotPermitted, PageSkeleton } from './layout/other-pages.tsx'
import { Shell } from './layout/shell.tsx'
import { type PageEntry, pages } from './pages.ts'
import { ProblemAlert } from './parts/problem-alert.tsx'
import { wantedAddress } from './wanted-address.ts'

const Login = lazy(async () => ({ default: (await import('./pages/login/login-page.tsx')).LoginPage }))

/** The login, or the page that the address names. */
export function App() {
  const session = useSessionQuery()
  if (session.error && session.data === undefined)
    return (
      <main className="alone">
        <ProblemAlert error={session.error} onRetry={() => void session.refetch()} />
      </main>
    )
  if (session.data === undefined) return null
  if (session.data === null || session.data.mustChangePassword)
    return (
      <Suspense fallback={null}>
        <Login session={session.data} />
      </Suspense>
    )
  const wanted = wantedAddress(location)
  if (wanted !== null) return <Leave to={wanted} />
  return (
    <SessionProvider session={session.data}>
      <LiveUpdates>
        <Router base="/admin">
          <Shell>
            <Switch>
              {pages.map((entry) => (
                <Route key={entry.path} path={entry.path}>
                  {(params) => <Permitted entry={entry} params={params as Record<string, string>} />}
                </Route>
              ))}
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Shell>
        </Router>
      </LiveUpdates>
    </SessionProvider>
  )
}

/** On to where somebody wanted to go before the login, such as the viewer. */
function Leave({ to }: { to: string }) {
  useEffect(() => location.replace(to), [to])
  return null
}

function Permitted({ entry, params }: { entry: PageEntry; params: Record<string, string> }) {
  const may = useMay()
  if (!may(entry.needs)) return <NotPermitted />
  const PageOf = entry.page
  return (
    <FailedPart key={JSON.stringify([entry.path, params])}>
      <Suspense fallback={<PageSkeleton />}>
        <PageOf {...params} />
      </Suspense>
    </FailedPart>
  )
}
