import { describe, expect, it } from 'vitest'
import { agreementOf } from '../../src/evaluate/metrics/agreement.ts'
import { calibrationOf } from '../../src/evaluate/metrics/calibration.ts'
import { confusionMatrix, decisionMetrics, proportion } from '../../src/evaluate/metrics/decisions.ts'
import { describeValues, quantile } from '../../src/evaluate/metrics/distribution.ts'
import { frocOf } from '../../src/evaluate/metrics/froc.ts'
import { dice, intersectionOverUnion, overlapOf } from '../../src/evaluate/metrics/overlap.ts'
import { seededIndices } from '../../src/evaluate/metrics/random.ts'
import { rocOf } from '../../src/evaluate/metrics/roc.ts'
import { surfaceDistances } from '../../src/evaluate/metrics/surface-distance.ts'
import { available, runProgram } from '../support/programs.ts'

const bootstrap = { draws: 2000, seed: 1 }

describe('metrics of masks', () => {
  it('are those that a hand computes', () => {
    const overlap = overlapOf(Uint8Array.of(1, 1, 1, 0, 0), Uint8Array.of(0, 1, 1, 1, 0))
    expect(overlap).toEqual({ result: 3, reference: 3, shared: 2 })
    expect(dice(overlap)).toBeCloseTo(2 / 3, 12)
    expect(intersectionOverUnion(overlap)).toBe(0.5)
  })

  it('are not defined where both are empty, and there is no distance to nothing', () => {
    const [empty, full] = [new Uint8Array(8), new Uint8Array(8).fill(1)]
    expect(dice(overlapOf(empty, empty))).toBeNull()
    expect(intersectionOverUnion(overlapOf(empty, full))).toBe(0)
    for (const masks of [{ result: empty, reference: full }, { result: full, reference: empty }, { result: empty, reference: empty }]) // biome-ignore format: three pairs
      expect(surfaceDistances(masks, [2, 2, 2], [1, 1, 1], 1)).toBeNull()
  })

  it('are true to anisotropic spacing', () => {
    const [result, reference] = [new Uint8Array(5 * 5 * 5), new Uint8Array(5 * 5 * 5)]
    result[2 * 25 + 2 * 5 + 2] = 1
    reference[3 * 25 + 2 * 5 + 3] = 1
    const distances = surfaceDistances({ result, reference }, [5, 5, 5], [3, 1, 4], 5)
    expect(distances).toEqual({ hausdorff95: 5, surfaceDice: 1 })
    expect(surfaceDistances({ result, reference }, [5, 5, 5], [3, 1, 4], 4.99)?.surfaceDice).toBe(0)
  })

  it('take the outline of a single slice', () => {
    const square = (from: number): Uint8Array =>
      Uint8Array.from({ length: 400 }, (_, i) => {
        const [x, y] = [i % 20, Math.floor(i / 20)]
        return x >= from && x < from + 10 && y >= 5 && y < 15 ? 1 : 0
      })
    // Moved by one: the inside of a full square would hide it if every voxel were surface.
    const distances = surfaceDistances({ result: square(3), reference: square(6) }, [20, 20, 1], [1, 1, 1], 0)
    expect(distances?.hausdorff95).toBe(3)
    // Of 36 pixels, the upper and lower sides share 7 each with the other square; the corners belong to both sides.
    expect(distances?.surfaceDice).toBeCloseTo(14 / 36, 12)
  })
})

describe('metrics of decisions', () => {
  // Newcombe 1998 (Stat Med 17:857), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('have the interval of Wilson: %i of %i', (part, whole, low, high) => {
    const { interval } = proportion(part, whole) ?? { interval: [] }
    expect(interval[0]).toBeCloseTo(low, 4)
    expect(interval[1]).toBeCloseTo(high, 4)
  })

  it('count', () => {
    const make = (found: boolean, truth: boolean, count: number) =>
      Array.from({ length: count }, () => ({ found, truth }))
    const metrics = decisionMetrics(
      [...make(true, true, 8), ...make(true, false, 3), ...make(false, false, 17), ...make(false, true, 2)],
      bootstrap,
    )
    expect(metrics.sensitivity?.value).toBe(0.8)
    expect(metrics.specificity?.value).toBe(0.85)
    expect(metrics.precision?.value).toBeCloseTo(8 / 11, 12)
    expect(metrics.accuracy?.value).toBeCloseTo(25 / 30, 12)
    expect(metrics.f1?.value).toBeCloseTo(16 / 21, 12)
    const [low = 1, high = 0] = metrics.f1?.interval ?? []
    expect(low).toBeGreaterThan(0.4)
    expect(low).toBeLessThan(16 / 21)
    expect(high).toBeGreaterThan(16 / 21)
    expect(decisionMetrics(make(false, false, 3), bootstrap)).toMatchObject({
      sensitivity: null,
      precision: null,
      f1: null,
    })
  })

  it('stand in a matrix by what is true and what was said', () => {
    const pairs = [{ truth: 0, said: 0 }, { truth: 0, said: 2 }, { truth: 2, said: 1 }, { truth: 2, said: 1 }] // biome-ignore format: a list
    expect(confusionMatrix(pairs, 3)).toEqual([[1, 0, 1], [0, 0, 0], [0, 2, 0]]) // biome-ignore format: a matrix
  })
})

