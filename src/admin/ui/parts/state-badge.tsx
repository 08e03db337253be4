import {
  IconAlertTriangle,
  IconBan,
  IconCheck,
  IconCircleCheck,
  IconCircleDashed,
  IconClock,
  IconDownload,
  IconEye,
  IconEyeOff,
  IconLoader2,
  IconMessage,
  IconMinus,
  IconPlayerPause,
  IconSend,
  IconX,
  type TablerIcon,
} from '@tabler/icons-react'
import './state-badge.css'

/** What a colour says: that it is well, that it failed, that it runs, that somebody should look, or nothing. */
export type Tone = 'good' | 'bad' | 'busy' | 'warn' | 'idle'

interface Look {
  tone: Tone
  icon: TablerIcon
  word: string
}

/** Every state of studies, jobs, deliveries and other things, by its name in the API: a colour, a sign and a word. */
const looks: Readonly<Record<string, Look>> = {
  receiving: { tone: 'busy', icon: IconDownload, word: 'Receiving' },
  complete: { tone: 'busy', icon: IconCheck, word: 'Complete' },
  processing: { tone: 'busy', icon: IconLoader2, word: 'Processing' },
  done: { tone: 'good', icon: IconCircleCheck, word: 'Done' },
  failed: { tone: 'bad', icon: IconX, word: 'Failed' },
  late: { tone: 'warn', icon: IconClock, word: 'Late' },
  queued: { tone: 'idle', icon: IconClock, word: 'Waiting' },
  running: { tone: 'busy', icon: IconLoader2, word: 'Running' },
  paused: { tone: 'warn', icon: IconPlayerPause, word: 'Paused' },
  refused: { tone: 'warn', icon: IconBan, word: 'Refused' },
  pending: { tone: 'idle', icon: IconClock, word: 'Waiting' },
  sent: { tone: 'busy', icon: IconSend, word: 'Sent' },
  verified: { tone: 'good', icon: IconCircleCheck, word: 'Verified' },
  matched: { tone: 'good', icon: IconCheck, word: 'Matched' },
  unmatched: { tone: 'idle', icon: IconMinus, word: 'No match' },
  shadow: { tone: 'idle', icon: IconEye, word: 'Shadow' },
  deleted: { tone: 'idle', icon: IconMinus, word: 'Deleted' },
  quarantined: { tone: 'warn', icon: IconAlertTriangle, word: 'Quarantined' },
  reingested: { tone: 'good', icon: IconCheck, word: 'Taken in' },
  discarded: { tone: 'idle', icon: IconMinus, word: 'Discarded' },
  accepted: { tone: 'good', icon: IconCheck, word: 'Accepted' },
  rejected: { tone: 'bad', icon: IconX, word: 'Rejected' },
  corrected: { tone: 'warn', icon: IconAlertTriangle, word: 'Corrected' },
  missed: { tone: 'bad', icon: IconEyeOff, word: 'Misses something' },
  comment: { tone: 'idle', icon: IconMessage, word: 'Comment' },
  active: { tone: 'good', icon: IconCircleCheck, word: 'Active' },
  draft: { tone: 'idle', icon: IconCircleDashed, word: 'Draft' },
  disabled: { tone: 'idle', icon: IconMinus, word: 'Disabled' },
  good: { tone: 'good', icon: IconCircleCheck, word: 'Good' },
  success: { tone: 'good', icon: IconCircleCheck, word: 'Success' },
  failure: { tone: 'bad', icon: IconX, word: 'Failure' },
  warning: { tone: 'warn', icon: IconAlertTriangle, word: 'Warning' },
  unknown: { tone: 'idle', icon: IconCircleDashed, word: 'Not known' },
}

/** The sign and the colour of a state. */
export function lookOf(state: string): Look {
  return looks[state] ?? { tone: 'idle', icon: IconCircleDashed, word: state }
}

export interface StateBadgeProps {
  state: string
  /** In place of the state's own word. */
  label?: string
  /** In place of the state's own colour. */
  tone?: Tone
  /** Without its background, in a dense list. */
  plain?: boolean
}

/** The mark of a state: colour, sign and word, so that none of them is alone. */
export function StateBadge({ state, label, tone, plain = false }: StateBadgeProps) {
  const look = lookOf(state)
  const Icon = look.icon
  const turns = look.icon === IconLoader2 ? ' turns' : ''
  return (
    <span className={`state state-${tone ?? look.tone}${plain ? ' state-plain' : ''}`}>
      <Icon size={14} stroke={2.2} aria-hidden className={`state-sign${turns}`} />
      {label ?? look.word}
    </span>
  )
}
