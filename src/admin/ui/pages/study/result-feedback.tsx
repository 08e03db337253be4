import { ActionIcon, Button, Menu } from '@mantine/core'
import { IconCheck, IconDots, IconEyeOff, IconMessage, IconReplace, IconX } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import type { Result, Timeline } from '../../api/schema.ts'
import { useMay, useSession } from '../../api/session.tsx'
import { useAct, useApi } from '../../api/use-api.ts'
import {
  agreed,
  type Feedback,
  type GivenFeedback,
  ownVerdict,
  type Verdict,
  verdictWords,
} from '../../parts/feedback.ts'
import { TimeAgo } from '../../parts/figures.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { toastDone, toastFailed } from '../../parts/toast.tsx'
import { actorName, plural } from '../../words.ts'
import { resultName } from './names.ts'
import './feedback.css'

const FeedbackDialog = lazy(async () => ({ default: (await import('./feedback-dialog.tsx')).FeedbackDialog }))

/** What was said of the study's results, by result; nothing where somebody may not read it. */
export function useFeedback({ studyInstanceUID }: Timeline): (result: Result) => Feedback[] {
  const may = useMay()
  const { data } = useApi(
    'GET /feedback',
    { query: { studyInstanceUID, limit: 200 } },
    { enabled: may('GET /feedback') },
  )
  return ({ sopInstanceUID }) => data?.feedback.filter((one) => one.sopInstanceUID === sopInstanceUID) ?? []
}

/** That nobody has looked at a result yet, or what its readers say of it. */
export function Verification({ given }: { given: readonly Feedback[] }) {
  const verdict = agreed(given)
  if (verdict === 'disputed') return <StateBadge state="warning" label="Readers disagree" />
  if (verdict === null) return <StateBadge state="unknown" label="Unverified AI result" tone="warn" />
  const people = new Set(given.filter((one) => one.current && one.verdict === verdict).map(({ givenBy }) => givenBy))
  const [first = ''] = people
  return (
    <StateBadge
      state={verdict}
      label={`${verdictWords[verdict].said} by ${people.size === 1 ? actorName(first) : plural(people.size, 'reader')}`}
    />
  )
}

/** The controls by which somebody says what a result is worth; a later verdict takes the place of the same person’s earlier one. */
export function FeedbackActs({ timeline, result, given }: { timeline: Timeline; result: Result; given: Feedback[] }) {
  const { name } = useSession()
  const [asked, setAsked] = useState<Exclude<Verdict, 'accepted'> | null>(null)
  const own = ownVerdict(given, name)?.verdict
  const give = useAct('POST /results/{sopInstanceUID}/feedback', {
    changes: ['GET /feedback', 'GET /studies/{studyInstanceUID}'],
    onDone: ({ verdict }) => {
      setAsked(null)
      toastDone(`${resultName(result)}: ${verdictWords[verdict].done}`)
    },
  })
  const send = (body: GivenFeedback) => give.mutate({ path: { sopInstanceUID: result.sopInstanceUID }, body })
  const accept = () =>
    give.mutate(
      { path: { sopInstanceUID: result.sopInstanceUID }, body: { verdict: 'accepted' } },
      { onError: (error) => toastFailed('The result is not accepted', error) },
    )
  const label = (act: string) => `${act}: ${resultName(result)}`
  return (
    <fieldset className="feedback-acts">
      <legend className="sr-only">What you say of {resultName(result)}</legend>
      <Button
        size="xs"
        variant={own === 'accepted' ? 'light' : 'default'}
        aria-pressed={own === 'accepted'}
        aria-label={label('Accept')}
        leftSection={<IconCheck size={14} aria-hidden />}
        loading={give.isPending && asked === null}
        onClick={accept}
      >
        Accept
      </Button>
      <Button
        size="xs"
        variant={own === 'rejected' ? 'light' : 'default'}
        aria-pressed={own === 'rejected'}
        aria-label={label('Reject')}
        leftSection={<IconX size={14} aria-hidden />}
        onClick={() => setAsked('rejected')}
      >
        Reject
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon size={30} variant="default" aria-label={label('More to say')}>
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconMessage size={16} aria-hidden />} onClick={() => setAsked('comment')}>
            Comment…
          </Menu.Item>
          <Menu.Item leftSection={<IconEyeOff size={16} aria-hidden />} onClick={() => setAsked('missed')}>
            Misses something…
          </Menu.Item>
          <Menu.Item leftSection={<IconReplace size={16} aria-hidden />} onClick={() => setAsked('corrected')}>
            Corrected…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense fallback={null}>
        {asked && (
          <FeedbackDialog
            verdict={asked}
            timeline={timeline}
            result={result}
            isBusy={give.isPending}
            problem={give.error}
            onGive={send}
            onClose={() => {
              setAsked(null)
              give.reset()
            }}
          />
        )}
      </Suspense>
    </fieldset>
  )
}

/** What was said of a result, the newest first. */
export function Said({ given }: { given: Feedback[] }) {
  if (given.length === 0) return null
  return (
    <ul className="feedback-said" aria-label="What was said">
      {given.map(({ id, verdict, givenBy, at, reason, current, verifiedSOPInstanceUID, correctedSOPInstanceUID }) => (
        <li key={id} className={current ? undefined : 'feedback-old'}>
          <StateBadge state={verdict} plain /> <span className="feedback-who">{actorName(givenBy)}</span>{' '}
          <span className="muted">
            <TimeAgo at={at} />
            {!current && ', taken back by a later verdict'}
          </span>
          {reason !== null && <p className="study-line">{reason}</p>}
          {correctedSOPInstanceUID !== null && <p className="study-line muted">Another object says what is right.</p>}
          {verifiedSOPInstanceUID !== null && <p className="study-line muted">A verified report was written.</p>}
        </li>
      ))}
    </ul>
  )
}