describe('the ROC curve', () => {
  it('counts ties half', () => {
    const cases = [0.9, 0.8, 0.8, 0.3].map((score, n) => ({ score, truth: n === 0 || n === 2 }))
    // Pairs: 0.9 beats 0.8 and 0.3; 0.8 ties with 0.8 and beats 0.3.
    expect(rocOf(cases, bootstrap)?.auc).toBe(3.5 / 4)
    expect(rocOf(cases, bootstrap)?.points.map((p) => [p.falsePositiveRate, p.sensitivity])).toEqual([[0, 0], [0, 0.5], [0.5, 1], [1, 1]]) // biome-ignore format: points
  })

  it('needs positives and negatives', () => {
    expect(rocOf([{ score: 0.4, truth: true }], bootstrap)).toBeNull()
  })

  it('has the same interval for the same seed', () => {
    const next = seededIndices(7)
    const cases = Array.from({ length: 60 }, (_, n) => ({
      score: (next(100) + (n % 2 ? 30 : 0)) / 130,
      truth: n % 2 === 1,
    }))
    const [one, again, other] = [1, 1, 2].map((seed) => rocOf(cases, { draws: 500, seed })?.interval)
    expect(one).toEqual(again)
    expect(one).not.toEqual(other)
  })
})

it('calibration is the difference of what is said and what is seen, bin by bin', () => {
  const make = (score: number, positives: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({ score, truth: n < positives }))
  const calibration = calibrationOf([...make(0.15, 1, 4), ...make(0.85, 6, 6), ...make(0, 0, 2), ...make(0.2, 0, 1)])
  expect(calibration?.bins.map(({ count }) => count)).toEqual([2, 5, 0, 0, 0, 0, 0, 0, 6, 0])
  expect(calibration?.bins[1]?.observed).toBe(0.2)
  expect(calibration?.expectedError).toBeCloseTo((Math.abs(0.8 - 1) + 6 * 0.15 + 0) / 13, 12)
  expect(calibration?.brier).toBeCloseTo((0.85 ** 2 + 3 * 0.15 ** 2 + 6 * 0.15 ** 2 + 0.2 ** 2) / 13, 12)
})

describe('the FROC curve', () => {
  it('counts a lesion once, and a further hit not at all', () => {
    const froc = frocOf([
      { lesions: 2, findings: [{ score: 0.9, hits: [0] }, { score: 0.8, hits: [0] }, { score: 0.5, hits: [] }] },
      { lesions: 1, findings: [{ score: 0.7, hits: [] }, { score: 0.4, hits: [0] }] },
      { lesions: 0, findings: [] },
    ]) // biome-ignore format: findings
    expect(froc?.points.map((p) => [p.threshold, p.falsePositivesPerCase, p.sensitivity])).toEqual([
      [0.9, 0, 1 / 3],
      [0.8, 0, 1 / 3],
      [0.7, 1 / 3, 1 / 3],
      [0.5, 2 / 3, 1 / 3],
      [0.4, 2 / 3, 2 / 3],
    ])
    expect(froc?.at.map(({ sensitivity }) => Number(sensitivity.toFixed(3)))).toEqual([
      0.333, 0.333, 0.333, 0.667, 0.667, 0.667, 0.667,
    ])
    expect(froc?.precision?.of).toEqual([2, 4])
  })

  it('gives one finding that hits two lesions one of them', () => {
    expect(frocOf([{ lesions: 2, findings: [{ score: 1, hits: [0, 1] }] }])?.sensitivity?.of).toEqual([1, 2])
    expect(frocOf([{ lesions: 0, findings: [] }])).toBeNull()
  })
})

it('agreement is bias and its limits', () => {
  const agreement = agreementOf([[10, 8], [12, 13], [20, 18]].map(([result = 0, reference = 0]) => ({ result, reference }))) // biome-ignore format: pairs
  expect(agreement?.meanAbsoluteError).toBeCloseTo(5 / 3, 12)
  expect(agreement?.bias).toBeCloseTo(1, 12)
  expect(agreement?.limits?.[1]).toBeCloseTo(1 + 1.96 * Math.sqrt(3), 12)
  expect(agreementOf([{ result: 1, reference: 1 }])?.limits).toBeNull()
})

it('the interval of a mean holds it, and quantiles lie between neighbours', () => {
  expect(quantile([1, 2, 4], 0.75)).toBe(3)
  const described = describeValues([0.9, 0.8, 0.7, 0.95], bootstrap)
  expect(described?.mean).toBeCloseTo(0.8375, 12)
  expect(described?.median).toBeCloseTo(0.85, 12)
  const [low = 1, high = 0] = described?.interval ?? []
  expect(low).toBeGreaterThanOrEqual(0.7)
  expect(low).toBeLessThan(0.8375)
  expect(high).toBeGreaterThan(0.8375)
})

