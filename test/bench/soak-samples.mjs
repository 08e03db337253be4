import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Ids of a process and all below it. */
export function processTree(pid) {
  const children = new Map()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = readOrEmpty(`/proc/${name}/stat`)
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [pid]
  for (let at = 0; at < tree.length; at++) tree.push(...(children.get(tree[at]) ?? []))
  return tree
}

/** What kind of process of the node it is. */
export function roleOf(pid) {
  const command = readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
  const found = /([\w-]+)\.js/.exec(command.replace('dist/main.js', 'main.js'))
  return found?.[1] ?? 'other'
}

/** Memory in MB, and open descriptors. */
export function measure(pid) {
  const status = readOrEmpty(`/proc/${pid}/status`)
  const rollup = readOrEmpty(`/proc/${pid}/smaps_rollup`)
  return {
    rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
    pss: Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024,
    descriptors: existsSync(`/proc/${pid}/fd`) ? readdirSync(`/proc/${pid}/fd`).length : 0,
  }
}

function readOrEmpty(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // the process has ended
  }
}

/**
 * Slope of values over hours by least squares, with half of its 95 % confidence interval (normal approximation; the residuals of memory
 * are correlated, so the true one is wider).
 * @param {{hours: number, value: number}[]} points
 */
export function slope(points) {
  const n = points.length
  if (n < 3) return { slope: Number.NaN, confidence: Number.NaN }
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / n
  const [x, y] = [mean((p) => p.hours), mean((p) => p.value)]
  const spread = points.reduce((sum, p) => sum + (p.hours - x) ** 2, 0)
  const found = points.reduce((sum, p) => sum + (p.hours - x) * (p.value - y), 0) / spread
  const residual = points.reduce((sum, p) => sum + (p.value - y - found * (p.hours - x)) ** 2, 0) / (n - 2)
  return { slope: found, confidence: 1.96 * Math.sqrt(residual / spread) }
}
