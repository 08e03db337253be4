import { Button, Checkbox, Group } from '@mantine/core'
import { useState } from 'react'
import type { BodyOf } from '../../api/call.ts'
import type { RefusedCaller } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct } from '../../api/use-api.ts'
import { TimeAgo } from '../../parts/figures.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { plural } from '../../words.ts'

type Permission = NonNullable<BodyOf<'POST /remotes/refused/{id}/admit'>['may']>[number]

/** What a caller may do, in words. */
export const permissionWords: Readonly<Record<Permission, string>> = {
  store: 'send',
  query: 'search',
  retrieve: 'fetch',
}
const permissions = Object.keys(permissionWords) as Permission[]

/** Callers that were refused, each with the reason and the way to let it in. */
export function RefusedSection({ refused }: { refused: RefusedCaller[] }) {
  return (
    <section aria-labelledby="refused">
      <div className="section-head">
        <h2 id="refused">Refused</h2>
        {refused.length > 0 && <span className="muted">{plural(refused.length, 'caller')}</span>}
      </div>
      {refused.length === 0 ? (
        <p className="panel senders-quiet">Nobody was refused. A scanner that is, appears here at once.</p>
      ) : (
        <ul className="senders-refused">
          {refused.map((caller) => (
            <Caller key={caller.id} caller={caller} />
          ))}
        </ul>
      )}
    </section>
  )
}

function Caller({ caller }: { caller: RefusedCaller }) {
  const { id, callingAETitle, address, calledAETitle, reason, times, lastAt, useless } = caller
  const may = useMay()
  const [chosen, setChosen] = useState<Permission[]>(['store'])
  const name = callingAETitle || 'Several callers'
  const admit = useAct('POST /remotes/refused/{id}/admit', {
    onDone: () => toastDone(`${name} may call from ${address} now.`),
  })
  const forget = useAct('DELETE /remotes/refused/{id}', { onDone: () => toastDone(`${name} is forgotten.`) })
  const path = { id }
  return (
    <li className="panel senders-caller">
      <div className="senders-who">
        <b>{name}</b>{' '}
        <span className="muted">
          from {address}, called {calledAETitle || 'nobody'}
        </span>
        <div>{reason}</div>
        <span className="sub">
          {plural(times, 'time')}, last <TimeAgo at={lastAt} />
        </span>
        {useless !== null && <div className="muted">{useless}</div>}
      </div>
      {may('remotes.manage') && (
        <Group gap="md">
          {useless === null && (
            <>
              <Group gap="sm" role="group" aria-label={`What ${name} may do`}>
                {permissions.map((one) => (
                  <Checkbox
                    key={one}
                    label={permissionWords[one]}
                    checked={chosen.includes(one)}
                    onChange={(event) => {
                      const isOn = event.currentTarget.checked
                      setChosen((before) =>
                        permissions.filter((other) => (other === one ? isOn : before.includes(other))),
                      )
                    }}
                  />
                ))}
              </Group>
              <Button
                size="xs"
                disabled={chosen.length === 0}
                loading={admit.isPending}
                onClick={() =>
                  admit.mutate(
                    { path, body: { may: chosen } },
                    { onError: (error) => toastFailed(`${name} is not admitted`, error) },
                  )
                }
              >
                Admit
              </Button>
            </>
          )}
          <Button
            size="xs"
            variant="default"
            loading={forget.isPending}
            onClick={() => forget.mutate({ path }, { onError: (error) => toastFailed(`${name} stays listed`, error) })}
          >
            Forget
          </Button>
        </Group>
      )}
    </li>
  )
}
