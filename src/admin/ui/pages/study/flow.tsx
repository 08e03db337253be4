import {
  IconArrowsSplit2,
  IconChecks,
  IconCpu,
  IconDownload,
  IconFileAnalytics,
  IconSend,
  type TablerIcon,
} from '@tabler/icons-react'
import type { Timeline } from '../../api/schema.ts'
import { clock, duration, exactly } from '../../words.ts'
import { type StageKey, stagesOf } from './stages.ts'
import './flow.css'

const icons: Readonly<Record<StageKey, TablerIcon>> = {
  received: IconDownload,
  complete: IconChecks,
  routes: IconArrowsSplit2,
  jobs: IconCpu,
  results: IconFileAnalytics,
  deliveries: IconSend,
}

/** The way of the study through the node: six stages, how each went, and how long after the first instance. */
export function Flow({ timeline }: { timeline: Timeline }) {
  const start = Date.parse(timeline.arrivals[0]?.at ?? timeline.createdAt)
  return (
    <ol className="flow" aria-label="The way of the study">
      {stagesOf(timeline).map(({ key, title, text, tone, phase, at }) => {
        const Icon = icons[key]
        return (
          <li key={key} className={`flow-stage flow-${phase} tone-${tone}`}>
            <a href={`#${key}`} className="flow-link" onClick={(event) => goTo(event, key)}>
              <span className="flow-sign">
                <Icon size={20} stroke={1.8} aria-hidden />
              </span>
              <span className="flow-title">{title}</span>
              <span className="flow-text">{text}</span>
            </a>
            <span className="flow-time" title={at === null ? undefined : exactly(at)}>
              {at === null
                ? ' '
                : key === 'received'
                  ? clock(at)
                  : `+ ${duration(Math.max(0, Date.parse(at) - start))}`}
            </span>
          </li>
        )
      })}
    </ol>
  )
}

function goTo(event: { preventDefault(): void }, key: StageKey): void {
  event.preventDefault()
  const section = document.getElementById(key)
  section?.scrollIntoView({ block: 'start' })
  section?.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true })
}
