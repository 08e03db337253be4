/** A run of text that is in both versions, in the first, or in the second. */
export interface TextPart {
  kind: 'same' | 'removed' | 'added'
  text: string
}

/** One field in which two definitions differ. */
export interface RouteChange {
  /** As in `inputs.ct.where`. */
  path: string
  /** JSON; null where it is not there. */
  before: unknown
  after: unknown
  /** Word by word, of texts (conditions, description); null of others. */
  text: TextPart[] | null
}

/** What differs between two definitions of a route, field by field, in the order in which fields are written. Pure. */
export function diffRoutes(before: unknown, after: unknown): RouteChange[] {
  return changesOf('', before, after)
}

function changesOf(path: string, before: unknown, after: unknown): RouteChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return names.flatMap((name) => changesOf(path === '' ? name : `${path}.${name}`, before[name], after[name]))
  }
  const text = typeof before === 'string' && typeof after === 'string' ? diffTexts(before, after) : null
  return [{ path, before: before ?? null, after: after ?? null, text }]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Words, numbers and single signs, with the spaces that follow them; texts of 4,000 characters have at most as many. */
function wordsOf(text: string): string[] {
  return text.match(/"(?:[^"\\]|\\.)*"\s*|[\p{L}\p{N}_]+\s*|&&\s*|\|\|\s*|[=!<>]=\s*|[\s\S]\s*/gu) ?? []
}

/** Beyond so many comparisons the texts are shown as removed and added as a whole. */
const mostComparisons = 1_000_000

/** The longest common subsequence of words, as runs. */
export function diffTexts(before: string, after: string): TextPart[] {
  const a = wordsOf(before)
  const b = wordsOf(after)
  if (a.length * b.length > mostComparisons)
    return [
      { kind: 'removed', text: before },
      { kind: 'added', text: after },
    ]
  const lengths = lengthsOf(a, b)
  const parts: TextPart[] = []
  const add = (kind: TextPart['kind'], text: string): void => {
    const last = parts.at(-1)
    if (last?.kind === kind) last.text += text
    else parts.push({ kind, text })
  }
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && isSame(a[i], b[j])) {
      add('same', b[j++] ?? '')
      i++
    } else if (i < a.length && (j === b.length || at(lengths, i + 1, j) >= at(lengths, i, j + 1)))
      add('removed', a[i++] ?? '')
    else add('added', b[j++] ?? '')
  }
  return parts
}

/** Spaces after a word make it no other. */
function isSame(a: string | undefined, b: string | undefined): boolean {
  return a?.trimEnd() === b?.trimEnd()
}

/** For each pair of places, how long the longest common subsequence of what follows is. */
function lengthsOf(a: readonly string[], b: readonly string[]): number[][] {
  const lengths = Array.from({ length: a.length + 1 }, () => Array<number>(b.length + 1).fill(0))
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = lengths[i] as number[]
      row[j] = isSame(a[i], b[j])
        ? at(lengths, i + 1, j + 1) + 1
        : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1))
    }
  return lengths
}

function at(lengths: readonly (readonly number[])[], i: number, j: number): number {
  return lengths[i]?.[j] ?? 0
}
