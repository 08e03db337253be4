import { describe, expect, it } from 'vitest'
import { squaredDistances } from '../../../src/infer/finish/distance.ts'
import { growByDistance, morphology, type Operation } from '../../../src/infer/finish/morphology.ts'
import { applyStep, gridOf, labelsAfter, labelsFrom, labelValue, random } from './apply-step.ts'
import { doubles, hasScipy, runScipy } from './scipy.ts'

const spacing = [0.8, 1.1, 2.5] as const
const size = [21, 17, 9] as const

/** Blobs of noise. */
function noise(seed: number, part: number): Uint8Array {
  const next = random(seed)
  return Uint8Array.from({ length: size[0] * size[1] * size[2] }, () => (next() < part ? 1 : 0))
}

describe('squaredDistances', () => {
  it('is the least distance over all voxels, up to the limit', () => {
    const mask = noise(1, 0.01)
    const seeds = [...mask.keys()].filter((i) => mask[i] === 1)
    const at = (i: number) => [i % size[0], Math.floor(i / size[0]) % size[1], Math.floor(i / (size[0] * size[1]))]
    const distances = squaredDistances(mask, size, spacing, { value: 1 })
    const limited = squaredDistances(mask, size, spacing, { value: 1, limit: 4 })
    const wrong = [...mask.keys()].filter((i) => {
      const from = at(i)
      const least = Math.min(
        ...seeds.map((s) =>
          at(s).reduce((sum, x, a) => sum + ((x - (from[a] as number)) * (spacing[a] as number)) ** 2, 0),
        ),
      )
      const isLimited = limited[i] === (least <= 16 ? distances[i] : Number.POSITIVE_INFINITY)
      return !isLimited || Math.abs((distances[i] as number) - least) > 1e-3
    })
    expect(wrong).toEqual([])
  })

  it('is infinite where there is nothing', () => {
    expect(squaredDistances(new Uint8Array(8), [2, 2, 2], [1, 1, 1], { value: 1 })).toEqual(
      new Float32Array(8).fill(Number.POSITIVE_INFINITY),
    )
  })

  it('equals scipy’s distance transform', ({ skip }) => {
    if (!hasScipy()) skip()
    const mask = noise(2, 0.9)
    const { distance } = runScipy(
      'outputs["distance"] = nd.distance_transform_edt(inputs["mask"], sampling=[2.5, 1.1, 0.8])',
      {
        mask: { size, data: mask },
      },
    )
    const ours = [...squaredDistances(mask, size, spacing, { value: 0 })].map(Math.sqrt)
    const theirs = doubles(distance)
    const worst = Math.max(...ours.map((mm, i) => Math.abs(mm - (theirs[i] as number))))
    expect(theirs).toHaveLength(ours.length)
    expect(worst).toBeLessThan(1e-5)
  })
})

describe('morphology', () => {
  it('equals scipy with a ball in mm, outside of the array being what changes nothing', ({ skip }) => {
    if (!hasScipy()) skip()
    const mask = noise(3, 0.35)
    const code = `
m = inputs['mask'].astype(bool)
r = 2.6
def ball():
    z, y, x = [np.arange(-int(r / s), int(r / s) + 1) * s for s in (2.5, 1.1, 0.8)]
    return (z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2) <= r * r
b = ball()
outputs['dilate'] = nd.binary_dilation(m, b)
outputs['erode'] = nd.binary_erosion(m, b, border_value=1)
outputs['open'] = nd.binary_dilation(nd.binary_erosion(m, b, border_value=1), b)
outputs['close'] = nd.binary_erosion(nd.binary_dilation(m, b), b, border_value=1)
for name in list(outputs): outputs[name] = outputs[name].astype(np.uint8)
`
    const theirs = runScipy(code, { mask: { size, data: mask } })
    for (const operation of ['dilate', 'erode', 'open', 'close'] satisfies Operation[]) {
      const ours = mask.slice()
      morphology(ours, size, spacing, { operation, radius: 2.6 })
      expect(Buffer.from(ours).equals(theirs[operation] as Buffer), operation).toBe(true)
      expect(ours).not.toEqual(mask)
    }
  })

  it('is the same by distances, as larger balls are grown', () => {
    const wide = [70, 40, 12] as const
    const next = random(9)
    const mask = Uint8Array.from({ length: wide[0] * wide[1] * wide[2] }, () => (next() < 0.01 ? 1 : 0))
    for (const radius of [0.5, 0.7, 2.1, 7.7]) {
      const bits = mask.slice()
      morphology(bits, wide, [0.7, 0.7, 1.4], { operation: 'dilate', radius })
      const distances = mask.slice()
      growByDistance(distances, wide, [0.7, 0.7, 1.4], { value: 1, radius })
      expect(Buffer.from(bits).equals(Buffer.from(distances)), `${radius} mm`).toBe(true)
      morphology(bits, wide, [0.7, 0.7, 1.4], { operation: 'erode', radius: 1.4 })
      growByDistance(distances, wide, [0.7, 0.7, 1.4], { value: 0, radius: 1.4 })
      expect(Buffer.from(bits).equals(Buffer.from(distances)), `${radius} mm`).toBe(true)
    }
  })

  it('grows by a ball that is larger than rows are fast for', () => {
    const large = [64, 64, 64] as const
    const mask = new Uint8Array(64 ** 3)
    mask[(32 * 64 + 32) * 64 + 32] = 1
    morphology(mask, large, [1, 1, 1], { operation: 'dilate', radius: 25 })
    const inside = mask.reduce((n, m) => n + m, 0)
    expect(Math.abs(inside / ((4 / 3) * Math.PI * 25 ** 3) - 1)).toBeLessThan(0.01)
  })

  it('counts what lies exactly at the radius', () => {
    const grid = gridOf([9, 9, 9], [0.7, 0.7, 0.7])
    const dot = labelsFrom(grid, (i, j, k) => (i === 4 && j === 4 && k === 4 ? 3 : 0))
    const grown = labelsAfter('dilate', labelValue(dot), { radius: 2.1 })
    const expected = labelsFrom(grid, (i, j, k) => ((i - 4) ** 2 + (j - 4) ** 2 + (k - 4) ** 2 <= 9 ? 3 : 0))
    expect(grown).toEqual([...expected.labels])
  })
})

