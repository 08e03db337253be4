import { Button, Skeleton } from '@mantine/core'
import { IconArrowBackUp } from '@tabler/icons-react'
import { useState } from 'react'
import type { AnswerOf } from '../../api/call.ts'
import type { RouteVersion } from '../../api/schema.ts'
import { useMay } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import { Answer } from '../../parts/answer.tsx'
import { useConfirm } from '../../parts/confirm.tsx'
import { TimeAgo } from '../../parts/figures.tsx'
import { Empty } from '../../parts/problem-alert.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { actorName } from '../../words.ts'
import { DifferenceList } from './differences.tsx'

type Detail = AnswerOf<'GET /routes/{name}'>

/** Every version with its author, what it changed, and the way back to it. */
export function VersionsTab({
  detail,
  hasDraft,
  onReturned,
}: {
  detail: Detail
  hasDraft: boolean
  onReturned(): void
}) {
  const { name, versions, activations } = detail
  return (
    <div className="route-versions">
      <section className="panel route-panel" aria-labelledby="versions-title">
        <div className="section-head">
          <h2 id="versions-title">Versions</h2>
        </div>
        {versions.length === 0 && (
          <Empty title="No version yet">The first one is made when the draft is activated.</Empty>
        )}
        <ol className="versions">
          {hasDraft && detail.activeVersion !== null && (
            <li>
              <div className="versions-head">
                <b>Draft</b>
                <StateBadge state="draft" />
              </div>
              <Compared name={name} from="active" to="draft" words={`compared with version ${detail.activeVersion}`} />
            </li>
          )}
          {versions.map((version, index) => (
            <Version
              key={version.version}
              version={version}
              before={versions[index + 1]}
              activeVersion={detail.activeVersion}
              onReturned={onReturned}
            />
          ))}
        </ol>
      </section>
      {activations.length > 0 && (
        <section className="panel route-panel" aria-labelledby="activations-title">
          <div className="section-head">
            <h2 id="activations-title">What was in force when</h2>
          </div>
          <ul className="activations">
            {activations.slice(0, 30).map(({ version, actor, comment, at }) => (
              <li key={at + String(version)}>
                <span>{version === null ? 'Taken out of force' : `Version ${version}`}</span>
                <span className="muted">
                  {actorName(actor)}, <TimeAgo at={at} />
                </span>
                {comment && <span>“{comment}”</span>}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

interface VersionProps {
  version: RouteVersion
  before: RouteVersion | undefined
  activeVersion: number | null
  onReturned(): void
}

function Version({ version: one, before, activeVersion, onReturned }: VersionProps) {
  const { name, version, active, author, comment, createdAt } = one
  const may = useMay()
  const confirm = useConfirm()
  const back = useAct('POST /routes/{name}/activate')
  const activate = (to: number, undone: number | null) =>
    back.mutate(
      { path: { name }, body: { version: to } },
      {
        onSuccess: () => {
          toastDone(`Version ${to} of ${name} is in force.`, undone === null ? undefined : () => activate(undone, null))
          onReturned()
        },
        onError: (error) => toastFailed(`Version ${to} is not in force`, error),
      },
    )
  const ask = async () => {
    const yes = await confirm({
      title: `Return to version ${version} of ${name}?`,
      text: (
        <>
          It is in force from the next study on. Results that are there stay.
          {activeVersion !== null && (
            <Compared
              name={name}
              from={String(activeVersion)}
              to={String(version)}
              words={`compared with version ${activeVersion}`}
              isOpen
            />
          )}
        </>
      ),
      confirm: `Return to version ${version}`,
    })
    if (yes) activate(version, activeVersion)
  }
  return (
    <li>
      <div className="versions-head">
        <b>Version {version}</b>
        {active && <StateBadge state="active" label="In force" />}
        <span className="muted">
          {author ? `${actorName(author)}, ` : ''}
          <TimeAgo at={createdAt} />
        </span>
        {!active && may('POST /routes/{name}/activate') && (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconArrowBackUp size={15} aria-hidden />}
            loading={back.isPending}
            onClick={() => void ask()}
          >
            Return to version {version}
          </Button>
        )}
      </div>
      {comment && <p className="versions-comment">“{comment}”</p>}
      {before && (
        <Compared
          name={name}
          from={String(before.version)}
          to={String(version)}
          words={`compared with version ${before.version}`}
        />
      )}
    </li>
  )
}

function Compared({
  name,
  from,
  to,
  words,
  isOpen = false,
}: {
  name: string
  from: string
  to: string
  words: string
  isOpen?: boolean
}) {
  const [isShown, setShown] = useState(isOpen)
  const query = useApi('GET /routes/{name}/diff', { path: { name }, query: { from, to } }, { enabled: isShown })
  return (
    <details className="versions-diff" open={isShown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>What changed, {words}</summary>
      {isShown && (
        <Answer query={query} skeleton={<Skeleton height={50} />}>
          {({ changes }) => <DifferenceList changes={changes} />}
        </Answer>
      )}
    </details>
  )
}
