/** What became of one thing that a client tried. */
export interface Outcome {
  result: 'passed' | 'refused' | 'failed' | 'not offered'
  /** Why, or under which condition; a sentence without a full stop. */
  note?: string
}

/** It works. */
export const passed = (note?: string): Outcome => ({ result: 'passed', ...(note && { note }) })
/** The other side says no, as it has to. */
export const refused = (note: string): Outcome => ({ result: 'refused', note })
/** It should work, and does not. */
export const failed = (note: string): Outcome => ({ result: 'failed', note })
/** The client has no such function. */
export const notOffered = (note?: string): Outcome => ({ result: 'not offered', ...(note && { note }) })

/** Passed when it holds. */
export const when = (holds: boolean, otherwise: string): Outcome => (holds ? passed() : failed(otherwise))

/** Runs one thing; what it throws is its failure. */
export async function outcomeOf(act: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  try {
    return await act()
  } catch (error) {
    return failed(error instanceof Error ? error.message : 'it ended with something that is no error')
  }
}

/** What was tried, down, and who tried it, across. */
export interface Matrix {
  title: string
  rows: string[]
  columns: string[]
  /** What is said where nothing was tried; `not offered` by default. */
  untried?: string
  /** Row, then column. */
  cells: Map<string, Map<string, Outcome>>
}

/** The matrix as a Markdown table, with its notes numbered below it. */
export function matrixText({ title, rows, columns, untried = 'not offered', cells }: Matrix): string {
  const notes: string[] = []
  const cell = (outcome: Outcome | undefined): string => {
    if (outcome === undefined) return untried
    const { result, note } = outcome
    if (note === undefined) return result
    if (!notes.includes(note)) notes.push(note)
    return `${result} (${notes.indexOf(note) + 1})`
  }
  const lines = rows.map((row) => [row, ...columns.map((column) => cell(cells.get(row)?.get(column)))])
  return [
    ...[[title, ...columns], ['', ...columns].map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`),
    '',
    ...notes.map((note, at) => `${at + 1}. ${note.replace(/\.$/, '')}.`),
  ].join('\n')
}
