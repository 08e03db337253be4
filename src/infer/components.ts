/** A volume's extent: voxels along x (fastest), y and z, and their spacing in mm. */
export interface Extent {
  size: readonly [number, number, number]
  spacing: readonly [number, number, number]
}

/** Part of a volume: from `low` up to, and without, `high`, along x, y, z. */
export interface Box {
  low: readonly [number, number, number]
  high: readonly [number, number, number]
}

export function wholeBox(extent: Extent): Box {
  return { low: [0, 0, 0], high: extent.size }
}

/** What a component is made of; positions in voxels. */
export interface Component {
  voxels: number
  /** Sums over its voxels, for centroids. */
  sumX: number
  sumY: number
  sumZ: number
  low: [number, number, number]
  high: [number, number, number]
}

/** A run of voxels along x, inside one component. */
export type VisitRun = (run: {
  offset: number
  length: number
  x: number
  y: number
  z: number
  component: number
}) => void

/** Components as numbers from 0, in order of their first voxel: without an object for each of them, however many noise makes. */
export interface NumberedComponents {
  count: number
  /** Voxels of each component. */
  voxels: Float64Array
  /** Calls `visit` for every run, in order of the voxels; the object is reused. */
  forEachRun(visit: VisitRun): void
}

export interface Components {
  /** In order of their first voxel. */
  list: Component[]
  /** Calls `visit` for every run, in order of the voxels; the object is reused. */
  forEachRun(visit: VisitRun): void
}

/** Which neighbours count: 4 in a slice and 8 with its corners; in space 6 by faces, 18 by edges too, 26 by corners too. */
export type Connectivity = 4 | 8 | 6 | 18 | 26

/** Growable list of integers. */
export class Integers {
  values: Int32Array
  length = 0

  constructor(capacity = 1024) {
    this.values = new Int32Array(capacity)
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Int32Array(this.values.length * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.length++] = value
  }

  at(index: number): number {
    return this.values[index] as number
  }
}

/** Runs along x of the voxels that belong, row by row of the box. */
interface Runs {
  start: Integers
  end: Integers
  /** Index of each row's first run; one more entry than rows. */
  rows: Int32Array
}

/** Which voxels belong: those that a function says, or, faster, those that carry a label, or whose value is at most so high. */
export type Membership =
  | ((index: number) => boolean)
  | { labels: Uint8Array; value: number }
  | { values: Int16Array; most: number }

/** Connected components with their boxes and centroids. */
export function findComponents(
  extent: Extent,
  members: Membership,
  options: { connectivity: Connectivity; box?: Box },
): Components {
  const { forEachRun } = numberComponents(extent, members, options)
  const list: Component[] = []
  forEachRun(({ x, y, z, length, component }) => {
    if (component === list.length)
      list.push({ voxels: 0, sumX: 0, sumY: 0, sumZ: 0, low: [x, y, z], high: [x + 1, y + 1, z + 1] })
    addRun(list[component] as Component, { start: x, end: x + length, y, z })
  })
  return { list, forEachRun }
}

/** Connected components by union-find over runs: memory grows with the number of runs, not of voxels. */
export function numberComponents(
  extent: Extent,
  members: Membership,
  options: { connectivity: Connectivity; box?: Box },
): NumberedComponents {
  const box = options.box ?? wholeBox(extent)
  const runs = runsOf(extent, members, box)
  const parent = new Int32Array(runs.start.length)
  for (let run = 0; run < parent.length; run++) parent[run] = run
  unite(runs, parent, box, options.connectivity)
  return number(extent, runs, parent, box)
}

function runsOf(extent: Extent, members: Membership, box: Box): Runs {
  if (typeof members === 'function') return collectRuns(extent, members, box)
  return 'labels' in members ? collectLabelRuns(extent, members, box) : collectLowRuns(extent, members, box)
}

function emptyRuns({ low, high }: Box): Runs {
  const rows = (high[1] - low[1]) * (high[2] - low[2])
  return { start: new Integers(), end: new Integers(), rows: new Int32Array(rows + 1) }
}

function collectRuns(extent: Extent, belongs: (index: number) => boolean, box: Box): Runs {
  const [nx, ny] = extent.size
  const { low, high } = box
  const runs = emptyRuns(box)
  let row = 0
  for (let z = low[2]; z < high[2]; z++)
    for (let y = low[1]; y < high[1]; y++) {
      const base = (z * ny + y) * nx
      let inside = false
      for (let x = low[0]; x < high[0]; x++) {
        if (belongs(base + x) === inside) continue
        inside = !inside
        if (inside) runs.start.push(x)
        else runs.end.push(x)
      }
      if (inside) runs.end.push(high[0])
      runs.rows[++row] = runs.start.length
    }
  return runs
}

/** The same for low values. */
function collectLowRuns(extent: Extent, { values, most }: { values: Int16Array; most: number }, box: Box): Runs {
  const [nx, ny] = extent.size
  const { low, high } = box
  const runs = emptyRuns(box)
  let row = 0
  for (let z = low[2]; z < high[2]; z++)
    for (let y = low[1]; y < high[1]; y++) {
      const base = (z * ny + y) * nx
      const end = base + high[0]
      for (let i = base + low[0]; i < end; ) {
        while (i < end && (values[i] as number) > most) i++
        if (i === end) break
        runs.start.push(i - base)
        while (i < end && (values[i] as number) <= most) i++
        runs.end.push(i - base)
      }
      runs.rows[++row] = runs.start.length
    }
  return runs
}

