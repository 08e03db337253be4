import { readdirSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'

/**
 * Resident memory of a process and of everything that it started, bytes. Memory that processes share counts for each of them.
 * @returns 0 where the system has no /proc
 */
export async function residentMemory(root: number): Promise<number> {
  let entries: string[]
  try {
    entries = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  } catch {
    return 0
  }
  const children = new Map<number, number[]>()
  const resident = new Map<number, number>()
  await Promise.all(
    entries.map(async (entry) => {
      const stat = await readFile(`/proc/${entry}/stat`, 'latin1').catch(() => '')
      // The name, in parentheses, may hold anything; what follows it is plain.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const parent = Number(fields[1])
      const pid = Number(entry)
      children.set(parent, [...(children.get(parent) ?? []), pid])
      resident.set(pid, Number(fields[21] ?? 0) * pageSize)
    }),
  )
  const sum = (pid: number): number =>
    (resident.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((total, child) => total + sum(child), 0)
  return sum(root)
}

/**
 * Ends a process and all that it started, and their process groups. What left its group and lost its parent is not found.
 * @param root not this process
 */
export function killTree(root: number): void {
  const below = descendantsOf(root)
  // From the top: nothing is started any more while the others go.
  for (const pid of [root, ...below]) {
    signal(pid)
    if (pid !== root) signal(-pid)
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended, or it leads no group.
  }
}

function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of namesIn('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = parentOf(entry)
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)])
  return below(root)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function parentOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null
  }
}

/** Of Linux on the machines that Node runs on; a larger one would only make the count too small. */
const pageSize = 4096
