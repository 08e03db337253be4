import type { ScheduleRun } from '../../api/schema.ts'

/** How a run ended, as a mark: null for one that goes on. */
export function outcomeOf(outcome: ScheduleRun['outcome']): { state: string; label?: string } {
  if (outcome === null) return { state: 'running' }
  if (outcome === 'done' || outcome === 'failed') return { state: outcome }
  return { state: 'warning', label: outcome === 'missed' ? 'Missed' : 'Interrupted' }
}
