import { useLive } from '../api/live.tsx'

/** Whether what is shown changes by itself. */
export function LiveMark() {
  const state = useLive()
  return (
    <span
      className={`live live-${state}`}
      role="status"
      title={
        state === 'live' ? 'What is shown changes by itself.' : 'What is shown may be old: the node is asked again.'
      }
    >
      <span className="live-dot" aria-hidden />
      <span className="live-word">{state === 'live' ? 'Live' : 'Reconnecting'}</span>
    </span>
  )
}
