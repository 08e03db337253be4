import { describe, expect, it } from 'vitest'
import { type LabelMap, voxelsOf } from '../../../src/infer/image.ts'
import type { Value } from '../../../src/infer/value.ts'
import { applyStep, gridOf, imageValue, labelsAfter, labelsFrom, labelValue, random } from './apply-step.ts'
import { hasScipy, runScipy } from './scipy.ts'

const grid = gridOf([24, 18, 10], [1, 1, 2])

/** Noise of several labels, whose voxels often hang together. */
function noise(seed: number, labels: number, part: number): LabelMap {
  const next = random(seed)
  return labelsFrom(grid, () => (next() < part ? 1 + Math.floor(next() * labels) : 0))
}

describe('fill-holes', () => {
  it('equals scipy in the volume and slice by slice', ({ skip }) => {
    if (!hasScipy()) skip()
    const map = noise(5, 1, 0.75)
    const { volume, slices } = runScipy(
      `
m = inputs['mask'].astype(bool)
outputs['volume'] = nd.binary_fill_holes(m).astype(np.uint8)
outputs['slices'] = np.stack([nd.binary_fill_holes(s) for s in m]).astype(np.uint8)
`,
      { mask: { size: grid.size, data: map.labels } },
    )
    expect(labelsAfter('fill-holes', labelValue(map))).toEqual([...(volume as Buffer)])
    expect(labelsAfter('fill-holes', labelValue(map), { within: 'slice' })).toEqual([...(slices as Buffer)])
    expect((volume as Buffer).equals(slices as Buffer)).toBe(false)
  })

  it('fills background only, counts other labels as enclosed, and leaves holes that are too large', () => {
    const shell = labelsFrom(grid, (i, j, k) => {
      const edge = Math.max(Math.abs(i - 10), Math.abs(j - 8), Math.abs(k - 5))
      return edge === 3 ? 4 : edge === 0 ? 7 : 0
    })
    const filled = labelsAfter('fill-holes', labelValue(shell))
    expect(filled.filter((l) => l === 4)).toHaveLength(7 ** 3 - 1)
    expect(filled.filter((l) => l === 7)).toHaveLength(1)
    // The hole holds 125 voxels of 2 mm3, the one of label 7 among them.
    expect(labelsAfter('fill-holes', labelValue(shell), { maximumVolume: 0.249 })).toEqual([...shell.labels])
    expect(labelsAfter('fill-holes', labelValue(shell), { maximumVolume: 0.25 })).toEqual(filled)
    expect(labelsAfter('fill-holes', labelValue(shell), { labels: [7] })).toEqual([...shell.labels])
  })

  it('takes an image of one slice as a plane', () => {
    const ring = labelsFrom(gridOf([7, 7, 1]), (i, j) => (Math.max(Math.abs(i - 3), Math.abs(j - 3)) === 2 ? 1 : 0))
    expect(labelsAfter('fill-holes', labelValue(ring)).filter((l) => l === 1)).toHaveLength(25)
  })
})

