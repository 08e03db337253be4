import type { Arrival, Result, Timeline } from '../../api/schema.ts'

/** A series as people call it: its description, else its number and modality. */
export function seriesName({ seriesDescription, seriesNumber, modality }: Arrival): string {
  const description = seriesDescription?.trim()
  if (description) return description
  const kind = modality ?? 'Series'
  return seriesNumber === null || seriesNumber === undefined
    ? `${kind} without description`
    : `${kind}, series ${seriesNumber}`
}

/** The name of a series of the study by its UID. */
export function seriesNameOf({ arrivals }: Timeline, seriesInstanceUID: string): string {
  const found = arrivals.find((arrival) => arrival.seriesInstanceUID === seriesInstanceUID)
  return found ? seriesName(found) : 'a series that is not here'
}

/** The name of a series of the study in quotes; null for other UIDs. */
export function knownSeriesName({ arrivals }: Timeline, uid: string): string | null {
  const found = arrivals.find((arrival) => arrival.seriesInstanceUID === uid)
  return found ? `“${seriesName(found)}”` : null
}

/** The sender as people call it: its AE title, with the address where it matters. */
export function senderName(from: string): { name: string; address: string } {
  const at = from.lastIndexOf('@')
  return at < 0 ? { name: from, address: '' } : { name: from.slice(0, at), address: from.slice(at + 1) }
}

const roles: Readonly<Record<string, string>> = {
  segmentation: 'Segmentation',
  measurements: 'Measurement report',
  planar: 'Planar annotations',
  'parametric-map': 'Parametric map',
}

/** What a result is, in words. */
export function resultName({ role }: Result): string {
  const known = roles[role]
  if (known) return known
  const words = role.replaceAll(/[-_]/g, ' ')
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`
}

/** The viewer's address for a study; with a result's series its overlay is shown at once. */
export function viewerLink(studyInstanceUID: string, seriesInstanceUID?: string): string {
  const query = new URLSearchParams({ StudyInstanceUIDs: studyInstanceUID })
  if (seriesInstanceUID) query.set('initialSeriesInstanceUID', seriesInstanceUID)
  return `/viewer?${query}`
}

/** Results that hold: of no shadow, and not superseded by a later one. */
export function currentResults({ results }: Timeline): Result[] {
  const superseded = new Set(results.map(({ supersedes }) => supersedes))
  return results.filter(({ shadow, sopInstanceUID }) => !shadow && !superseded.has(sopInstanceUID))
}

/** The arrivals of each series, in the order in which the series came. */
export function arrivalsBySeries(arrivals: readonly Arrival[]): Map<string, Arrival[]> {
  const found = new Map<string, Arrival[]>()
  for (const arrival of arrivals)
    found.set(arrival.seriesInstanceUID, [...(found.get(arrival.seriesInstanceUID) ?? []), arrival])
  return found
}
