import { type Grid, type Image, voxelsOf } from '../../image.ts'
import { mapLabels } from '../../label-runs.ts'
import { finishStep } from '../../step.ts'
import type { Value } from '../../value.ts'
import { FinishError } from '../error.ts'
import { label } from './labels.ts'
import { findLungs } from './lungs.ts'
import { lungsOptions } from './options.ts'

/** Labels of the result, and the anatomy that they stand for. */
export const lungLabels = { leftLung: 1, rightLung: 2 } as const

/**
 * Turns air inside the body, as a model marks it, into lungs: air outside of the patient is dropped, airways are taken out, the two lungs
 * are selected and told apart, vessels and holes in them closed, and what only looks like lung removed.
 */
export const lungs = finishStep({
  summary:
    'Left lung (1) and right lung (2) from a mask of air inside the body on CT; refuses scans without lungs, with one lung, or that cut them off.',
  options: lungsOptions,
  takes: ['labels', 'image'],
  gives: 'labels',
  needs: ({ density }) => [density],
  apply(value, { density, ...parameters }, context) {
    const { grid, candidates } = candidatesOf(value, context.owned ?? false)
    requireCanonical(grid)
    const log: string[] = []
    const work = {
      extent: { size: grid.size, spacing: grid.spacing },
      density: densitiesOf(context.valueOf(density), grid, density),
      labels: candidates,
      log,
    }
    try {
      findLungs(work, parameters, context.progress)
    } finally {
      for (const sentence of log) context.note(sentence)
    }
    const to = new Uint8Array(256)
    to[label.leftLung] = lungLabels.leftLung
    to[label.rightLung] = lungLabels.rightLung
    mapLabels(candidates, to)
    return { kind: 'labels', labels: { grid, labels: candidates } }
  },
})

/** The candidates as `label.air`, in memory that may be changed: that of labels that are given for good, else a copy. */
function candidatesOf(value: Value, owned: boolean): { grid: Grid; candidates: Uint8Array } {
  if (value.kind === 'labels') {
    const { grid, labels } = value.labels
    const candidates = owned ? labels : labels.slice()
    mapLabels(candidates, new Uint8Array(256).fill(label.air, 1))
    return { grid, candidates }
  }
  const { grid, data } =
    value.kind === 'image' && value.image.channels === 1
      ? value.image
      : wrongValue('lungs takes labels or an image of one channel')
  const candidates = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) if ((data[i] as number) > 0.5) candidates[i] = label.air
  return { grid, candidates }
}

function wrongValue(message: string): never {
  throw new FinishError('wrong-value', message)
}

/** Left, back and head must be where the code looks for them. */
function requireCanonical({ axes }: Grid): void {
  const cosine = Math.min(axes[0][0], axes[1][1], axes[2][2])
  if (cosine < 0.8)
    wrongValue(
      `lungs needs a grid whose axes lead to the left, the back and the head (reorient to LPS): one is ${((Math.acos(cosine) * 180) / Math.PI).toFixed(0)}° off`,
    )
}

function densitiesOf(value: Value, grid: Grid, name: string): Int16Array {
  const image: Image =
    value.kind === 'image' ? value.image : wrongValue(`lungs needs an image of densities: ${name} is ${value.kind}`)
  if (image.channels !== 1 || image.data.length !== voxelsOf(grid))
    throw new FinishError('different-grids', `lungs: ${name} and the candidates have different grids`)
  if (image.data instanceof Int16Array) return image.data
  // Clamps: a cast would wrap values beyond 16 bits around.
  return Int16Array.from(image.data, (hu) => Math.min(32767, Math.max(-32768, Math.round(hu))))
}
