import { describe, expect, it } from 'vitest'
import { airThreshold } from '../../../../src/infer/finish/lungs/labels.ts'
import type { Image } from '../../../../src/infer/image.ts'
import { chestPhantom } from '../../../support/phantom.ts'
import { applyStep, gridOf } from '../apply-step.ts'

const phantom = chestPhantom({
  slices: 110,
  rows: 192,
  columns: 192,
  spacing: { row: 1.875, column: 1.875, slice: 2.75 },
})
const grid = gridOf([192, 192, 110], [1.875, 1.875, 2.75])
const density = new Int16Array(192 * 192 * 110)
for (let k = 0; k < 110; k++) density.set(phantom.slice(k), k * 192 * 192)

const image = (data: Image['data'], of = grid): Image => ({ grid: of, channels: 1, data })
const candidates = Uint8Array.from(density, (hu) => (hu <= airThreshold ? 1 : 0))

describe('lungs', () => {
  it('are the left lung as 1 and the right lung as 2, of the phantom’s volumes, whatever type the numbers have', () => {
    const notes: string[] = []
    const given = { kind: 'image', image: image(candidates) } as const
    const values = { ct: { kind: 'image', image: image(density) } } as const
    const found = applyStep('lungs', given, { density: 'ct' }, { values, notes })
    if (found.kind !== 'labels') throw new Error('labels are expected')
    const litres = [1, 2].map(
      (label) => (found.labels.labels.reduce((n, l) => n + (l === label ? 1 : 0), 0) * 1.875 ** 2 * 2.75) / 1e6,
    )
    const { left, right } = phantom.truth.volumes
    expect(Math.abs((litres[0] as number) / left - 1)).toBeLessThan(0.03)
    expect(Math.abs((litres[1] as number) / right - 1)).toBeLessThan(0.03)
    // Left has the larger x.
    const at = (i: number) => found.labels.labels[(55 * 192 + 96) * 192 + i]
    expect([at(137), at(53)]).toEqual([1, 2])
    expect(notes).toEqual([expect.stringMatching(/trachea and large bronchi of .* were taken out/)])
    expect(candidates.every((c) => c < 2)).toBe(true)

    const floats = { ct: { kind: 'image', image: image(Float32Array.from(density)) } } as const
    const labels = { kind: 'labels', labels: { grid, labels: candidates } } as const
    const again = applyStep('lungs', labels, { density: 'ct' }, { values: floats })
    expect(again.kind === 'labels' && Buffer.from(again.labels.labels).equals(Buffer.from(found.labels.labels))).toBe(
      true,
    )
  })

  it('refuse what has no lungs, another grid, and axes that lead elsewhere', () => {
    const values = { ct: { kind: 'image', image: image(density) } } as const
    const none = { kind: 'image', image: image(new Uint8Array(candidates.length)) } as const
    expect(() => applyStep('lungs', none, { density: 'ct' }, { values })).toThrow(/no lungs: the largest air component/)
    const turned = { ...grid, axes: [grid.axes[1], grid.axes[0], grid.axes[2]] as const }
    const wrong = { kind: 'image', image: image(candidates, turned) } as const
    expect(() => applyStep('lungs', wrong, { density: 'ct' }, { values })).toThrow(/90° off/)
    const small = { ct: { kind: 'image', image: image(density.slice(1)) } } as const
    const given = { kind: 'image', image: image(candidates) } as const
    expect(() => applyStep('lungs', given, { density: 'ct' }, { values: small })).toThrow(/different grids/)
  })
})
