import type { Vector } from '../dicom/geometry.ts'
import type { Grid, Image, LabelMap } from './image.ts'

/** A box whose edges follow a grid's axes, in indices of that grid: voxel centres are whole numbers, edges lie at halves. */
export interface Box {
  /** Least corner and greatest corner, not rounded. In a single image the third index is that of the slice or frame, twice. */
  from: Vector
  to: Vector
  /** 0 to 1. */
  score: number
  /** Index of the class, from 0. */
  class: number
}

/** A place on a grid, in indices, not rounded: a key point of a model, with its score. */
export interface Point {
  at: Vector
  score: number
  class: number
}

/** What one step of a pipeline gives and another takes. */
export type Value =
  | { kind: 'image'; image: Image }
  | { kind: 'labels'; labels: LabelMap }
  | { kind: 'boxes'; grid: Grid; boxes: readonly Box[] }
  | { kind: 'points'; grid: Grid; points: readonly Point[] }
  /** A vector of a classifier or a regression: scores, probabilities, an age. */
  | { kind: 'numbers'; numbers: Float64Array }
  /**
   * An output of a model as it came (raw boxes, anchors' scores), row-major: for a step that knows what it means. `grid` is that of the
   * model's image input: where the output speaks of pixels, it speaks of these.
   */
  | { kind: 'tensor'; grid: Grid; dims: readonly number[]; data: Float32Array }

export type ValueKind = Value['kind']
export type ValueOf<Kind extends ValueKind> = Extract<Value, { kind: Kind }>
