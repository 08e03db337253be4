import { Button, Menu, Skeleton, Tabs } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconDots, IconDownload, IconTrash } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation, useSearchParams } from 'wouter'
import { type AnswerOf, addressOf, call, callWithTag } from '../../api/call.ts'
import type { Problem } from '../../api/problem.ts'
import type { RouteDraft, RouteProblem } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { useConfirm } from '../../parts/confirm.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Page } from '../../parts/page.tsx'
import { Empty, ProblemAlert } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { actorName, plural } from '../../words.ts'
import { ActivateDialog } from './activate-dialog.tsx'
import { BuilderTab } from './builder-tab.tsx'
import { ReplayTab } from './replay-tab.tsx'
import { anchorOf, asSentence, firstLine, placeName } from './route-words.ts'
import { TestTab } from './test-tab.tsx'
import { type Editing, useDraft } from './use-draft.ts'
import { VersionsTab } from './versions-tab.tsx'
import './route.css'
import './builder.css'
import './trials.css'

type Detail = AnswerOf<'GET /routes/{name}'>
type Beginning = Parameters<typeof useDraft>[1]
const back = { href: '/routes', label: 'Routes' }

/** One route: built, tested, replayed, put in force, and returned to what it was. */
export function RoutePage({ name }: { name: string }) {
  const detail = useApi('GET /routes/{name}', { path: { name } })
  const client = useQueryClient()
  const [round, setRound] = useState(0)
  const hasDraft = detail.data?.draft != null
  const may = useMay()
  const mayWrite = may('GET /routes/{name}/draft')
  // Asked once: what somebody writes is not replaced by what is asked for meanwhile.
  const tagged = useQuery({
    queryKey: ['draft to edit', name],
    queryFn: () => callWithTag('GET /routes/{name}/draft', { path: { name } }),
    enabled: hasDraft && mayWrite,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  })
  const [begun, setBegun] = useState<Beginning | null>(null)
  const beginning =
    begun ?? (detail.data ? beginningOf(detail.data, mayWrite ? tagged.data : undefined, mayWrite) : null)
  // What comes first is held: what is asked for again while somebody writes replaces nothing.
  if (begun === null && beginning !== null) setBegun(beginning)
  const error = detail.error ?? tagged.error
  if (!detail.data || !begun)
    return (
      <Page title={name} back={back} lead=" ">
        {error && !detail.data ? (
          detail.error?.status === 404 ? (
            <div className="panel">
              <Empty title="There is no such route">It may have been a draft that was thrown away.</Empty>
            </div>
          ) : (
            <ProblemAlert error={error} onRetry={() => void detail.refetch()} />
          )
        ) : (
          <Skeleton height={520} radius="lg" />
        )}
      </Page>
    )
  const beginAnew = async () => {
    client.removeQueries({ queryKey: ['draft to edit', name] })
    await detail.refetch()
    setBegun(null)
    setRound(round + 1)
  }
  return <Loaded key={round} detail={detail.data} begin={begun} onAnew={() => void beginAnew()} />
}

function beginningOf(
  { draft, versions, activeVersion }: Detail,
  tagged: { answer: RouteDraft; etag: string | null } | undefined,
  mayWrite: boolean,
): Beginning | null {
  if (draft && mayWrite)
    return tagged ? { draft: tagged.answer, etag: tagged.etag, definition: tagged.answer.definition } : null
  const shown = versions.find(({ version }) => version === activeVersion) ?? versions[0]
  const definition = shown?.definition ?? draft?.definition
  return definition ? { draft: null, etag: null, definition } : null
}

const tabs = ['builder', 'test', 'replay', 'versions'] as const

