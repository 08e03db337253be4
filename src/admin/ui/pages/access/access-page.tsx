import { useSearchParams } from 'wouter'
import { useMay } from '../../api/session.tsx'
import { Page } from '../../parts/page.tsx'
import { SessionsSection } from './sessions-section.tsx'
import { TokensSection } from './tokens-section.tsx'
import { UsersSection } from './users-section.tsx'
import './access.css'

const parts = [
  ['users', 'Users', 'users.manage'],
  ['sessions', 'Sessions', 'users.manage'],
  ['tokens', 'Tokens', 'tokens.manage'],
] as const

/** Who may come in: people, their sessions, and programs. */
export function AccessPage() {
  const may = useMay()
  const [params, setParams] = useSearchParams()
  const allowed = parts.filter(([, , permission]) => may(permission))
  const part = (allowed.find(([name]) => name === params.get('part')) ?? allowed[0])?.[0]
  return (
    <Page title="Users and tokens" lead="People log in; programs call the API with a token.">
      <div className="choices access-parts" role="group" aria-label="Part">
        {allowed.map(([name, label]) => (
          <button
            key={name}
            type="button"
            aria-pressed={part === name}
            onClick={() => setParams(name === 'users' ? {} : { part: name })}
          >
            {label}
          </button>
        ))}
      </div>
      {part === 'users' && <UsersSection />}
      {part === 'sessions' && <SessionsSection />}
      {part === 'tokens' && <TokensSection />}
    </Page>
  )
}
