import type { PipelineInput } from './input.ts'

/** What an input has to be, in words: kind, modality, limits. */
export function describeInput(input: PipelineInput): string {
  const { kind, modality, from, required, name: _name, ...limits } = input
  const shown = Object.entries(limits)
    .filter(([, value]) => value !== undefined && value !== 'allowed' && value !== 'modality')
    .map(([limit, value]) => `${limit} ${describeLimit(value)}`)
  const traits = [from === 'prior' ? 'of an earlier study' : null, required ? null : 'may be absent'].filter(
    (t) => t !== null,
  )
  return [`${kind}, ${modality.join(' or ')}`, ...traits, ...shown].join(', ')
}

function describeLimit(value: unknown): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { minimum, maximum } = value as { minimum?: number; maximum?: number }
    if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`
    if (minimum !== undefined) return `at least ${minimum}`
    if (maximum !== undefined) return `at most ${maximum}`
  }
  return Array.isArray(value) ? value.join(' or ') : JSON.stringify(value).replaceAll('"', '')
}
