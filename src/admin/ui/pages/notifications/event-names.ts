import type { NotificationSubscription } from '../../api/schema.ts'

export type Event = NotificationSubscription['event']

/** Events as people call them. */
export const eventNames: Readonly<Record<Event, string>> = {
  received: 'A study arrives',
  completed: 'A study is complete',
  matched: 'A route matches',
  finding: 'Something was measured',
  critical: 'A finding is critical',
  delivered: 'Results are delivered',
  failed: 'Something has failed',
  late: 'A study is late',
  disk: 'Disk space',
  drift: 'Drift',
  'destination-down': 'A destination is down',
  certificate: 'A certificate expires',
  quarantine: 'Something is in quarantine',
  schedule: 'A schedule has failed',
  report: 'The report of the week',
}
