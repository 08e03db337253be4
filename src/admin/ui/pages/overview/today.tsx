import { Link } from 'wouter'
import type { Overview } from '../../api/schema.ts'
import { Stat } from '../../parts/figures.tsx'
import { lookOf } from '../../parts/state-badge.tsx'
import { bytes, duration, number, plural } from '../../words.ts'

/** Studies finished, failed and late today. */
export function Today({ overview: { today, lateAfter, arriving, running, waiting } }: { overview: Overview }) {
  return (
    <section className="panel today" aria-label="Studies today">
      <Link href="/studies?state=done" className="today-first">
        <span className="today-number">{number(today.finished)}</span>
        <span className="today-words">{today.finished === 1 ? 'study finished today' : 'studies finished today'}</span>
      </Link>
      <div className="today-others">
        <Marked
          state="failed"
          count={today.failed}
          tone="bad"
          href="/studies?state=failed"
          note="today, not solved yet"
        />
        <Marked
          state="late"
          count={today.late}
          tone="warn"
          note={`over ${duration(lateAfter * 1000)} to the last result`}
        />
        <Stat
          label="In progress"
          value={number(arriving.receiving + running.length)}
          note={`${number(arriving.receiving)} arriving, ${plural(running.length, 'job')} running, ${number(waiting.infer + waiting.deliver)} waiting`}
        />
        <Stat
          label="Received today"
          value={number(today.receivedStudies)}
          note={`${plural(today.receivedInstances, 'instance')}, ${bytes(today.receivedBytes)}`}
        />
      </div>
    </section>
  )
}

function Marked({
  state,
  count,
  tone,
  href,
  note,
}: {
  state: string
  count: number
  tone: 'bad' | 'warn'
  href?: string
  note: string
}) {
  const { icon: Icon, word } = lookOf(state)
  const stat = (
    <Stat
      label={word}
      value={
        <span className="today-marked">
          {number(count)}
          {count > 0 && <Icon size={20} stroke={2.2} aria-hidden />}
        </span>
      }
      note={note}
      {...(count > 0 ? { tone } : {})}
    />
  )
  return href && count > 0 ? (
    <Link href={href} className="today-link">
      {stat}
    </Link>
  ) : (
    stat
  )
}
