import type { Agreement } from './metrics/agreement.ts'
import type { CalibrationBin } from './metrics/calibration.ts'
import type { DecisionMetrics } from './metrics/decisions.ts'
import type { Bootstrap, Distribution } from './metrics/distribution.ts'
import type { DetectionCase, Froc } from './metrics/froc.ts'
import type { Roc } from './metrics/roc.ts'

/** What can be set. */
export interface EvaluationSettings {
  /** Distance from which a surface counts as another, mm. */
  tolerance: number
  /** Overlap (intersection over union) from which a box hits another. */
  overlap: number
  bootstrap: Bootstrap
}

/** A segment of a case against its reference; null where a metric is not defined. */
export interface SegmentComparison {
  segment: string
  dice: number | null
  iou: number | null
  /** mm */
  hausdorff95: number | null
  surfaceDice: number | null
  /** mL */
  volume: number
  referenceVolume: number
}

export interface ClassComparison {
  class: string
  score: number
  found: boolean
  truth: boolean
}

export interface NumberComparison {
  measurement: string
  result: number
  reference: number
}

/** Outlines and boxes on the slice of a case that shows best what is wrong. */
export interface Sketch {
  slice: number
  slices: number
  columns: number
  rows: number
  /** Column spacing, row spacing, mm; 1 where it is not known. */
  spacing: readonly [number, number]
  /** Path data in pixels, from the top left corner of the first pixel. */
  result: string
  reference: string
  /** Part of the image that is worth showing, in pixels: left, top, width, height. */
  crop: readonly [number, number, number, number]
}

export interface CaseResult {
  name: string
  seriesInstanceUID: string
  /** `compared`, or why it was not. */
  outcome: 'compared' | 'no-reference' | 'refused' | 'failed'
  reason: string | null
  segments: SegmentComparison[]
  classes: ClassComparison[]
  /** The class that the case belongs to, and the most probable one. */
  label: { truth: string; said: string } | null
  numbers: NumberComparison[]
  detection: DetectionCase | null
  /** 0 for none, 1 for all wrong: by it, the worst cases are chosen. */
  error: number
  sketch: Sketch | null
}

export interface SegmentEvaluation {
  id: string
  label: string
  dice: Distribution | null
  iou: Distribution | null
  hausdorff95: Distribution | null
  surfaceDice: Distribution | null
  /** mL */
  volumeError: Agreement | null
  /** Relative to the reference, percent. */
  volumeErrorPercent: Distribution | null
  /** Cases in which neither has the segment; and in which only one has it: these have a Dice of 0 and no distances. */
  bothEmpty: number
  missed: number
  invented: number
}

export interface ClassEvaluation {
  id: string
  label: string
  threshold: number
  cases: number
  positives: number
  decisions: DecisionMetrics
  roc: Roc | null
  calibration: { bins: CalibrationBin[]; expectedError: number; brier: number } | null
}

export interface NumberEvaluation {
  id: string
  name: string
  unit: string
  agreement: Agreement | null
}

/** Everything that an evaluation found. */
export interface Evaluation {
  pipeline: {
    name: string
    version: string
    digest: string
    title: string
    intendedUse: string
    limits: string
    demonstrator: boolean
  }
  /** ISO 8601 UTC. */
  at: string
  settings: EvaluationSettings
  cases: CaseResult[]
  segments: SegmentEvaluation[]
  classes: ClassEvaluation[]
  /** Where the reference gives each case one class. */
  confusion: { classes: string[]; matrix: number[][] } | null
  numbers: NumberEvaluation[]
  detection: Froc | null
  /** What was passed over, and why. */
  notes: string[]
}
