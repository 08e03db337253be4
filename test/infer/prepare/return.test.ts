import { describe, expect, it } from 'vitest'
import { scale, type Vector } from '../../../src/dicom/geometry.ts'
import type { Grid, Image } from '../../../src/infer/image.ts'
import { percentiles } from '../../../src/infer/prepare/percentiles.ts'
import { resampleOnto } from '../../../src/infer/prepare/resample.ts'
import { type Call, centredGrid, imageOf, runChain, turned, upright } from './chain.ts'
import { diceOf, labelsBack } from './labels-back.ts'

/**
 * A mask that is drawn on the source grid goes through preprocessing, an identity model, and back: as the model's probabilities, and as
 * labels that it decides on its own grid.
 */

function inEllipsoid(place: Vector, centre: Vector, radii: Vector): boolean {
  const [x, y, z] = place.map((at, axis) => (at - (centre[axis] as number)) / (radii[axis] as number)) as [
    number,
    number,
    number,
  ]
  return x * x + y * y + z * z < 1
}

/** Two lungs (1 and 2) around a heart, in a field of view of 1. */
function lungs([x, y, z]: Vector): number {
  if (inEllipsoid([x, y, z], [0.06, -0.06, -0.1], [0.16, 0.14, 0.14])) return 0
  if (inEllipsoid([x, y, z], [-0.2, 0, 0], [0.16, 0.3, 0.36])) return 1
  return inEllipsoid([x, y, z], [0.22, 0.02, 0.02], [0.15, 0.28, 0.34]) ? 2 : 0
}

function lungImage(spacing: Vector, axes: Grid['axes'], fieldOfView: number): Image {
  const size = spacing.map((step) => Math.round(fieldOfView / step)) as unknown as Grid['size']
  const within = ([x, y, z]: Vector): Vector => [x / fieldOfView, y / fieldOfView, z / fieldOfView]
  return imageOf(centredGrid(size, spacing, axes), (place) => lungs(within(place)), Uint8Array)
}

/** The lungs as densities, HU. */
function scanOf({ grid, data }: Image): Image {
  return { grid, channels: 1, data: new Int16Array(data).map((label) => (label > 0 ? -850 : 30)) }
}

const chains: Record<string, Call[]> = {
  'window, 1 mm': [
    ['window', { centre: -400, width: 1200 }],
    ['resample', { spacing: [1, 1, 1] }],
  ],
  '1.5 mm, z-score': [
    ['clip', { minimum: -1000, maximum: 100 }],
    ['resample', { spacing: 1.5, antiAlias: true }],
    ['z-score'],
  ],
  'cubic 1.5 mm': [
    ['resample', { spacing: 1.5, interpolation: 'cubic', antiAlias: true }],
    ['normalise', { mean: -400, std: 300 }],
  ],
  'in-plane, reflected border': [
    ['resample', { spacing: [1.2, 1.2], antiAlias: true }],
    ['pad', { multiple: 16, mode: 'reflect' }],
  ],
  'reorient, 1 mm, fit': [
    ['reorient', { axes: 'RAS' }],
    ['resample', { spacing: 1 }],
    ['fit', { size: [96, 96, 96] }],
  ],
  straightened: [
    ['resample', { spacing: 1 }],
    ['reorient', { axes: 'LPS', oblique: 'resample', outside: 30 }],
  ],
  'crop, resize': [
    ['scale', { offset: -30 }],
    ['crop-nonzero', { margin: 4 }],
    ['resize', { size: [80, 80, 64] }],
    ['scale-range'],
  ],
  letterbox: [['resize', { size: [112, 96], aspect: 'letterbox', fill: 30 }], ['clip-percentiles']],
  'crop to the middle, 1.5 mm': [
    ['crop-centre', { size: [400, 400] }],
    ['resample', { spacing: 1.5, antiAlias: true }],
    ['pad', { multiple: 32, mode: 'edge' }],
  ],
}

const orientations: Record<string, Grid['axes']> = {
  axial: upright,
  oblique: turned(20, -15, 10),
  'oblique, left-handed': turned(-10, 35, 60).map((axis, index) =>
    index === 2 ? scale(axis, -1) : axis,
  ) as unknown as Grid['axes'],
  coronal: [[1, 0, 0], [0, 0, -1], [0, 1, 0]], // biome-ignore format: a matrix
  sagittal: [[0, 1, 0], [0, 0, -1], [-1, 0, 0]], // biome-ignore format: a matrix
}

const combinations: { spacing: Vector; orientation: string }[] = [
  { spacing: [0.5, 0.5, 5], orientation: 'oblique' },
  { spacing: [0.8, 0.8, 1.5], orientation: 'coronal' },
  { spacing: [1, 1, 1], orientation: 'oblique' },
  { spacing: [1.5, 1.5, 5], orientation: 'axial' },
  { spacing: [1.5, 1.5, 5], orientation: 'oblique' },
  { spacing: [1.5, 1.5, 5], orientation: 'sagittal' },
  { spacing: [4, 4, 0.8], orientation: 'oblique, left-handed' },
  { spacing: [4, 4, 0.8], orientation: 'sagittal' },
  { spacing: [5, 5, 5], orientation: 'oblique' },
]

describe('a mask pushed through preprocessing and back', () => {
  it.each(combinations)('keeps its place: $spacing mm, $orientation', ({ spacing, orientation }) => {
    const fieldOfView = Math.max(80, 16 * Math.max(...spacing))
    const drawn = lungImage(spacing, orientations[orientation] as Grid['axes'], fieldOfView)
    for (const [name, calls] of Object.entries(chains)) {
      const prepared = runChain(scanOf(drawn), calls)
      // An identity model: what is as far from the lungs' value as from the body's is the border.
      const [lung, body] = extremesOf(prepared)
      const probability = new Float32Array(prepared.data).map((value) => (body - value) / (body - lung))
      const back = resampleOnto({ ...prepared, data: probability }, drawn.grid).data
      const mask = Uint8Array.from(back, (value) => (value > 0.5 ? 1 : 0))
      const score = diceOf(mask, drawn.data as Uint8Array)
      expect(score, name).toBeGreaterThanOrEqual(0.99)
      // The same as labels that are decided on the model's own grid.
      const labels = labelsBack({ ...prepared, data: probability }, ['threshold', { minimum: 0.5 }], drawn.grid)
      expect(diceOf(labels, drawn.data as Uint8Array), name).toBeGreaterThanOrEqual(0.99)
    }
  })
})

/** Values of the lungs and of the body: what few voxels lie beyond. */
function extremesOf({ data }: Image): [number, number] {
  return percentiles(data, { from: 0, to: data.length }, [2, 98]) as [number, number]
}