function Loaded({ detail, begin, onAnew }: { detail: Detail; begin: Beginning; onAnew(): void }) {
  const { name, activeVersion } = detail
  const may = useMay()
  const [search, setSearch] = useSearchParams()
  const tab = tabs.find((one) => one === search.get('tab')) ?? 'builder'
  const editing = useDraft(name, begin)
  const { definition, draft, state, change } = editing
  const [checked] = useDebouncedValue(definition, 350)
  const validation = useQuery<{ problems: RouteProblem[] }, Problem>({
    queryKey: ['POST /routes/validate', checked],
    queryFn: () =>
      call('POST /routes/validate', { body: { definition: checked as unknown as Record<string, unknown> } }),
    enabled: may('POST /routes/validate'),
    placeholderData: (before) => before,
  })
  const problems = validation.data?.problems ?? []
  const [isAsking, setAsking] = useState(false)
  const readOnly = !may('PUT /routes/{name}/draft')
  const isDraft = draft !== null || state === 'changed' || state === 'saving'
  const inForce = detail.versions.find(({ version }) => version === activeVersion)
  const activate = async () => {
    if (await editing.save()) setAsking(true)
  }
  return (
    <Page
      title={name}
      back={back}
      mark={
        <>
          {activeVersion !== null &&
            (inForce?.definition.enabled === false ? (
              <StateBadge state="disabled" label={`Version ${activeVersion}, switched off`} />
            ) : (
              <StateBadge state="active" label={`Version ${activeVersion} in force`} />
            ))}
          {activeVersion === null && detail.versions.length > 0 && <StateBadge state="disabled" label="Not in force" />}
          {isDraft && <StateBadge state="draft" />}
        </>
      }
      lead={definition.description || ' '}
      actions={
        <>
          <Saved editing={editing} />
          {isDraft && may('POST /routes/{name}/activate') && (
            <Button
              onClick={() => void activate()}
              disabled={problems.length > 0 || state === 'conflict'}
              title={problems.length > 0 ? 'Something has to be mended first' : undefined}
            >
              Put in force…
            </Button>
          )}
          <RouteMenu detail={detail} editing={editing} isDraft={isDraft} onAnew={onAnew} />
        </>
      }
    >
      {state === 'conflict' && <Conflict editing={editing} />}
      {state === 'failed' && (
        <ProblemAlert title="The draft is not saved" error={editing.error} onRetry={() => void editing.save()} />
      )}
      {isDraft && problems.length > 0 && <Problems problems={problems} />}
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => setSearch(next === null || next === 'builder' ? {} : { tab: next }, { replace: true })}
        className="route-tabs"
      >
        <Tabs.List>
          <Tabs.Tab value="builder">Builder</Tabs.Tab>
          {may('POST /routes/test') && <Tabs.Tab value="test">Test</Tabs.Tab>}
          {may('POST /routes/replay') && <Tabs.Tab value="replay">Replay</Tabs.Tab>}
          <Tabs.Tab value="versions">Versions</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="builder">
          <BuilderTab definition={definition} problems={problems} readOnly={readOnly} change={change} />
        </Tabs.Panel>
        <Tabs.Panel value="test">
          <TestTab name={name} definition={definition} isDraft={isDraft} save={editing.save} />
        </Tabs.Panel>
        <Tabs.Panel value="replay">
          <ReplayTab definition={definition} isDraft={isDraft} />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <VersionsTab detail={detail} hasDraft={isDraft} onReturned={onAnew} />
        </Tabs.Panel>
      </Tabs>
      {isAsking && (
        <ActivateDialog
          name={name}
          definition={definition}
          etag={editing.etag}
          activeVersion={activeVersion}
          onClose={() => setAsking(false)}
          onDone={() => {
            setAsking(false)
            onAnew()
          }}
        />
      )}
    </Page>
  )
}

function Saved({ editing: { state, draft } }: { editing: Editing }) {
  const words =
    state === 'changed' || state === 'saving'
      ? 'Saving…'
      : state === 'saved' && draft
        ? 'Draft saved'
        : state === 'conflict' || state === 'failed'
          ? 'Not saved'
          : ''
  return (
    <span className="route-saved muted" role="status" title={draft ? `by ${actorName(draft.updatedBy)}` : undefined}>
      {words}
    </span>
  )
}

