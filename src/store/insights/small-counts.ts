/** Counts from 1 to 4 can point to a person: they do not leave the node. */
export const smallestCount = 5

/**
 * Withholds small counts of one table of counts with a shown total: those from 1 to 4, and, where what is withheld could be had by
 * subtracting the others from the total, further ones, the smallest first, until at least two cells are withheld whose sum is itself
 * no small count. Zeros are shown: they speak of nobody.
 * @returns the counts in their order; null for what is withheld
 */
export function withoutSmallCounts(counts: readonly number[]): (number | null)[] {
  const withheld = new Set(counts.flatMap((count, at) => (count > 0 && count < smallestCount ? [at] : [])))
  if (withheld.size === 0) return [...counts]
  const others = counts
    .map((count, at) => ({ count, at }))
    .filter(({ count, at }) => count > 0 && !withheld.has(at))
    .sort((a, b) => a.count - b.count || a.at - b.at)
  const hidden = () => [...withheld].reduce((total, at) => total + (counts[at] as number), 0)
  for (const { at } of others) {
    if (withheld.size >= 2 && hidden() >= smallestCount) break
    withheld.add(at)
  }
  return counts.map((count, at) => (withheld.has(at) ? null : count))
}