/** The same for a label: the way to the next one is left to `indexOf`, which takes rows without any at once. */
function collectLabelRuns(extent: Extent, of: { labels: Uint8Array; value: number }, box: Box): Runs {
  const [nx, ny] = extent.size
  const { low, high } = box
  const { value } = of
  const runs = emptyRuns(box)
  // What lies behind the box is not looked through.
  const labels = of.labels.subarray(0, ((high[2] - 1) * ny + high[1] - 1) * nx + high[0])
  const nextFrom = (index: number): number => {
    const found = labels.indexOf(value, index)
    return found < 0 ? labels.length : found
  }
  let next = -1
  let row = 0
  for (let z = low[2]; z < high[2]; z++)
    for (let y = low[1]; y < high[1]; y++) {
      const base = (z * ny + y) * nx
      const end = base + high[0]
      if (next < base + low[0]) next = nextFrom(base + low[0])
      while (next < end) {
        let after = next + 1
        while (after < end && labels[after] === value) after++
        runs.start.push(next - base)
        runs.end.push(after - base)
        next = nextFrom(after)
      }
      runs.rows[++row] = runs.start.length
    }
  return runs
}

function find(parent: Int32Array, run: number): number {
  let root = run
  while (parent[root] !== root) root = parent[root] as number
  let at = run
  while (parent[at] !== root) {
    const next = parent[at] as number
    parent[at] = root
    at = next
  }
  return root
}

/** How rows that are neighbours hang together: 0 by faces, 1 by corners of the row too; absent, not at all. */
const reaches: Record<Connectivity, { beside?: 0 | 1; below?: 0 | 1; across?: 0 | 1 }> = {
  4: { beside: 0 },
  8: { beside: 1 },
  6: { beside: 0, below: 0 },
  18: { beside: 1, below: 1, across: 0 },
  26: { beside: 1, below: 1, across: 1 },
}

function unite(runs: Runs, parent: Int32Array, { low, high }: Box, connectivity: Connectivity): void {
  const height = high[1] - low[1]
  const depth = high[2] - low[2]
  const { beside, below, across } = reaches[connectivity]
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++) {
      const row = z * height + y
      if (y > 0 && beside !== undefined) uniteRows(runs, parent, { row, other: row - 1, reach: beside })
      if (z === 0 || below === undefined) continue
      uniteRows(runs, parent, { row, other: row - height, reach: below })
      if (across === undefined) continue
      if (y > 0) uniteRows(runs, parent, { row, other: row - height - 1, reach: across })
      if (y + 1 < height) uniteRows(runs, parent, { row, other: row - height + 1, reach: across })
    }
}

/** Unites the runs of two rows that overlap, or touch at corners when `reach` is 1. */
function uniteRows(runs: Runs, parent: Int32Array, at: { row: number; other: number; reach: number }): void {
  let b = runs.rows[at.other] as number
  const endB = runs.rows[at.other + 1] as number
  for (let a = runs.rows[at.row] as number; a < (runs.rows[at.row + 1] as number); a++) {
    const start = runs.start.at(a) - at.reach
    const end = runs.end.at(a) + at.reach
    while (b < endB && runs.end.at(b) <= start) b++
    for (let c = b; c < endB && runs.start.at(c) < end; c++) {
      const rootA = find(parent, a)
      const rootC = find(parent, c)
      if (rootA < rootC) parent[rootC] = rootA
      else parent[rootA] = rootC
    }
  }
}

/** Numbers the components in order of their first run. */
function number(extent: Extent, runs: Runs, parent: Int32Array, { low, high }: Box): NumberedComponents {
  const [nx, ny] = extent.size
  const height = high[1] - low[1]
  // A root is the first run of its component: it has its number before the others ask.
  const numbers = new Int32Array(parent.length)
  let count = 0
  for (let run = 0; run < parent.length; run++) {
    const root = find(parent, run)
    numbers[run] = root === run ? count++ : (numbers[root] as number)
  }
  const voxels = new Float64Array(count)
  for (let run = 0; run < parent.length; run++) {
    const component = numbers[run] as number
    voxels[component] = (voxels[component] as number) + runs.end.at(run) - runs.start.at(run)
  }
  const forEachRun = (visit: VisitRun): void => {
    const seen = { offset: 0, length: 0, x: 0, y: 0, z: 0, component: 0 }
    for (let row = 0; row + 1 < runs.rows.length; row++) {
      seen.y = low[1] + (row % height)
      seen.z = low[2] + Math.floor(row / height)
      for (let run = runs.rows[row] as number; run < (runs.rows[row + 1] as number); run++) {
        seen.x = runs.start.at(run)
        seen.length = runs.end.at(run) - seen.x
        seen.offset = (seen.z * ny + seen.y) * nx + seen.x
        seen.component = numbers[run] as number
        visit(seen)
      }
    }
  }
  return { count, voxels, forEachRun }
}

function addRun(to: Component, { start, end, y, z }: { start: number; end: number; y: number; z: number }): void {
  const { low, high } = to
  const length = end - start
  to.voxels += length
  to.sumX += ((start + end - 1) * length) / 2
  to.sumY += y * length
  to.sumZ += z * length
  if (start < low[0]) low[0] = start
  if (y < low[1]) low[1] = y
  if (z < low[2]) low[2] = z
  if (end > high[0]) high[0] = end
  if (y >= high[1]) high[1] = y + 1
  if (z >= high[2]) high[2] = z + 1
}