/** The same in numpy and scipy, by other ways: erosion, and all distances between all voxels of the surfaces. */
const oracle = `
import json, sys
import numpy as np
from scipy import ndimage
from scipy.spatial.distance import cdist
rng = np.random.default_rng(5)
out = {"masks": [], "scores": []}
for size, spacing, tolerance in [((24, 20, 13), (0.7, 0.9, 2.5), 1.5), ((30, 26, 1), (1, 1, 1), 1), ((16, 31, 22), (3, 1, 0.5), 2)]:
    nx, ny, nz = size
    field = ndimage.gaussian_filter(rng.standard_normal((nz, ny, nx)), (min(2, nz - 1), 2, 2))
    other = field + 0.7 * ndimage.gaussian_filter(rng.standard_normal((nz, ny, nx)), (min(2, nz - 1), 2, 2))
    a, b = field > np.quantile(field, 0.7), other > np.quantile(other, 0.75)
    axes = ndimage.generate_binary_structure(3, 1)
    if nz == 1:
        axes = axes.copy(); axes[0] = False; axes[2] = False
    def surface(m): return np.argwhere(m & ~ndimage.binary_erosion(m, axes))[:, ::-1] * np.array(spacing)
    d = cdist(surface(a), surface(b))
    ab, ba = d.min(axis=1), d.min(axis=0)
    out["masks"].append({"size": size, "spacing": spacing, "tolerance": tolerance, "a": a.ravel().astype(int).tolist(), "b": b.ravel().astype(int).tolist(),
        "dice": 2 * (a & b).sum() / (a.sum() + b.sum()), "iou": (a & b).sum() / (a | b).sum(),
        "hd95": max(np.percentile(ab, 95), np.percentile(ba, 95)),
        "sd": ((ab <= tolerance + 1e-6).sum() + (ba <= tolerance + 1e-6).sum()) / (len(ab) + len(ba))})
for n in (12, 200):
    truth = rng.random(n) < 0.4; truth[0] = True; truth[1] = False
    score = np.clip(np.round(0.35 + 0.25 * truth + 0.2 * rng.standard_normal(n), 2), 0, 1)
    p, q = score[truth], score[~truth]
    auc = ((p[:, None] > q).sum() + 0.5 * (p[:, None] == q).sum()) / (len(p) * len(q))
    draws = []
    for _ in range(4000):
        a, b = rng.choice(p, len(p)), rng.choice(q, len(q))
        draws.append(((a[:, None] > b).sum() + 0.5 * (a[:, None] == b).sum()) / (len(p) * len(q)))
    out["scores"].append({"score": score.tolist(), "truth": truth.tolist(), "auc": auc, "interval": np.percentile(draws, [2.5, 97.5]).tolist(), "brier": float(np.mean((score - truth) ** 2))})
print(json.dumps(out, default=float))
`

interface Oracle {
  masks: {
    size: [number, number, number]
    spacing: [number, number, number]
    tolerance: number
    a: number[]
    b: number[]
    dice: number
    iou: number
    hd95: number
    sd: number
  }[]
  scores: { score: number[]; truth: boolean[]; auc: number; interval: [number, number]; brier: number }[]
}

const hasScipy = available('/usr/bin/python3') && runProgram('python3', ['-c', 'import scipy']).code === 0
describe.skipIf(!hasScipy)('beside numpy and scipy (needs python3-scipy)', () => {
  it('masks and scores give the same', () => {
    const { output, stdout, code } = runProgram('python3', ['-c', oracle])
    expect(code, output).toBe(0)
    const { masks, scores } = JSON.parse(stdout) as Oracle
    for (const { a, b, size, spacing, tolerance, ...expected } of masks) {
      const [result, reference] = [Uint8Array.from(a), Uint8Array.from(b)]
      const overlap = overlapOf(result, reference)
      expect(dice(overlap)).toBeCloseTo(expected.dice, 10)
      expect(intersectionOverUnion(overlap)).toBeCloseTo(expected.iou, 10)
      const distances = surfaceDistances({ result, reference }, size, spacing, tolerance)
      expect(distances?.hausdorff95).toBeCloseTo(expected.hd95, 5)
      expect(distances?.surfaceDice).toBeCloseTo(expected.sd, 10)
    }
    for (const { score, truth, auc, interval, brier } of scores) {
      const cases = score.map((value, n) => ({ score: value, truth: truth[n] === true }))
      const roc = rocOf(cases, bootstrap)
      expect(roc?.auc).toBeCloseTo(auc, 10)
      expect(calibrationOf(cases)?.brier).toBeCloseTo(brier, 10)
      for (const side of [0, 1] as const)
        expect(Math.abs((roc?.interval?.[side] ?? 0) - interval[side])).toBeLessThan(0.03)
    }
  })
})