describe('the steps of morphology', () => {
  const grid = gridOf([30, 20, 3])
  const two = labelsFrom(grid, (i, j, k) =>
    j >= 5 && j < 15 && k === 1 ? (i >= 4 && i < 12 ? 1 : i >= 13 && i < 20 ? 2 : 0) : 0,
  )

  it('grow into background only, the lower label first, and touch labels that are not named not at all', () => {
    const grown = labelsAfter('dilate', labelValue(two), { radius: 1 })
    const at = (i: number, j: number, k: number) => grown[(k * 20 + j) * 30 + i]
    expect([at(12, 10, 1), at(11, 10, 1), at(13, 10, 1), at(20, 10, 1), at(3, 10, 1), at(8, 10, 0)]).toEqual([
      1, 1, 2, 2, 1, 1,
    ])
    expect(labelsAfter('dilate', labelValue(two), { radius: 1, labels: [2] }).filter((l) => l === 1)).toHaveLength(80)
    const flat = labelsAfter('dilate', labelValue(two), { radius: 1, within: 'slice' })
    expect(flat.slice(0, 600).some((l) => l !== 0)).toBe(false)
  })

  it('do not erode a label where the image ends, and treat one slice as a plane', () => {
    const plane = gridOf([10, 10, 1])
    const cut = labelsFrom(plane, (i, j) => (i < 5 && j > 2 && j < 9 ? 1 : 0))
    const left = labelsAfter('erode', labelValue(cut), { radius: 1 })
    const kept = labelsFrom(plane, (i, j) => (i < 4 && j > 3 && j < 8 ? 1 : 0))
    expect(left).toEqual([...kept.labels])
  })

  it('close a gap near the border of the image without sticking to it', () => {
    const plane = gridOf([12, 12, 1])
    const gap = labelsFrom(plane, (i, j) => (j >= 2 && j < 8 && i >= 1 && i < 9 && i !== 5 ? 1 : 0))
    const closed = labelsAfter('close', labelValue(gap), { radius: 3 })
    const filled = closed.filter((l, at) => l === 1 && gap.labels[at] === 0).length
    expect(filled).toBeGreaterThan(0)
    for (let j = 0; j < 12; j++) expect(closed[j * 12]).toBe(0)
    for (let j = 4; j < 6; j++) expect(closed[j * 12 + 5]).toBe(1)
  })

  it('leave the value that they are given as it is, unless it is theirs', () => {
    const before = two.labels.slice()
    for (const name of ['dilate', 'erode', 'open', 'close', 'fill-holes', 'largest-component', 'smooth']) {
      const options =
        name === 'smooth' ? { sigma: 2 } : ['fill-holes', 'largest-component'].includes(name) ? {} : { radius: 2 }
      applyStep(name, labelValue(two), options)
      expect(two.labels, name).toEqual(before)
    }
    const own = { grid, labels: two.labels.slice() }
    applyStep('erode', labelValue(own), { radius: 2 }, { owned: true })
    expect(own.labels).not.toEqual(before)
  })
})
