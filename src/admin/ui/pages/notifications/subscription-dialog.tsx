import {
  Button,
  Group,
  Modal,
  NativeSelect,
  NumberInput,
  Stack,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { BodyOf } from '../../api/call.ts'
import type { NotificationSubscription, NotificationTarget } from '../../api/schema.ts'
import { useAct, useApi } from '../../api/use-api.ts'
import { ProblemAlert } from '../../parts/problem-alert.tsx'
import { toastDone } from '../../parts/toast.tsx'
import { type Event, eventNames } from './event-names.ts'
import { Preview } from './preview.tsx'

type Body = BodyOf<'POST /notifications/subscriptions'>

/** What a target is told of: the event, its limits, and the words, with a preview. */
export function SubscriptionDialog(props: {
  target: NotificationTarget
  before: NotificationSubscription | null
  onClose(): void
}) {
  const { target, before, onClose } = props
  const vocabulary = useApi('GET /notifications/vocabulary')
  const findings = useApi('GET /insights/options')
  const [event, setEvent] = useState<Event>(before?.event ?? 'failed')
  const [enabled, setEnabled] = useState(before?.enabled ?? true)
  const [filters, setFilters] = useState(
    before?.filters ?? { routes: [], pipelines: [], modalities: [], findings: [], lateMinutes: 30 },
  )
  const [template, setTemplate] = useState<NonNullable<Body['template']> | null>(before?.template ?? null)
  const done = () => {
    toastDone(before ? 'It is changed.' : `${target.name} is told from now on.`)
    onClose()
  }
  const add = useAct('POST /notifications/subscriptions', { onDone: done })
  const change = useAct('PUT /notifications/subscriptions/{id}', { onDone: done })
  const own = vocabulary.data?.events.find((one) => one.event === event)
  const save = (submitted: FormEvent) => {
    submitted.preventDefault()
    const body: Body = { targetId: target.id, event, enabled, filters, template }
    if (before) change.mutate({ path: { id: before.id }, body, ifMatch: before.etag })
    else add.mutate({ body })
  }
  const problem = add.error ?? change.error ?? vocabulary.error
  const finding = filters.findings[0]
  const names = [...new Set(findings.data?.findings.map(({ name }) => name) ?? [])]
  return (
    <Modal
      opened
      size="lg"
      onClose={onClose}
      title={`Tell ${target.name} of something`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form onSubmit={save}>
        <Stack>
          <NativeSelect
            label="When"
            description={own?.description}
            value={event}
            onChange={(chosen) => {
              setEvent(chosen.currentTarget.value as Event)
              setTemplate(null)
            }}
            data={Object.entries(eventNames).map(([value, label]) => ({ value, label }))}
          />
          {event === 'late' && (
            <NumberInput
              label="Late after"
              suffix=" min"
              min={1}
              value={filters.lateMinutes}
              onChange={(value) => setFilters({ ...filters, lateMinutes: Number(value) || 30 })}
            />
          )}
          {event === 'finding' && (
            <div className="notifications-pair">
              <NativeSelect
                label="Finding"
                value={finding?.name ?? ''}
                onChange={(chosen) => {
                  const name = chosen.currentTarget.value
                  setFilters({
                    ...filters,
                    findings: name === '' ? [] : [{ name, over: finding?.over ?? null, under: finding?.under ?? null }],
                  })
                }}
                data={[{ value: '', label: 'Whatever is measured' }, ...names]}
              />
              {finding && (
                <NumberInput
                  label="Over"
                  value={finding.over ?? ''}
                  onChange={(value) =>
                    setFilters({ ...filters, findings: [{ ...finding, over: value === '' ? null : Number(value) }] })
                  }
                />
              )}
            </div>
          )}
          <TagsInput
            label="Only of these routes"
            description="Empty: of all."
            value={filters.routes}
            onChange={(routes) => setFilters({ ...filters, routes })}
          />
          <TagsInput
            label="Only of these modalities"
            description="Empty: of all."
            value={filters.modalities}
            onChange={(modalities) => setFilters({ ...filters, modalities })}
          />
          <Switch
            label="Words of its own"
            checked={template !== null}
            disabled={!own}
            onChange={(chosen) => setTemplate(chosen.currentTarget.checked && own ? own.template : null)}
          />
          {template && (
            <>
              <TextInput
                label="Subject"
                required
                value={template.subject}
                onChange={(written) => setTemplate({ ...template, subject: written.currentTarget.value })}
              />
              <Textarea
                label="Text"
                required
                autosize
                minRows={4}
                maxRows={14}
                value={template.text}
                onChange={(written) => setTemplate({ ...template, text: written.currentTarget.value })}
              />
              <details>
                <summary>What can stand in it</summary>
                <ul>
                  {vocabulary.data?.placeholders
                    .filter(({ phi }) => target.phi || !phi)
                    .map(({ name, description }) => (
                      <li key={name}>
                        <code>{`{{${name}}}`}</code> {description}
                      </li>
                    ))}
                </ul>
              </details>
            </>
          )}
          <Preview event={event} template={template} phi={target.phi} />
          <Switch label="On" checked={enabled} onChange={(chosen) => setEnabled(chosen.currentTarget.checked)} />
          {problem && <ProblemAlert error={problem} title="Not saved" />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={add.isPending || change.isPending}>
              {before ? 'Save' : 'Tell it'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
