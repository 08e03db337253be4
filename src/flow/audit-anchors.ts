import { createReadStream } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { auditFiles } from '../admin/audit-file.ts'
import { anchorOf } from '../admin/audit-lines.ts'

/** What the audit's files say of the chain: hashes by sequence, and lines that are no entries. */
export async function anchorsIn(folder: string) {
  const anchors = new Map<number, string>()
  const problems: { sequence: number | null; problem: string }[] = []
  const files = await auditFiles(folder)
  for (const file of files) {
    const lines = createInterface({
      input: createReadStream(path.join(folder, file)),
      crlfDelay: Number.POSITIVE_INFINITY,
    })
    let number = 0
    for await (const line of lines) {
      number++
      const anchor = anchorOf(line)
      if (anchor === null) problems.push({ sequence: null, problem: `${file}, line ${number}: is no entry` })
      else anchors.set(...anchor)
    }
  }
  return { anchors, problems, files: files.length }
}
