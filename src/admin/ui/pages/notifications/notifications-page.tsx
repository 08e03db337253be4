import { useSearchParams } from 'wouter'
import { Page } from '../../parts/page.tsx'
import { MessagesSection } from './messages-section.tsx'
import { TargetsSection } from './targets-section.tsx'
import './notifications.css'

/** Who is told of what, and what was sent. */
export function NotificationsPage() {
  const [params, setParams] = useSearchParams()
  const isLog = params.get('part') === 'log'
  return (
    <Page title="Notifications" lead="Who is told of what: by e-mail, or by a webhook to another program.">
      <div className="choices notifications-parts" role="group" aria-label="Part">
        <button type="button" aria-pressed={!isLog} onClick={() => setParams({})}>
          Targets
        </button>
        <button type="button" aria-pressed={isLog} onClick={() => setParams({ part: 'log' })}>
          Log
        </button>
      </div>
      {isLog ? <MessagesSection /> : <TargetsSection />}
    </Page>
  )
}
