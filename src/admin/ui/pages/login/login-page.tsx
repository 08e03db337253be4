import { Button, PasswordInput, TextInput } from '@mantine/core'
import { type ReactNode, type SubmitEvent, useEffect, useRef, useState } from 'react'
import { call } from '../../api/call.ts'
import { sentenceOf } from '../../api/problem.ts'
import { type Session, useSetSession } from '../../api/session.tsx'
import { SingleSignOn } from './single-sign-on.tsx'
import './login.css'

/** The login; then, for whoever came with a one-time password, another one. Afterwards the page that was asked for. */
export function LoginPage({ session }: { session: Session | null }) {
  // The one-time password is asked for once: it is the current one of the change that follows.
  const [password, setPassword] = useState('')
  return (
    <main className="login">
      <div className="login-panel panel">
        <img src="/admin/icon.svg" alt="" width={44} height={44} />
        {session === null ? (
          <LogIn onPassword={setPassword} />
        ) : (
          <ChangePassword session={session} current={password} />
        )}
      </div>
    </main>
  )
}

function LogIn({ onPassword }: { onPassword(password: string): void }) {
  const setSession = useSetSession()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const form = useForm('Log in', async () => {
    const session = await call('POST /session', { body: { name, password } })
    onPassword(password)
    setSession(session)
  })
  return (
    <>
      <h1>Log in to Hilum</h1>
      <form onSubmit={form.submit}>
        <TextInput
          label="User name"
          autoComplete="username"
          autoFocus
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Password label="Password" autoComplete="current-password" value={password} onChange={setPassword} />
        {form.problem}
        <Button type="submit" loading={form.isBusy} fullWidth>
          Log in
        </Button>
      </form>
      <SingleSignOn />
    </>
  )
}

function ChangePassword({ session, current }: { session: Session; current: string }) {
  const setSession = useSetSession()
  const [oneTime, setOneTime] = useState('')
  const [next, setNext] = useState('')
  const [again, setAgain] = useState('')
  const form = useForm('New password', async () => {
    if (next !== again) throw new Error('The two new passwords are not the same.')
    await call('POST /session/password', { body: { current: current || oneTime, next } })
    const changed = await call('GET /session')
    setSession(changed)
  })
  return (
    <>
      <h1>Choose a password</h1>
      <p className="muted">You are logged in as {session.name} with a one-time password. It ends with this step.</p>
      <form onSubmit={form.submit}>
        <input type="text" name="username" autoComplete="username" value={session.name} readOnly hidden />
        {current === '' && (
          <Password label="One-time password" autoComplete="current-password" value={oneTime} onChange={setOneTime} />
        )}
        <Password label="New password" autoComplete="new-password" value={next} onChange={setNext} autoFocus />
        <Password label="The same again" autoComplete="new-password" value={again} onChange={setAgain} />
        {form.problem}
        <Button type="submit" loading={form.isBusy} fullWidth>
          Set the password
        </Button>
      </form>
    </>
  )
}

interface PasswordProps {
  label: string
  autoComplete: string
  value: string
  onChange(value: string): void
  autoFocus?: boolean
}

function Password({ onChange, ...props }: PasswordProps) {
  return (
    <PasswordInput
      {...props}
      required
      withAsterisk={false}
      visibilityToggleButtonProps={{ 'aria-label': 'Show or hide what is written' }}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

/** A form that says what is wrong in one place, to which the focus goes. */
function useForm(title: string, send: () => Promise<void>) {
  const [isBusy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<string | null>(null)
  const said = useRef<HTMLDivElement>(null)
  useEffect(() => {
    document.title = `${title} · Hilum`
  }, [title])
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    setBusy(true)
    setWrong(null)
    send().catch((error: unknown) => {
      setWrong(sentenceOf(error))
      setBusy(false)
      said.current?.focus()
    })
  }
  const problem: ReactNode = (
    <div ref={said} role="alert" tabIndex={-1} className={wrong === null ? 'login-quiet' : 'login-wrong tone-bad'}>
      {wrong}
    </div>
  )
  return { isBusy, submit, problem }
}
