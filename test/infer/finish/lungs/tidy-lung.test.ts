import { describe, expect, it } from 'vitest'
import { labelBoxes } from '../../../../src/infer/finish/label-boxes.ts'
import { closeLung } from '../../../../src/infer/finish/lungs/close-lung.ts'
import { label, type Work } from '../../../../src/infer/finish/lungs/labels.ts'
import { tidyLung } from '../../../../src/infer/finish/lungs/tidy-lung.ts'

const size = [60, 50, 12] as const

/** A lung of 30 x 30 mm in slices 1 to 8, all air but for a vessel of 5 mm; above it, in slices 9 and 10, streaks of air, one row in `every`. */
function apex(every: number): Work {
  const [nx, ny, nz] = size
  const density = new Int16Array(nx * ny * nz).fill(40)
  const labels = new Uint8Array(density.length)
  for (let z = 1; z < 11; z++)
    for (let y = 10; y < 40; y++)
      for (let x = 10; x < 40; x++) {
        const isVessel = z < 9 && Math.hypot(x - 14, y - 25) < 2.5
        const isStreak = z < 9 || (y - 10) % every === 0
        if (isVessel || !isStreak) continue
        const i = (z * ny + y) * nx + x
        density[i] = -850
        labels[i] = label.leftLung
      }
  return { extent: { size, spacing: [1, 1, 1] }, density, labels, log: [] }
}

/** Voxels of the lung in a slice, after it was closed and tidied. */
function tidied(work: Work): (z: number) => number {
  const around = labelBoxes({ grid: work.extent, labels: work.labels }).find((box) => box.label === label.leftLung)
  if (!around) throw new Error('there is no lung')
  closeLung(work, label.leftLung, { radius: 6, around })
  tidyLung(work, label.leftLung, around)
  return (z) => {
    const slice = work.labels.subarray(z * size[0] * size[1], (z + 1) * size[0] * size[1])
    return slice.reduce((count, value) => count + Number(value === label.leftLung), 0)
  }
}

describe('tidyLung', () => {
  it('drops what the closing joined of streaks above the apex, and keeps the lung with its vessel', () => {
    const work = apex(3)
    const voxels = tidied(work)
    expect([9, 10].map(voxels)).toEqual([0, 0])
    for (let z = 1; z < 9; z++) expect(voxels(z)).toBe(900)
  })

  it('keeps a section that is half air', () => {
    const voxels = tidied(apex(2))
    for (let z = 1; z < 9; z++) expect(voxels(z)).toBe(900)
    // From the first streak to the last.
    expect(voxels(9)).toBeGreaterThan(29 * 29)
  })

  it('drops a part that does not hang together with the lung', () => {
    const work = apex(3)
    const lone = (4 * size[1] + 45) * size[0] + 50
    work.labels[lone] = label.leftLung
    work.density[lone] = -900
    const voxels = tidied(work)
    expect(work.labels[lone]).toBe(label.none)
    expect(voxels(4)).toBe(900)
  })
})
