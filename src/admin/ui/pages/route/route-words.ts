import type { RouteDefinition, RouteDraftDefinition } from '../../api/schema.ts'

export type Definition = RouteDraftDefinition
export type Input = NonNullable<RouteDraftDefinition['inputs']>[string]
export type Priority = RouteDefinition['priority']
export type Preference = NonNullable<Input['prefer']>[number]

export const priorities: readonly { value: Priority; label: string; note: string }[] = [
  { value: 'urgent', label: 'Urgent', note: 'Runs before everything else.' },
  { value: 'normal', label: 'Normal', note: 'Runs in the order of arrival.' },
  { value: 'low', label: 'When idle', note: 'Runs when nothing urgent or normal waits.' },
  { value: 'off-peak', label: 'Off-peak', note: 'Runs last, and only in the windows of the calendar.' },
]

export function priorityName(priority: string | undefined): string {
  return priorities.find(({ value }) => value === priority)?.label ?? priority ?? 'Normal'
}

export const preferences = [
  { value: 'thinnest-slices', label: 'the thinnest slices' },
  { value: 'most-instances', label: 'the most images' },
  { value: 'newest', label: 'the newest' },
  { value: 'oldest', label: 'the oldest' },
  { value: 'highest', label: 'the highest …' },
  { value: 'lowest', label: 'the lowest …' },
] as const

const fieldNames: Readonly<Record<string, string>> = {
  name: 'Name',
  description: 'Description',
  enabled: 'Switched on',
  when: 'Which studies',
  pipeline: 'Pipeline',
  canary: 'Canary',
  'canary.pipeline': 'Canary: pipeline',
  'canary.fraction': 'Canary: part of the studies',
  shadow: 'Shadow',
  destinations: 'Destinations',
  outputs: 'What each destination gets',
  priority: 'Priority',
  stop: 'Stop after this route',
  fallback: 'Fallback route',
  assemble: 'Quiet time',
  'assemble.quiet': 'Quiet time',
  inputs: 'Series',
  urgent: 'Critical findings',
  onAccept: 'When a result is accepted',
}
const inputNames: Readonly<Record<string, string>> = {
  where: 'condition',
  prefer: 'preferences',
  required: 'required',
  from: 'of which study',
  of: 'refers to',
  several: 'several series',
}

/** What a path of a definition is called on the page: `inputs.ct.where` is "Series ct: condition". */
export function placeName(path: string): string {
  const known = fieldNames[path]
  if (known) return known
  const [first = '', name = '', field = ''] = path.split('.')
  if (first === 'inputs') return field === '' ? `Series ${name}` : `Series ${name}: ${inputNames[field] ?? field}`
  if (first === 'outputs') return `What ${name} gets`
  return path === '' ? 'The route' : (fieldNames[first] ?? path)
}

/** The element of the builder that a path belongs to, so that a problem leads there. */
export function anchorOf(path: string): string {
  const [first, name] = path.split('.')
  if (first === 'inputs') return name ? `route-input-${name}` : 'route-series'
  if (first === 'when') return 'route-when'
  if (first === 'pipeline' || first === 'canary' || first === 'shadow') return 'route-pipeline'
  if (first === 'destinations' || first === 'outputs' || first === 'urgent' || first === 'onAccept')
    return 'route-destinations'
  return 'route-order'
}

/** The first line of an expectation: what follows repeats the text with a caret, which the editor shows by itself. */
export function firstLine(expectation: string): string {
  return (expectation.split('\n')[0] ?? '').replace(/^line \d+, column \d+: /, '')
}

/** A sentence with a capital and a full stop. */
export function asSentence(text: string): string {
  const trimmed = text.trim()
  if (trimmed === '') return ''
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`
}