/** Somebody else has changed the draft: theirs or mine, said kindly. */
function Conflict({ editing: { other, takeTheirs, keepMine } }: { editing: Editing }) {
  return (
    <div className="problem tone-warn route-conflict" role="alert">
      <div className="problem-words">
        <strong>
          {other ? `${actorName(other.updatedBy)} has changed this draft too` : 'The draft is not there any more'}
        </strong>
        <div>
          {other ? (
            <>
              <TimeAgo at={other.updatedAt} />. What you wrote is still here, and not saved yet.
            </>
          ) : (
            'Somebody has thrown it away, or put it in force. What you wrote is still here.'
          )}
        </div>
      </div>
      <Button size="xs" variant="default" onClick={keepMine}>
        Keep mine
      </Button>
      {other && (
        <Button size="xs" variant="default" onClick={takeTheirs}>
          Take theirs
        </Button>
      )}
    </div>
  )
}

/** What has to be mended before the draft can be put in force; each leads to its place. */
function Problems({ problems }: { problems: readonly RouteProblem[] }) {
  const [, setSearch] = useSearchParams()
  const go = (path: string) => {
    setSearch({}, { replace: true })
    setTimeout(() => {
      const place = document.getElementById(anchorOf(path))
      place?.scrollIntoView({ block: 'start', behavior: 'smooth' })
      place?.querySelector<HTMLElement>('input, select, [contenteditable]')?.focus({ preventScroll: true })
    }, 50)
  }
  return (
    <div className="problem tone-warn route-problems" role="status">
      <div className="problem-words">
        <strong>
          {problems.length === 1 ? 'One thing is' : `${plural(problems.length, 'thing')} are`} missing before it can be
          put in force
        </strong>
        <ul>
          {problems.map(({ path, expectation }) => (
            <li key={path + expectation}>
              <button type="button" className="route-linklike" onClick={() => go(path)}>
                {placeName(path)}
              </button>
              : {asSentence(firstLine(expectation))}
            </li>
          ))}
        </ul>
      </div>
    </div>
  )
}

function RouteMenu({
  detail,
  editing,
  isDraft,
  onAnew,
}: {
  detail: Detail
  editing: Editing
  isDraft: boolean
  onAnew(): void
}) {
  const { name, activeVersion, versions } = detail
  const may = useMay()
  const confirm = useConfirm()
  const client = useQueryClient()
  const [, navigate] = useLocation()
  const retire = useAct('DELETE /routes/{name}')
  const discard = async () => {
    const isNew = versions.length === 0
    const yes = await confirm({
      title: `Throw the draft of ${name} away?`,
      text: isNew ? 'The route was never in force: nothing of it remains.' : 'What is in force stays as it is.',
      confirm: 'Throw it away',
      danger: true,
    })
    if (!yes) return
    try {
      await editing.discard()
      toastDone(`The draft of ${name} is thrown away.`)
      if (isNew) navigate('/routes')
      else onAnew()
      void client.invalidateQueries({ queryKey: ['GET /routes'] })
    } catch (error) {
      toastFailed('The draft is still there', error)
    }
  }
  const takeOut = async () => {
    const yes = await confirm({
      title: `Take ${name} out of force?`,
      text: 'Studies are not matched by it any more. Its versions stay, and one of them can be put in force again.',
      confirm: 'Take it out of force',
      danger: true,
    })
    if (yes)
      retire.mutate(
        { path: { name } },
        {
          onSuccess: () => toastDone(`${name} is not in force any more.`),
          onError: (error) => toastFailed(`${name} is still in force`, error),
        },
      )
  }
  const mayDiscard = isDraft && may('DELETE /routes/{name}/draft')
  const mayRetire = activeVersion !== null && may('DELETE /routes/{name}')
  if (!mayDiscard && activeVersion === null) return null
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" aria-label="More" px={10}>
          <IconDots size={18} aria-hidden />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {activeVersion !== null && (
          <Menu.Item
            component="a"
            href={addressOf('GET /routes/export', { query: { name } })}
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            Export as YAML
          </Menu.Item>
        )}
        {mayDiscard && (
          <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void discard()}>
            Throw the draft away…
          </Menu.Item>
        )}
        {mayRetire && (
          <Menu.Item
            color="var(--bad)"
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={() => void takeOut()}
          >
            Take out of force…
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
