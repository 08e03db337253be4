import type { Image, LabelShares } from './image.ts'

/** Numbers of channels from which a label is decided for each of some voxels. */
export interface Scores {
  data: Image['data']
  channels: number
  /** From one channel to the next. */
  stride: number
  /** What each channel becomes. */
  labels: Uint8Array
  /** Where no channel is higher the label is 0. */
  minimum: number
  /** The numbers are no probabilities: e to their power counts. */
  logits: boolean
}

/** Shares for so many voxels. */
export function newShares(voxels: number): LabelShares {
  return { first: new Uint8Array(voxels), second: new Uint8Array(voxels), share: new Uint8Array(voxels) }
}

/** The part of a voxel that its first label has, from 0.5 to 1, as one byte. */
export function shareByte(part: number): number {
  return Math.round((Math.min(1, Math.max(0.5, part)) - 0.5) * 510)
}

/** The inverse of `shareByte`. */
export function partOf(byte: number): number {
  return 0.5 + byte / 510
}

/** True where numbers are not all between 0 and 1, but for rounding. */
export function areLogits(data: ArrayLike<number>): boolean {
  for (let i = 0; i < data.length; i++) {
    const x = data[i] as number
    if (x < -1e-3 || x > 1.001) return true
  }
  return false
}

/**
 * Labels of voxels by the greatest of their numbers (the first of equals), with the label that came second and how close it was.
 * @param from first voxel of `data`, in its channel
 * @param to first voxel of `shares`
 */
export function decideWithShares(
  { data, channels, stride, labels, minimum, logits }: Scores,
  { from, to, count }: { from: number; to: number; count: number },
  { first, second, share }: LabelShares,
): void {
  const limited = minimum !== Number.NEGATIVE_INFINITY
  for (let n = 0; n < count; n++) {
    let best = minimum
    let bestLabel = 0
    let next = Number.NEGATIVE_INFINITY
    let nextLabel = 0
    let any = limited
    for (let c = 0, at = from + n; c < channels; c++, at += stride) {
      const x = data[at] as number
      const label = labels[c] as number
      if (x > best) {
        if (any && label !== bestLabel) {
          next = best
          nextLabel = bestLabel
        }
        best = x
        bestLabel = label
        any = true
      } else if (x > next && label !== bestLabel) {
        next = x
        nextLabel = label
      }
    }
    first[to + n] = bestLabel
    second[to + n] = nextLabel
    share[to + n] = next === Number.NEGATIVE_INFINITY ? 255 : shareByte(partOfBest(best, next, logits))
  }
}

function partOfBest(best: number, next: number, logits: boolean): number {
  if (logits || next < 0) return 1 / (1 + Math.exp(next - best))
  return best + next > 0 ? best / (best + next) : 0.5
}

/** Shares of labels that become others by a table; those that the steps since then have changed stay changed. */
export function translatedShares({ first, second, share }: LabelShares, table: Uint8Array): LabelShares {
  const through = (labels: Uint8Array): Uint8Array => labels.map((label) => table[label] as number)
  return { first: through(first), second: through(second), share }
}
