/** A Markdown table; vertical bars inside cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** A tag as people write it: (0010,0020). */
export const tagText = (tag: string): string => `(${tag.slice(0, 4)},${tag.slice(4)})`

/** A status or reason as people write it. */
export const hex = (value: number): string => `0x${value.toString(16).toUpperCase().padStart(4, '0')}`
