import type { Pause } from '../../api/schema.ts'
import { destinationName } from '../../words.ts'

/** What is paused, in words. */
export function pauseTitle({ scope, name }: Pick<Pause, 'scope' | 'name'>): string {
  if (scope === 'all') return 'Everything is paused'
  if (scope === 'kind') return name === 'infer' ? 'Inferences are paused' : 'Deliveries are paused'
  if (scope === 'pipeline') return `The pipeline ${name} is paused`
  return `Deliveries to ${destinationName(name, 'inside')} are paused`
}

/** The node's sentence of a pause, with the name of who paused. */
export function heldWords(sentence: string): string {
  const words = sentence.replace(/\bby (?:user|token):/, 'by ')
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`
}
