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

/** Of Linux on the machines that Node runs on; a larger one would only make the count too small. */
const pageSize = 4096
