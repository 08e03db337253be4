import type { AnswerOf, BodyOf } from '../api/call.ts'

/** What somebody said of a result. */
export type Feedback = AnswerOf<'GET /feedback'>['feedback'][number]
export type Verdict = Feedback['verdict']
export type GivenFeedback = BodyOf<'POST /results/{sopInstanceUID}/feedback'>

interface VerdictWords {
  /** On the button. */
  act: string
  title: string
  /** The label of its words. */
  asks: string
  /** Once it is given. */
  done: string
  /** Before the name of who gave it. */
  said: string
}

export const verdictWords: Readonly<Record<Verdict, VerdictWords>> = {
  accepted: { act: 'Accept', title: 'Accept the result', asks: 'Remark', done: 'Accepted.', said: 'Accepted' },
  rejected: {
    act: 'Reject',
    title: 'Reject the result',
    asks: 'Why it is wrong',
    done: 'Rejected.',
    said: 'Rejected',
  },
  missed: {
    act: 'Misses something',
    title: 'Something is missing in the result',
    asks: 'What it does not show',
    done: 'Kept as missing something.',
    said: 'Found incomplete',
  },
  corrected: {
    act: 'Corrected',
    title: 'Another object is right',
    asks: 'Remark',
    done: 'Kept as corrected.',
    said: 'Corrected',
  },
  comment: {
    act: 'Comment',
    title: 'Comment on the result',
    asks: 'Comment',
    done: 'The comment is kept.',
    said: 'Commented on',
  },
}

/** Verdicts that say nothing without a reason. */
export const needsReason: ReadonlySet<Verdict> = new Set(['rejected', 'missed', 'comment'])

/** Whose word it is, as `givenBy` names somebody who is logged in. */
export function ownVerdict(given: readonly Feedback[], userName: string): Feedback | undefined {
  return given.find(
    ({ givenBy, verdict, current }) => current && verdict !== 'comment' && givenBy === `user:${userName}`,
  )
}

/** What is said of a result on the whole: what its readers agree on, that they do not, or nothing yet. */
export function agreed(given: readonly Feedback[]): Verdict | 'disputed' | null {
  const said = new Set(
    given.filter(({ current, verdict }) => current && verdict !== 'comment').map((one) => one.verdict),
  )
  const [first, ...others] = said
  if (first === undefined) return null
  return others.length === 0 ? first : 'disputed'
}
