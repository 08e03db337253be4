import type { AuditRow } from '../store/audit-chain.ts'
import type { AuditSource } from './audit-message.ts'
import { auditMessage } from './audit-message.ts'

/** An entry with its hashes and its DICOM audit message, as one line of JSON without the line's end. */
export function auditLine(row: AuditRow, source: AuditSource): string {
  const { sequence, at, actor, action, subject, outcome, study_instance_uid, detail, previous_hash, hash } = row
  const content = { at, actor, action, subject, outcome, studyInstanceUID: study_instance_uid, detail }
  return JSON.stringify({ sequence, hash, previousHash: previous_hash, ...content, message: auditMessage(row, source) })
}

/** What a line anchors: its entry's hash by its sequence. Null where it is no such line. */
export function anchorOf(line: string): [sequence: number, hash: string] | null {
  try {
    const { sequence, hash } = JSON.parse(line) as { sequence?: unknown; hash?: unknown }
    return typeof sequence === 'number' && typeof hash === 'string' ? [sequence, hash] : null
  } catch {
    return null
  }
}

/**
 * Entries as lines, in their order.
 * @param page entries after a sequence; none at the end
 */
export async function* auditLines(
  page: (after: number) => Promise<AuditRow[]>,
  source: AuditSource,
): AsyncGenerator<string> {
  let after = 0
  for (;;) {
    const rows = await page(after)
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows.map((row) => `${auditLine(row, source)}\n`).join('')
    after = last.sequence
  }
}
