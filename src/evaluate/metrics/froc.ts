import { type Proportion, proportion } from './decisions.ts'

/** What a detector found in a case, held against the reference. */
export interface DetectionCase {
  /** Lesions of the reference. */
  lesions: number
  findings: readonly {
    score: number
    /** Lesions that it hits, as indices; none for a false positive. */
    hits: readonly number[]
  }[]
}

export interface FrocPoint {
  threshold: number
  /** Part of all lesions. */
  sensitivity: number
  falsePositivesPerCase: number
}

export interface Froc {
  cases: number
  lesions: number
  points: FrocPoint[]
  /** Sensitivity at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives a case. */
  at: { falsePositivesPerCase: number; sensitivity: number }[]
  /** Mean of these. */
  meanSensitivity: number
  /** With everything that the pipeline reports. */
  sensitivity: Proportion | null
  precision: Proportion | null
  falsePositivesPerCase: number
}

const rates = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]

/**
 * The free-response ROC curve. A lesion is found once, however many findings hit it: a further hit is neither right nor wrong. Beyond its last
 * point, where everything is counted that was reported, the curve goes on level.
 * @returns null without lesions
 */
export function frocOf(cases: readonly DetectionCase[]): Froc | null {
  const lesions = cases.reduce((sum, one) => sum + one.lesions, 0)
  if (lesions === 0) return null
  const all = cases.flatMap(({ findings }, index) => findings.map((finding) => ({ ...finding, index })))
  all.sort((a, b) => b.score - a.score)
  const found = cases.map((one) => new Uint8Array(one.lesions))
  const points: FrocPoint[] = []
  let [right, wrong] = [0, 0]
  for (const [at, { score, hits, index }] of all.entries()) {
    const known = found[index] as Uint8Array
    const fresh = hits.find((lesion) => !known[lesion])
    if (hits.length === 0) wrong++
    else if (fresh !== undefined) {
      known[fresh] = 1
      right++
    }
    // Findings of one score are told apart by no threshold.
    if (all[at + 1]?.score !== score)
      points.push({ threshold: score, sensitivity: right / lesions, falsePositivesPerCase: wrong / cases.length })
  }
  const at = rates.map((rate) => ({ falsePositivesPerCase: rate, sensitivity: sensitivityAt(points, rate) }))
  return {
    cases: cases.length,
    lesions,
    points,
    at,
    meanSensitivity: at.reduce((sum, { sensitivity }) => sum + sensitivity, 0) / at.length,
    sensitivity: proportion(right, lesions),
    precision: proportion(right, right + wrong),
    falsePositivesPerCase: wrong / cases.length,
  }
}

/** The most that is reached with at most so many false positives. */
function sensitivityAt(points: readonly FrocPoint[], rate: number): number {
  return points.reduce((best, point) => (point.falsePositivesPerCase <= rate ? point.sensitivity : best), 0)
}