describe('components', () => {
  it.for([6, 18, 26] as const)(
    'equal scipy: those of at least 4 voxels, with %d neighbours',
    (connectivity, { skip }) => {
      if (!hasScipy()) skip()
      const map = noise(7, 2, 0.3)
      const { kept } = runScipy(
        `
out = np.zeros_like(inputs['labels'])
for value in (1, 2):
    parts, n = nd.label(inputs['labels'] == value, nd.generate_binary_structure(3, ${{ 6: 1, 18: 2, 26: 3 }[connectivity]}))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    out[(sizes >= 4)[parts]] = value
outputs['kept'] = out
`,
        { labels: { size: grid.size, data: map.labels } },
      )
      const ours = labelsAfter('components', labelValue(map), { connectivity, keep: { minimumVolume: 0.008 } })
      expect(ours).toEqual([...(kept as Buffer)])
      expect(ours).not.toEqual([...map.labels])
    },
  )

  /** Three pieces of label 1, of 8, 4 and 2 voxels, one of label 2 that touches the second. */
  const pieces = labelsFrom(gridOf([20, 3, 1]), (i, j) => {
    if (j !== 1) return 0
    return i < 8 ? 1 : i >= 10 && i < 14 ? 1 : i === 14 ? 2 : i >= 18 ? 1 : 0
  })
  const row = (values: number[]): string => values.slice(20, 40).join('')

  it('stay by their number, each label by itself or all together', () => {
    expect(row(labelsAfter('largest-component', labelValue(pieces)))).toBe('11111111000000200000')
    expect(row(labelsAfter('largest-component', labelValue(pieces), { per: 'foreground' }))).toBe(
      '11111111000000000000',
    )
    const two = { keep: { largest: 2 } }
    expect(row(labelsAfter('components', labelValue(pieces), two))).toBe('11111111001111200000')
    expect(row(labelsAfter('components', labelValue(pieces), { ...two, per: 'foreground' }))).toBe(
      '11111111001111200000',
    )
    expect(row(labelsAfter('components', labelValue(pieces), { keep: { largest: 1 }, labels: [2] }))).toBe(
      row([...pieces.labels]),
    )
  })

  it('stay where they overlap another value, by a part of them', () => {
    const map = labelsFrom(pieces.grid, (i, j) => (j === 1 && i >= 7 && i < 12 ? 5 : 0))
    const values = { organ: labelValue(map) }
    const keep = { overlapping: 'organ' }
    expect(row(labelsAfter('components', labelValue(pieces), { keep }, { values }))).toBe('11111111001111000000')
    expect(
      row(labelsAfter('components', labelValue(pieces), { keep: { ...keep, minimumOverlap: 0.5 } }, { values })),
    ).toBe('00000000001111000000')
    // Of those that overlap, the largest.
    expect(row(labelsAfter('components', labelValue(pieces), { keep: { ...keep, largest: 1 } }, { values }))).toBe(
      '11111111000000000000',
    )
    expect(row(labelsAfter('remove-outside', labelValue(pieces), { mask: 'organ' }, { values }))).toBe(
      '11111111001111000000',
    )
  })

  it('ask for a condition', () => {
    expect(() => applyStep('components', labelValue(pieces), { keep: {} })).toThrow(
      /largest, minimumVolume or overlapping/,
    )
    expect(() => applyStep('components', labelValue(pieces), { keep: { largest: 1, minimumOverlap: 0.5 } })).toThrow(
      /minimumOverlap/,
    )
  })
})

describe('masks', () => {
  const plane = gridOf([6, 1, 1])
  const map = labelsFrom(plane, (i) => i + 1)
  const organ = labelsFrom(plane, (i) => (i < 2 ? 8 : i < 4 ? 9 : 0))
  const values: Record<string, Value> = {
    organ: labelValue(organ),
    map: imageValue(plane, 1, [0, 0.4, 0.5, 0.6, 1, 1]),
    box: { kind: 'boxes', grid: plane, boxes: [{ from: [1.5, -0.5, 0], to: [3.5, 0.5, 0], score: 1, class: 0 }] },
  }

  it('keep or remove voxels by labels, an image or boxes', () => {
    const keep = (options: object) => labelsAfter('keep-inside', labelValue(map), options, { values })
    expect(keep({ mask: 'organ' })).toEqual([1, 2, 3, 4, 0, 0])
    expect(keep({ mask: 'organ', maskLabels: [9] })).toEqual([0, 0, 3, 4, 0, 0])
    expect(keep({ mask: 'map' })).toEqual([0, 0, 0, 4, 5, 6])
    expect(keep({ mask: 'box' })).toEqual([0, 0, 3, 4, 0, 0])
    expect(labelsAfter('remove-inside', labelValue(map), { mask: 'box' }, { values })).toEqual([1, 2, 0, 0, 5, 6])
  })

  it('fill images, every channel', () => {
    const image = imageValue(plane, 2, [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60])
    const kept = applyStep('keep-inside', image, { mask: 'organ', fill: -9 }, { values })
    expect(kept.kind === 'image' && [...kept.image.data]).toEqual([1, 2, 3, 4, -9, -9, 10, 20, 30, 40, -9, -9])
  })

  it('lie on grids of their own', () => {
    const fine = gridOf([12, 1, 1], [0.5, 1, 1])
    const shifted = { ...fine, origin: [-0.25, 0, 0] as const }
    const mask = labelValue({
      grid: shifted,
      labels: Uint8Array.from({ length: voxelsOf(fine) }, (_, i) => (i >= 8 ? 1 : 0)),
    })
    expect(labelsAfter('keep-inside', labelValue(map), { mask: 'm' }, { values: { m: mask } })).toEqual([
      0, 0, 0, 0, 5, 6,
    ])
  })

  it('choose boxes and points', () => {
    const boxes: Value = {
      kind: 'boxes',
      grid: plane,
      boxes: [
        { from: [2.5, -0.5, 0], to: [5.5, 0.5, 0], score: 1, class: 0 },
        { from: [-0.5, -0.5, 0], to: [0.5, 0.5, 0], score: 1, class: 1 },
      ],
    }
    const classes = (value: Value) =>
      (value.kind === 'boxes' ? value.boxes : value.kind === 'points' ? value.points : []).map((b) => b.class)
    expect(classes(applyStep('keep-inside', boxes, { mask: 'organ' }, { values }))).toEqual([1])
    expect(classes(applyStep('remove-inside', boxes, { mask: 'organ' }, { values }))).toEqual([0])
    expect(classes(applyStep('remove-outside', boxes, { mask: 'organ' }, { values }))).toEqual([0, 1])
    const points: Value = {
      kind: 'points',
      grid: plane,
      points: [
        { at: [3.4, 0, 0], score: 1, class: 5 },
        { at: [3.6, 0, 0], score: 1, class: 6 },
      ],
    }
    expect(classes(applyStep('keep-inside', points, { mask: 'organ' }, { values }))).toEqual([5])
  })

  it('cannot be numbers', () => {
    const wrong = { m: { kind: 'numbers', numbers: Float64Array.of(1) } } as const
    expect(() => applyStep('keep-inside', labelValue(map), { mask: 'm' }, { values: wrong })).toThrow(
      /m is no mask: it is numbers/,
    )
  })
})

