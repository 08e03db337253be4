/** The items by what `keyOf` says of them, groups in the order of their first items. */
export function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}

/**
 * A batch in which a SOP Instance UID occurs several times, as batches in which each occurs once; the order of arrival stays.
 */
export function rounds<Item extends { sopInstanceUID: string }>(batch: readonly Item[]): Item[][] {
  const seen = new Map<string, number>()
  const all: Item[][] = []
  for (const item of batch) {
    const round = seen.get(item.sopInstanceUID) ?? 0
    seen.set(item.sopInstanceUID, round + 1)
    const items = all[round]
    if (items) items.push(item)
    else all[round] = [item]
  }
  return all
}
