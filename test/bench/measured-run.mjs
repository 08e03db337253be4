/** Runs a command and measures it with all that it starts: wall and processor time in seconds, the peak of its resident memory in bytes. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const page = 4096
/** Ticks of processor time in a second (Linux: always, for what /proc says). */
const ticks = 100
const every = 20

/**
 * @param command program and arguments
 * @returns {Promise<{wall: number, cpu: number, peak: number, output: string}>} `output` is what it printed
 */
export function measuredRun([program, ...args], options = {}) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
    let output = ''
    let [cpu, peak] = [0, 0]
    child.stdout.on('data', (data) => {
      output += data
    })
    const sample = () => {
      const tree = treeOf(child.pid)
      cpu = Math.max(
        cpu,
        tree.reduce((sum, one) => sum + one.cpu, 0),
      )
      // What a process had at most since the last sample may be missed for several together, never for one.
      peak = Math.max(
        peak,
        tree.reduce((sum, one) => sum + one.rss, 0),
        ...tree.map((one) => one.most),
      )
    }
    const timer = setInterval(sample, every)
    child.once('error', reject)
    child.once('close', (status) => {
      clearInterval(timer)
      const wall = (performance.now() - start) / 1000
      if (status === 0) resolve({ wall, cpu, peak, output })
      else reject(new Error(`${program} ${args.join(' ')}: exit ${status}\n${output}`))
    })
  })
}

/** A process and its descendants, as far as they are still there. */
function treeOf(root) {
  const all = new Map()
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) all.set(Number(name), processOf(name))
  const tree = []
  const add = (pid) => {
    const own = all.get(pid)
    if (own) tree.push(own)
    for (const [other, found] of all) if (found?.parent === pid) add(other)
  }
  add(root)
  return tree
}

function processOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const most = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0
    // User and system time, its own and that of children that it has waited for.
    const cpu = fields.slice(11, 15).reduce((sum, text) => sum + Number(text), 0) / ticks
    return { parent: Number(fields[1]), cpu, rss: Number(fields[21]) * page, most: Number(most) * 1024 }
  } catch {
    return null
  }
}

/** The middle one of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
