import type { Feedback } from './feedback.ts'

export const feedbackFormats = ['csv', 'json'] as const
export type FeedbackFormat = (typeof feedbackFormats)[number]

const columns = [
  'id',
  'at',
  'givenBy',
  'verdict',
  'current',
  'reason',
  'correctedSOPInstanceUID',
  'studyInstanceUID',
  'sopInstanceUID',
  'role',
  'revision',
  'route',
  'shadow',
  'pipeline',
  'version',
  'findings',
  'truth',
  'verifiedSOPInstanceUID',
] as const satisfies (keyof Feedback)[]

/** Feedback as text, piece by piece: CSV (RFC 4180, UTF-8) with a heading and findings as JSON, or a JSON array with an object a line. */
export async function* feedbackText(rows: AsyncIterable<Feedback>, format: FeedbackFormat): AsyncGenerator<string> {
  if (format === 'csv') {
    yield `${columns.join(',')}\r\n`
    for await (const row of rows) yield `${columns.map((column) => cell(row[column])).join(',')}\r\n`
    return
  }
  let isFirst = true
  for await (const row of rows) {
    yield `${isFirst ? '[\n' : ',\n'}${JSON.stringify(row)}`
    isFirst = false
  }
  yield isFirst ? '[]\n' : '\n]\n'
}

function cell(value: Feedback[(typeof columns)[number]]): string {
  if (value === null) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  // A spreadsheet would take such a text for a formula and calculate it.
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
