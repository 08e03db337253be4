import { ActionIcon, Switch } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconGripVertical } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type DragEvent, useState } from 'react'
import { Link } from 'wouter'
import { call, callWithTag } from '../../api/call.ts'
import type { Problem } from '../../api/problem.ts'
import type { RouteDraft, RouteVersion } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { destinationName, pipelineName } from '../../words.ts'
import { priorityName } from '../route/route-words.ts'
import { MatchedDays } from './matched-days.tsx'

/** The routes in force, to be put into another order by dragging or by buttons, and switched on and off. */
export function RouteList({ routes, drafts }: { routes: readonly RouteVersion[]; drafts: readonly RouteDraft[] }) {
  const client = useQueryClient()
  const may = useMay()
  const mayOrder = may('PUT /routes/order') && routes.length > 1
  const [moved, setMoved] = useState<string[] | null>(null)
  const [dragged, setDragged] = useState<string | null>(null)
  const activity = useApi('GET /routes/activity', { query: { days: 14 } })
  const names = moved ?? routes.map(({ name }) => name)
  const byName = new Map(routes.map((route) => [route.name, route]))
  const put = useMutation<unknown, Problem, { from: string[]; to: string[] }>({
    mutationFn: async ({ from, to }) => {
      const { answer, etag } = await callWithTag('GET /routes/order')
      if (JSON.stringify(answer.names) !== JSON.stringify(from))
        throw new Error('The routes have changed meanwhile: look at them again.')
      return await call('PUT /routes/order', { body: { names: to } }, { ifMatch: etag ?? '' })
    },
    onError: (error) => toastFailed('The order is as it was', error),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: ['GET /routes'] })
      setMoved(null)
    },
  })
  const order = (to: string[], isUndo = false) => {
    const from = names
    if (JSON.stringify(from) === JSON.stringify(to)) return
    setMoved(to)
    put.mutate(
      { from, to },
      {
        onSuccess: () =>
          toastDone('The order is changed.', isUndo ? undefined : () => put.mutate({ from: to, to: from })),
      },
    )
  }
  const move = (name: string, by: number) => {
    const at = names.indexOf(name)
    const to = names.filter((one) => one !== name)
    to.splice(at + by, 0, name)
    order(to)
  }
  const over = (event: DragEvent, name: string) => {
    if (dragged === null) return
    event.preventDefault()
    if (dragged === name) return
    const to = names.filter((one) => one !== dragged)
    to.splice(names.indexOf(name), 0, dragged)
    setMoved(to)
  }
  const drop = () => {
    const to = moved
    setDragged(null)
    if (to === null) return
    const from = routes.map(({ name }) => name)
    if (JSON.stringify(from) === JSON.stringify(to)) return setMoved(null)
    put.mutate(
      { from, to },
      { onSuccess: () => toastDone('The order is changed.', () => put.mutate({ from: to, to: from })) },
    )
  }
  return (
    <ol className="panel routes-list" aria-label="Routes in their order">
      {names.map((name, index) => {
        const route = byName.get(name)
        if (!route) return null
        return (
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- dragging is one way; the buttons are the other
          <li
            key={name}
            className={dragged === name ? 'routes-dragged' : undefined}
            onDragOver={(event) => over(event, name)}
            onDrop={drop}
          >
            {mayOrder && (
              <span className="routes-order">
                {/* By the pointer alone: the buttons do the same for everybody. */}
                <span
                  className="routes-grip"
                  draggable
                  aria-hidden
                  title="Drag to another place"
                  onDragStart={(event) => {
                    event.dataTransfer.effectAllowed = 'move'
                    event.dataTransfer.setData('text/plain', name)
                    setDragged(name)
                  }}
                  onDragEnd={() => {
                    setDragged(null)
                    if (!put.isPending) setMoved(null)
                  }}
                >
                  <IconGripVertical size={16} />
                </span>
                <ActionIcon
                  size="sm"
                  variant="subtle"
                  color="gray"
                  aria-label={`Ask ${name} earlier`}
                  disabled={index === 0 || put.isPending}
                  onClick={() => move(name, -1)}
                >
                  <IconArrowUp size={15} aria-hidden />
                </ActionIcon>
                <ActionIcon
                  size="sm"
                  variant="subtle"
                  color="gray"
                  aria-label={`Ask ${name} later`}
                  disabled={index === names.length - 1 || put.isPending}
                  onClick={() => move(name, 1)}
                >
                  <IconArrowDown size={15} aria-hidden />
                </ActionIcon>
              </span>
            )}
            <Words route={route} hasDraft={drafts.some((draft) => draft.name === name)} />
            <MatchedDays of={activity.data?.routes.find((one) => one.route === name)} isAsked={activity.isPending} />
            <OnOff route={route} />
          </li>
        )
      })}
    </ol>
  )
}

function Words({ route: { name, version, definition }, hasDraft }: { route: RouteVersion; hasDraft: boolean }) {
  const installed = useApi('GET /pipelines')
  const { description, pipeline, destinations, priority, shadow, canary, stop, fallback } = definition
  const title =
    installed.data?.pipelines.find((one) => one.name === pipelineName(pipeline))?.title ?? pipelineName(pipeline)
  const to = destinations.map((one) => destinationName(one, 'inside')).join(', ')
  return (
    <div className="routes-words">
      <div className="routes-name">
        <Link href={`/routes/${name}`}>{name}</Link>
        {priority !== 'normal' && (
          <StateBadge state="idle" label={priorityName(priority)} tone={priority === 'urgent' ? 'warn' : 'idle'} />
        )}
        {shadow && <StateBadge state="shadow" />}
        {canary && <StateBadge state="shadow" label={`Canary ${Math.round(canary.fraction * 1000) / 10} %`} />}
        {stop && <StateBadge state="unknown" label="Stops" />}
        {fallback && <StateBadge state="unknown" label="Fallback" />}
        {hasDraft && <StateBadge state="draft" />}
      </div>
      {description && <div>{description}</div>}
      <div className="muted routes-note">
        {title}
        {to !== '' && ` → ${to}`}, version {version}
      </div>
    </div>
  )
}

function OnOff({ route: { name, definition } }: { route: RouteVersion }) {
  const may = useMay()
  const on = useAct('POST /routes/{name}/enable')
  const off = useAct('POST /routes/{name}/disable')
  const isPending = on.isPending || off.isPending
  const isOn = isPending ? on.isPending : definition.enabled
  if (!may('POST /routes/{name}/disable'))
    return <StateBadge state={definition.enabled ? 'active' : 'disabled'} label={definition.enabled ? 'On' : 'Off'} />
  const set = (next: boolean, isUndo = false) =>
    (next ? on : off).mutate(
      { path: { name }, body: {} },
      {
        onSuccess: () =>
          toastDone(
            next ? `${name} is on.` : `${name} is off: it matches nothing.`,
            isUndo ? undefined : () => set(!next, true),
          ),
        onError: (error) => toastFailed(next ? `${name} is still off` : `${name} is still on`, error),
      },
    )
  return (
    <Switch
      className="routes-switch"
      aria-label={`${name} is on`}
      checked={isOn}
      disabled={isPending}
      onChange={(event) => set(event.currentTarget.checked)}
    />
  )
}
