import { type Box, type Component, findComponents } from '../../components.ts'
import { airThreshold, label, type Work } from './labels.ts'

/** Part of a lung's section that is air; where streaks or noise alone were closed to a region it is less. */
const leastAir = 0.5

/**
 * Takes out of a lung what only looks like it: sections, slice by slice, of which less than half is air (a closing joins the dark grains of
 * streaks beside the shoulders, and of the partial volume above the apex, to a region of soft tissue), and then whatever hangs together
 * with the lung no more.
 * @param around the box around the lung
 */
export function tidyLung(work: Work, side: number, around: Box): void {
  removeDenseSections(work, side, around)
  keepLargest(work, side, around)
}

function removeDenseSections({ extent, density, labels }: Work, side: number, { low, high }: Box): void {
  for (let z = low[2]; z < high[2]; z++) {
    const box = { low: [low[0], low[1], z], high: [high[0], high[1], z + 1] } as const
    const sections = findComponents(extent, { labels, value: side }, { connectivity: 4, box })
    const air = new Float64Array(sections.list.length)
    sections.forEachRun(({ offset, length, component }) => {
      let count = 0
      for (let i = offset; i < offset + length; i++) if ((density[i] as number) <= airThreshold) count++
      air[component] = (air[component] as number) + count
    })
    sections.forEachRun(({ offset, length, component }) => {
      const { voxels } = sections.list[component] as Component
      if ((air[component] as number) < voxels * leastAir) labels.fill(label.none, offset, offset + length)
    })
  }
}

function keepLargest({ extent, labels }: Work, side: number, box: Box): void {
  const parts = findComponents(extent, { labels, value: side }, { connectivity: 26, box })
  const largest = parts.list.reduce((best, { voxels }, i, list) => (voxels > (list[best]?.voxels ?? 0) ? i : best), 0)
  parts.forEachRun(({ offset, length, component }) => {
    if (component !== largest) labels.fill(label.none, offset, offset + length)
  })
}