describe('labels', () => {
  const map = labelsFrom(gridOf([6, 1, 1]), (i) => i)

  it('are renumbered all at once, and the others kept or removed', () => {
    expect(labelsAfter('relabel', labelValue(map), { map: { 1: 2, 2: 1, 5: 0 } })).toEqual([0, 2, 1, 3, 4, 0])
    expect(labelsAfter('relabel', labelValue(map), { map: { 1: 9 }, others: 'remove' })).toEqual([0, 9, 0, 0, 0, 0])
    expect(() => applyStep('relabel', labelValue(map), { map: { 256: 1 } })).toThrow(/1 to 255/)
  })

  it('are merged', () => {
    expect(labelsAfter('merge-labels', labelValue(map), { labels: [2, 4, 5] })).toEqual([0, 1, 2, 3, 2, 2])
    expect(labelsAfter('merge-labels', labelValue(map), { labels: [2, 4], to: 200 })).toEqual([0, 1, 200, 3, 200, 5])
  })
})

describe('smooth', () => {
  it('equals scipy’s Gaussian in mm', ({ skip }) => {
    if (!hasScipy()) skip()
    const next = random(11)
    const data = Float32Array.from({ length: voxelsOf(grid) }, () => next() * 100)
    const { blurred } = runScipy(
      `outputs['blurred'] = nd.gaussian_filter(inputs['x'].astype(float), [0.75, 1.5, 1.5], mode='nearest').astype(np.float32)`,
      { x: { size: grid.size, data } },
    )
    const ours = applyStep('smooth', imageValue(grid, 1, data), { sigma: 1.5 })
    const theirs = new Float32Array((blurred as Buffer).buffer.slice((blurred as Buffer).byteOffset))
    if (ours.kind !== 'image') throw new Error('an image is expected')
    for (let i = 0; i < theirs.length; i++) expect(ours.image.data[i]).toBeCloseTo(theirs[i] as number, 3)
  })

  it('rounds labels, drops specks, and leaves no gap where labels meet', () => {
    const cube = gridOf([30, 30, 30])
    const map = labelsFrom(cube, (i, j, k) => {
      if (i === 2 && j === 2 && k === 2) return 1
      const inside = [i, j, k].every((x) => x >= 8 && x < 22)
      return inside ? (i < 15 ? 1 : 2) : 0
    })
    const smoothed = labelsAfter('smooth', labelValue(map), { sigma: 2 })
    const at = (i: number, j: number, k: number) => smoothed[(k * 30 + j) * 30 + i]
    expect(at(2, 2, 2)).toBe(0)
    expect([at(8, 8, 8), at(21, 21, 21)]).toEqual([0, 0])
    expect([at(8, 15, 15), at(14, 15, 15), at(15, 15, 15), at(21, 15, 15)]).toEqual([1, 1, 2, 2])
    expect([at(14, 8, 15), at(15, 8, 15), at(7, 15, 15)]).toEqual([1, 2, 0])
    const only = labelsAfter('smooth', labelValue(map), { sigma: 2, labels: [1] })
    expect(only.map((l) => l === 2)).toEqual([...map.labels].map((l) => l === 2))
  })
})
