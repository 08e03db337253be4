import { Button, Group, Modal, Skeleton } from '@mantine/core'
import { IconBell, IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import type { NotificationSubscription, NotificationTarget, NotificationTest } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { useConfirm } from '../../parts/confirm.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { TestSteps } from '../../parts/test-steps.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { number, plural } from '../../words.ts'
import { eventNames } from './event-names.ts'
import { SubscriptionDialog } from './subscription-dialog.tsx'
import { TargetDialog } from './target-dialog.tsx'

/** Those who are told, each with what it is told of. */
export function TargetsSection() {
  const may = useMay()
  const targets = useApi('GET /notifications/targets', undefined, { every: 30_000 })
  const subscriptions = useApi('GET /notifications/subscriptions')
  const [edited, setEdited] = useState<NotificationTarget | 'new' | null>(null)
  const add = may('notifications.manage') && (
    <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setEdited('new')}>
      Add a target
    </Button>
  )
  return (
    <section aria-labelledby="targets">
      <Answer query={targets} skeleton={<Skeleton height={260} radius="lg" />}>
        {({ targets: list }) => (
          <>
            <div className="section-head">
              <h2 id="targets">{plural(list.length, 'target')}</h2>
              {add}
            </div>
            {list.length === 0 ? (
              <div className="panel">
                <Empty icon={IconBell} title="Nobody is told of anything yet">
                  A target is a list of e-mail addresses, or the address of another program.
                </Empty>
              </div>
            ) : (
              <ul className="notifications-list">
                {list.map((target) => (
                  <Target
                    key={target.id}
                    target={target}
                    subscriptions={(subscriptions.data?.subscriptions ?? []).filter(
                      ({ targetId }) => targetId === target.id,
                    )}
                    onEdit={() => setEdited(target)}
                  />
                ))}
              </ul>
            )}
          </>
        )}
      </Answer>
      {edited && <TargetDialog before={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </section>
  )
}

function Target(props: { target: NotificationTarget; subscriptions: NotificationSubscription[]; onEdit(): void }) {
  const { target, subscriptions, onEdit } = props
  const { id, name, via, enabled, phi, counts, lastAttempt, etag } = target
  const may = useMay()
  const confirm = useConfirm()
  const [tested, setTested] = useState<NotificationTest | null>(null)
  const [edited, setEdited] = useState<NotificationSubscription | 'new' | null>(null)
  const path = { id }
  const test = useAct('POST /notifications/targets/{id}/test', {
    changes: ['GET /notifications/targets'],
    onDone: setTested,
  })
  const remove = useAct('DELETE /notifications/targets/{id}', { onDone: () => toastDone(`${name} is removed.`) })
  const ask = async () => {
    const isSure = await confirm({
      title: `Remove ${name}?`,
      text: 'What waits to be sent to it is removed as well.',
      confirm: `Remove ${name}`,
      danger: true,
    })
    if (isSure)
      remove.mutate({ path, ifMatch: etag }, { onError: (error) => toastFailed(`${name} is still there`, error) })
  }
  return (
    <li className="panel notifications-target">
      <div className="section-head">
        <div className="notifications-words">
          <h3>
            {name}
            {!enabled && <StateBadge state="disabled" label="Off" />}
            {enabled && lastAttempt && (
              <StateBadge state={lastAttempt.ok ? 'good' : 'failure'} label={lastAttempt.ok ? 'Works' : 'Fails'} />
            )}
            {phi && <StateBadge state="warning" label="Is told who the patient is" />}
          </h3>
          <div>{via.kind === 'webhook' ? via.url : `${via.to.join(', ')} by ${via.host}`}</div>
          <span className="sub">
            {plural(counts.sentToday, 'message')} in the last day
            {counts.waiting > 0 && `, ${number(counts.waiting)} waiting`}
            {counts.dead > 0 && `, ${number(counts.dead)} given up`}
            {lastAttempt && (
              <>
                ; <TimeAgo at={lastAttempt.at} prefix="last" />
              </>
            )}
          </span>
          {lastAttempt && !lastAttempt.ok && <div>{lastAttempt.answer}</div>}
        </div>
        {may('notifications.manage') && (
          <Group gap={6}>
            <Button
              size="xs"
              variant="default"
              loading={test.isPending}
              aria-label={`Test ${name}`}
              onClick={() =>
                test.mutate({ path }, { onError: (error) => toastFailed(`${name} was not tested`, error) })
              }
            >
              Test
            </Button>
            <Button size="xs" variant="default" aria-label={`Change ${name}`} onClick={onEdit}>
              Change
            </Button>
            <Button
              size="xs"
              variant="default"
              aria-label={`Remove ${name}`}
              loading={remove.isPending}
              onClick={() => void ask()}
            >
              Remove
            </Button>
          </Group>
        )}
      </div>
      <ul className="notifications-told" aria-label={`What ${name} is told of`}>
        {subscriptions.map((subscription) => (
          <Subscription key={subscription.id} subscription={subscription} onEdit={() => setEdited(subscription)} />
        ))}
      </ul>
      {subscriptions.length === 0 && <span className="muted">It is told of nothing yet.</span>}
      {may('notifications.manage') && (
        <div>
          <Button
            size="xs"
            variant="subtle"
            leftSection={<IconPlus size={14} aria-hidden />}
            aria-label={`Tell it of something: ${name}`}
            onClick={() => setEdited('new')}
          >
            Tell it of something
          </Button>
        </div>
      )}
      {tested && (
        <Modal
          opened
          size="lg"
          onClose={() => setTested(null)}
          title={`Test of ${name}`}
          closeButtonProps={{ 'aria-label': 'Close' }}
        >
          <TestSteps {...tested} />
        </Modal>
      )}
      {edited && (
        <SubscriptionDialog target={target} before={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />
      )}
    </li>
  )
}

function Subscription({ subscription, onEdit }: { subscription: NotificationSubscription; onEdit(): void }) {
  const { id, event, enabled, filters, template, etag } = subscription
  const may = useMay()
  const remove = useAct('DELETE /notifications/subscriptions/{id}', {
    onDone: () => toastDone('It is not told of that any more.'),
  })
  const limits = [
    filters.routes.length > 0 && `routes ${filters.routes.join(', ')}`,
    filters.pipelines.length > 0 && `pipelines ${filters.pipelines.join(', ')}`,
    filters.modalities.length > 0 && filters.modalities.join(', '),
    ...filters.findings.map(
      ({ name, over, under }) =>
        `${name}${over === null ? '' : ` over ${number(over, 3)}`}${under === null ? '' : ` under ${number(under, 3)}`}`,
    ),
    event === 'late' && `after ${plural(filters.lateMinutes, 'minute')}`,
    template !== null && 'words of its own',
  ].filter(Boolean)
  return (
    <li>
      <span className="notifications-words">
        {eventNames[event]}
        {limits.length > 0 && <span className="sub">{limits.join('; ')}</span>}
      </span>
      {!enabled && <StateBadge state="disabled" label="Off" />}
      {may('notifications.manage') && (
        <Group gap={6}>
          <Button size="compact-sm" variant="subtle" aria-label={`Change: ${eventNames[event]}`} onClick={onEdit}>
            Change
          </Button>
          <Button
            size="compact-sm"
            variant="subtle"
            aria-label={`Remove: ${eventNames[event]}`}
            loading={remove.isPending}
            onClick={() =>
              remove.mutate(
                { path: { id }, ifMatch: etag },
                { onError: (error) => toastFailed('It is still told of that', error) },
              )
            }
          >
            Remove
          </Button>
        </Group>
      )}
    </li>
  )
}
