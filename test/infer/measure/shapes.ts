import type { Grid, Image, LabelMap } from '../../../src/infer/image.ts'
import { quantities } from '../../../src/infer/measure/quantities.ts'
import type { MeasureContext, Measured } from '../../../src/infer/measure/quantity.ts'
import { labelsFrom } from '../finish/apply-step.ts'

/** Measures a quantity of the table with options as a manifest has them. */
export function measure(
  name: string,
  subject: unknown,
  options: unknown = {},
  context: MeasureContext = {},
): readonly Measured[] {
  const quantity = quantities[name]
  if (!quantity) throw new Error(`there is no quantity ${name}`)
  return quantity.apply(subject as never, quantity.options.parse(options), context)
}

/** The first number of a quantity. */
export function valueOf(...call: Parameters<typeof measure>): number {
  const [first] = measure(...call)
  if (!first) throw new Error('nothing was measured')
  return first.value
}

/** A grid of a size in mm around 0, turned about the patient's axes, and left-handed where that is asked for. */
export function grid(
  size: readonly [number, number, number],
  spacing: readonly [number, number, number],
  leftHanded = false,
): Grid {
  const [c, s] = [Math.cos(0.3), Math.sin(0.3)]
  return {
    size,
    spacing,
    origin: [10, -20, 30],
    axes: [
      [c, s, 0],
      [-s, c, 0],
      [0, 0, leftHanded ? -1 : 1],
    ],
  }
}

/** An ellipsoid in the middle of a grid, along its axes: voxels whose centre lies in it. */
export function ellipsoid(of: Grid, radii: readonly [number, number, number], label = 1): LabelMap {
  return labelsFrom(of, (...index) => {
    const r = index.reduce(
      (sum, at, a) =>
        sum + (((at - ((of.size[a] as number) - 1) / 2) * (of.spacing[a] as number)) / (radii[a] as number)) ** 2,
      0,
    )
    return r <= 1 ? label : 0
  })
}

export const segment = (labels: LabelMap, ...values: number[]) => ({ labels, values: values.length ? values : [1] })

export const on = (labels: LabelMap, data: Image['data'], ...values: number[]) => ({
  ...segment(labels, ...values),
  image: { grid: labels.grid, channels: data.length / labels.labels.length, data },
})
