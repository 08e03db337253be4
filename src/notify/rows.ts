import type { NotificationEvent } from './events.ts'
import type { Template } from './placeholders.ts'

/** Of what a subscription tells. */
export interface Filters {
  routes: string[]
  pipelines: string[]
  modalities: string[]
  findings: { name: string; over: number | null; under: number | null }[]
  lateMinutes: number
}

/** What the database keeps of a subscription as JSON. */
export interface StoredSubscription {
  filters: Filters
  template: Template | null
}

export interface SubscriptionRow {
  id: number
  target_id: number
  event: NotificationEvent
  definition: string
  enabled: number
  author: string
  updated_at: string
}

export interface TargetRow {
  id: number
  name: string
  kind: 'webhook' | 'email'
  definition: string
  secrets: string | null
  enabled: number
  phi: number
  author: string
  created_at: string
  updated_at: string
}

/** What the definition of every target says of the pace of its messages. */
export interface Pace {
  mostPerHour: number
  digestMinutes: number
}

export interface EventRow {
  id: number
  at: string
  kind: NotificationEvent
  urgent: number
  study_id: number | null
  subscription_id: number | null
  detail: string
}

export interface MessageRow {
  id: number
  event_id: number
  target_id: number
  subscription_id: number
  event: NotificationEvent
  state: 'waiting' | 'sending' | 'sent' | 'dead'
  urgent: number
  at: string
  run_after: string
  attempts: number
  error: string | null
  sent_at: string | null
  batch: string | null
}
