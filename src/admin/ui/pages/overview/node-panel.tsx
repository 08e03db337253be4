import type { Overview } from '../../api/schema.ts'
import { Bytes, TimeAgo } from '../../parts/figures.tsx'
import { StateBadge, type Tone } from '../../parts/state-badge.tsx'
import { bytes, plural } from '../../words.ts'
import { Panel } from './panel.tsx'

const diskWords: Readonly<
  Record<Overview['disk']['state'], { tone: Tone; state: string; label: string; text: string }>
> = {
  enough: { tone: 'good', state: 'good', label: 'Enough', text: '' },
  warn: { tone: 'warn', state: 'warning', label: 'Getting full', text: 'The disk is getting full.' },
  refuse: { tone: 'bad', state: 'failed', label: 'Full', text: 'The disk is full: nothing is taken in.' },
  emergency: {
    tone: 'bad',
    state: 'failed',
    label: 'Full',
    text: 'The disk is full: nothing is taken in, and no job is started.',
  },
}

const processWords = { starting: 'queued', ready: 'good', busy: 'running', ended: 'failed' } as const
const processLabels = { starting: 'Starting', ready: 'Ready', busy: 'Busy', ended: 'Ended' } as const

/** The disk, and the processes that the node is made of. */
export function NodePanel({ overview: { disk, processes, quarantined } }: { overview: Overview }) {
  const used = disk.total > 0 ? 1 - disk.free / disk.total : 0
  const words = diskWords[disk.state]
  return (
    <Panel title="This node" note={quarantined > 0 ? `${plural(quarantined, 'object')} in quarantine` : undefined}>
      <div className={`disk tone-${words.tone}`}>
        <div className="disk-line">
          <b>Disk</b>
          <span className="overview-grow">
            <Bytes of={disk.free} /> free of <Bytes of={disk.total} />
          </span>
          <StateBadge state={words.state} label={words.label} tone={words.tone} />
        </div>
        <div className="disk-bar" aria-hidden>
          <span style={{ width: `${Math.min(100, Math.max(1, used * 100))}%` }} />
        </div>
        <span className="sub">
          {words.text} A warning below {bytes(disk.warnFree)}, nothing is taken in below {bytes(disk.minimumFree)}.
        </span>
      </div>
      <ul className="overview-list">
        {processes.map((one) => (
          <li key={`${one.kind} ${one.name} ${one.pid}`}>
            <span className="overview-grow">
              <b className="overview-process">{one.name}</b>
              <span className="sub">
                {one.residentBytes !== null && (
                  <>
                    <Bytes of={one.residentBytes} /> of memory{one.since !== null && ', '}
                  </>
                )}
                {one.since !== null && (
                  <>
                    started <TimeAgo at={one.since} />
                  </>
                )}
                {one.restarts > 0 && `, ${plural(one.restarts, 'restart')}`}
              </span>
            </span>
            <StateBadge state={processWords[one.state]} label={processLabels[one.state]} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}
