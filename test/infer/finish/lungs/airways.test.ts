import { describe, expect, it } from 'vitest'
import { labelBoxes } from '../../../../src/infer/finish/label-boxes.ts'
import { markAirways } from '../../../../src/infer/finish/lungs/airways.ts'
import { closeLung, fillHoles } from '../../../../src/infer/finish/lungs/close-lung.ts'
import { airThreshold, label, type Work } from '../../../../src/infer/finish/lungs/labels.ts'

const size = [90, 80, 110] as const
const mediastinum = 45

/**
 * A left lung beside a mediastinum, at 1 mm: the trachea ends in a bronchus that crosses the mediastinum, as wide as a lobar one (7 mm), and
 * goes on in the lung with a wall of its own; a narrow one (2.4 mm) leaves it there.
 */
function hilum(): Work {
  const [nx, ny, nz] = size
  const density = new Int16Array(nx * ny * nz).fill(40)
  const labels = new Uint8Array(density.length)
  const set = (x: number, y: number, z: number, hu: number): void => {
    density[(z * ny + y) * nx + x] = hu
  }
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const lung = x >= mediastinum && x < 85 && y >= 5 && y < 75 && z >= 5 && z < 90
        const bronchus = x >= 25 && x < 70 ? Math.hypot(y - 40, z - 40) : 99
        const narrow = z >= 40 && z < 60 ? Math.hypot(x - 62, y - 40) : 99
        const trachea = z >= 38 ? Math.hypot(x - 25, y - 40) : 99
        if (lung) set(x, y, z, -850)
        if (bronchus <= 5 || narrow <= 2.4) set(x, y, z, 0)
        if (bronchus <= 3.5 || narrow <= 1.2 || trachea <= 8.7) set(x, y, z, -1000)
      }
  for (let i = 0; i < labels.length; i++) labels[i] = (density[i] as number) <= airThreshold ? label.air : label.none
  return { extent: { size, spacing: [1, 1, 1] }, density, labels, log: [] }
}

const labelAt = ({ labels }: Work, x: number, y: number, z: number): number | undefined =>
  labels[(z * size[1] + y) * size[0] + x]

describe('markAirways', () => {
  it('takes trachea and lobar bronchus out as far as it is wide, with the wall, and leaves narrow ones', () => {
    const work = hilum()
    markAirways(work)
    expect(work.log).toEqual([expect.stringMatching(/^trachea and large bronchi of \d+\.\d mL were taken out$/)])
    for (const x of [25, 40, 50, 60, 66]) expect(labelAt(work, x, 40, 40), `lumen at ${x}`).toBe(label.airway)
    expect(labelAt(work, 50, 43, 40)).toBe(label.airway)
    expect(labelAt(work, 50, 46, 40)).toBe(label.air)
    expect(labelAt(work, 62, 40, 55)).toBe(label.air)
  })

  it('leaves nothing of a bronchus in the mediastinum for the lung to reach around', () => {
    const work = hilum()
    markAirways(work)
    for (let i = 0; i < work.labels.length; i++) if (work.labels[i] === label.air) work.labels[i] = label.leftLung
    const around = labelBoxes({ grid: work.extent, labels: work.labels }).find((box) => box.label === label.leftLung)
    if (!around) throw new Error('there is no lung')
    fillHoles(work, label.leftLung, around)
    closeLung(work, label.leftLung, { radius: 6, around })
    fillHoles(work, label.leftLung, around)
    let lung = 0
    for (let z = 0; z < size[2]; z++)
      for (let y = 0; y < size[1]; y++)
        for (let x = 0; x < mediastinum; x++) if (labelAt(work, x, y, z) === label.leftLung) lung++
    expect(lung).toBe(0)
    expect(labelAt(work, 50, 40, 40)).toBe(label.airway)
    // Its narrow branch lies in the lung, and counts to it with its wall.
    expect([60, 62, 64].map((x) => labelAt(work, x, 40, 55))).toEqual([3, 3, 3])
  })
})
