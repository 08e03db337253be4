import { Button, Modal } from '@mantine/core'
import { IconPlugConnected } from '@tabler/icons-react'
import { useState } from 'react'
import type { Destination, DestinationTest } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct } from '../../api/use-api.ts'
import { useConfirm } from '../../parts/confirm.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { TestSteps } from '../../parts/test-steps.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { destinationName, plural } from '../../words.ts'

const origins = { 'built-in': 'built in', file: 'in the configuration file', api: 'added here' } as const

/** A destination: how deliveries to it went, and its test. */
export function DestinationCard({ destination, onEdit }: { destination: Destination; onEdit(): void }) {
  const { name, url, kind, auth, origin, usedBy, health, lastTest, etag } = destination
  const may = useMay()
  const confirm = useConfirm()
  const [shown, setShown] = useState<DestinationTest | null>(null)
  const called = destinationName(name)
  const test = useAct('POST /destinations/{name}/echo', {
    changes: ['GET /destinations', 'GET /certificates'],
    onDone: setShown,
  })
  const remove = useAct('DELETE /destinations/{name}', { onDone: () => toastDone(`${called} is removed.`) })
  const path = { name }
  const ask = async () => {
    const isSure = await confirm({
      title: `Remove ${called}?`,
      text: 'Nothing is delivered there any more. What is there stays there.',
      confirm: `Remove ${called}`,
      danger: true,
    })
    if (isSure)
      remove.mutate({ path, ifMatch: etag }, { onError: (error) => toastFailed(`${called} is still there`, error) })
  }
  return (
    <li className="panel destinations-card">
      <div className="destinations-head">
        <h2>{called}</h2>
        <Health destination={destination} />
      </div>
      <dl className="destinations-facts">
        <dt>Address</dt>
        <dd>{kind === 'self' ? 'the archive of this node' : url}</dd>
        {kind !== 'self' && (
          <>
            <dt>Login</dt>
            <dd>{loginOf(auth)}</dd>
          </>
        )}
        <dt>Routes</dt>
        <dd>{usedBy.length > 0 ? usedBy.join(', ') : <span className="muted">none delivers here</span>}</dd>
        <dt>Deliveries</dt>
        <dd>
          {health.lastSuccessAt ? <TimeAgo at={health.lastSuccessAt} prefix="last" /> : 'none yet'}
          {health.pending > 0 && `, ${plural(health.pending, 'object')} on the way`}
          {health.failed > 0 && `, ${plural(health.failed, 'object')} given up`}
        </dd>
        {lastTest && (
          <>
            <dt>Last test</dt>
            <dd>
              <StateBadge plain state={lastTest.ok ? 'success' : 'failure'} label={lastTest.ok ? 'Passed' : 'Failed'} />{' '}
              <TimeAgo at={lastTest.at} />
            </dd>
          </>
        )}
        <dt>Defined</dt>
        <dd>{origins[origin]}</dd>
      </dl>
      {health.lastError && <div className="destinations-wrong">{health.lastError}</div>}
      {health.paused && <div className="muted">{health.paused}</div>}
      <div className="destinations-acts">
        {may('destinations.test') && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlugConnected size={15} aria-hidden />}
            loading={test.isPending}
            aria-label={`Test ${called}`}
            onClick={() =>
              test.mutate({ path }, { onError: (error) => toastFailed(`${called} was not tested`, error) })
            }
          >
            Test
          </Button>
        )}
        {lastTest && (
          <Button size="xs" variant="subtle" aria-label={`Last test of ${called}`} onClick={() => setShown(lastTest)}>
            Last test
          </Button>
        )}
        {origin === 'api' && may('destinations.manage') && (
          <>
            <Button size="xs" variant="default" aria-label={`Change ${called}`} onClick={onEdit}>
              Change
            </Button>
            <Button
              size="xs"
              variant="default"
              aria-label={`Remove ${called}`}
              loading={remove.isPending}
              onClick={() => void ask()}
            >
              Remove
            </Button>
          </>
        )}
      </div>
      {shown && (
        <Modal
          opened
          size="lg"
          onClose={() => setShown(null)}
          title={`Test of ${called}`}
          closeButtonProps={{ 'aria-label': 'Close' }}
        >
          <TestSteps {...shown} />
        </Modal>
      )}
    </li>
  )
}

function Health({ destination: { health } }: { destination: Destination }) {
  if (health.paused) return <StateBadge state="paused" />
  if (health.lastError) return <StateBadge state="failure" label="Last delivery failed" />
  if (health.lastSuccessAt) return <StateBadge state="good" label="Works" />
  return <StateBadge state="unknown" label="Not used yet" />
}

function loginOf({ kind, username }: Destination['auth']): string {
  if (kind === 'none') return 'none'
  return kind === 'basic' ? `user ${username ?? ''}` : 'bearer token'
}
