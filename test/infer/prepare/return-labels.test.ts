import { describe, expect, it } from 'vitest'
import { scale, type Vector } from '../../../src/dicom/geometry.ts'
import { type Grid, type Image, voxelsOf } from '../../../src/infer/image.ts'
import { type Call, centredGrid, imageOf, runChain, turned, upright } from './chain.ts'
import { diceOf, labelsBack } from './labels-back.ts'

/**
 * Labels that are drawn on the source grid go through preprocessing as one channel each, an identity model, argmax on the model's grid, and back.
 */

/** Two organs that touch, as parts of a field of view: with 230 mm, of 120 and 80 mm on average. */
function organs(place: Vector, fieldOfView: number): number {
  const inside = (centre: Vector, radii: Vector): boolean =>
    place.reduce((sum, at, axis) => {
      const from = at / fieldOfView - (centre[axis] as number)
      return sum + (from / (radii[axis] as number)) ** 2
    }, 0) < 1
  if (inside([0.13, 0, 0], [0.3, 0.26, 0.24])) return 1
  return inside([-0.28, 0.04, 0.03], [0.14, 0.2, 0.26]) ? 2 : 0
}

const orientations = {
  axial: upright,
  sagittal: [[0, 1, 0], [0, 0, -1], [-1, 0, 0]], // biome-ignore format: a matrix
  coronal: [[1, 0, 0], [0, 0, -1], [0, 1, 0]], // biome-ignore format: a matrix
  oblique: turned(20, -15, 10),
  'left-handed': turned(-10, 35, 60).map((axis, index) => (index === 2 ? scale(axis, -1) : axis)) as unknown as Grid['axes'], // biome-ignore format: one thought
} as const satisfies Record<string, Grid['axes']>

interface Drawn extends Image {
  data: Uint8Array
}

function organImage(spacing: Vector, { axes = upright, field }: { axes?: Grid['axes']; field: number }): Drawn {
  const size = spacing.map((step) => Math.ceil(field / step)) as unknown as Grid['size']
  return imageOf(centredGrid(size, spacing, axes), (place) => organs(place, field), Uint8Array) as Drawn
}

function oneHotOf(drawn: Image): Image {
  const voxels = voxelsOf(drawn.grid)
  const data = new Float32Array(3 * voxels)
  for (let i = 0; i < voxels; i++) data[(drawn.data[i] as number) * voxels + i] = 1
  return { grid: drawn.grid, channels: 3, data }
}

const to = (spacing: number, interpolation = 'linear', antiAlias = true): Call => [
  'resample',
  { spacing, interpolation, antiAlias },
]

/**
 * Left out is what nothing can bring back: a mask that is picked at points farther apart than its own voxels (nearest, or linear without antiAlias,
 * on a coarser grid), and what is smaller than about seven voxels of the model's grid in radius.
 */
const chains: Record<string, Call[]> = {
  'nearest, 0.8 mm': [to(0.8, 'nearest')],
  'linear, 1 mm': [to(1, 'linear', false)],
  'linear, 2 mm': [to(2)],
  'cubic, 2 mm': [to(2, 'cubic')],
  'linear, 3 mm': [to(3)],
  'cubic, 3 mm': [to(3, 'cubic')],
  'linear, 5 mm': [to(5)],
  'cubic, 5 mm': [to(5, 'cubic')],
  'reorient, 3 mm, pad': [['reorient', { axes: 'RAS' }], to(3), ['pad', { multiple: 16, value: 0 }]],
  'straightened, 3 mm, fit': [
    ['reorient', { axes: 'LPS', oblique: 'resample', outside: 0 }],
    to(3),
    ['fit', { size: [96, 96, 96] }],
  ],
  'middle, letterbox': [
    ['crop-centre', { size: [400, 400] }],
    ['resize', { size: [80, 72], aspect: 'letterbox' }],
  ],
}
const coarse = Object.keys(chains).filter((name) => !/0.8 mm|1 mm/.test(name))

const sources: { spacing: Vector; orientation: keyof typeof orientations; field: number; chains: string[] }[] = [
  { spacing: [0.5, 0.5, 0.5], orientation: 'oblique', field: 70, chains: ['linear, 1 mm'] },
  { spacing: [0.5, 0.5, 5], orientation: 'sagittal', field: 110, chains: ['linear, 2 mm', 'cubic, 2 mm'] },
  { spacing: [1, 1, 1], orientation: 'coronal', field: 110, chains: ['nearest, 0.8 mm', 'linear, 2 mm'] },
  { spacing: [1, 1, 5], orientation: 'left-handed', field: 230, chains: ['straightened, 3 mm, fit', 'linear, 5 mm'] },
  { spacing: [2, 2, 2], orientation: 'axial', field: 230, chains: ['linear, 1 mm', 'linear, 5 mm'] },
  { spacing: [2, 2, 2], orientation: 'oblique', field: 230, chains: ['reorient, 3 mm, pad', 'middle, letterbox'] },
  { spacing: [3, 3, 3], orientation: 'coronal', field: 230, chains: coarse },
  { spacing: [3, 3, 3], orientation: 'left-handed', field: 230, chains: coarse },
  { spacing: [5, 5, 5], orientation: 'sagittal', field: 230, chains: coarse },
  { spacing: [5, 5, 5], orientation: 'oblique', field: 230, chains: coarse },
]

describe('labels pushed through preprocessing and back', () => {
  it.each(sources)('keep their places: $spacing mm, $orientation', ({ spacing, orientation, field, chains: names }) => {
    const drawn = organImage(spacing, { axes: orientations[orientation], field })
    const oneHot = oneHotOf(drawn)
    for (const name of names) {
      const prepared = runChain(oneHot, chains[name] as Call[])
      const labels = labelsBack(prepared, ['argmax'], drawn.grid)
      for (const label of [1, 2])
        expect(diceOf(labels, drawn.data, label), `${name}: ${label}`).toBeGreaterThanOrEqual(0.99)
    }
  })

  it('keep what later steps did to them', () => {
    const drawn = organImage([2, 2, 2], { field: 120 })
    const prepared = runChain(oneHotOf(drawn), [to(3)])
    const named = [['argmax'], ['largest-component', { labels: [1] }], ['relabel', { map: { 2: 7 } }]] as Call[]
    const renamed = drawn.data.map((label) => (label === 2 ? 7 : label))
    expect(diceOf(labelsBack(prepared, named, drawn.grid), renamed, 7)).toBeGreaterThan(0.98)
    const alone = labelsBack(prepared, [['argmax'], ['relabel', { map: { 1: 1 }, others: 'remove' }]], drawn.grid)
    expect(alone).not.toContain(2)
    expect(diceOf(alone, drawn.data, 1)).toBeGreaterThan(0.99)
  })

  it('are decided by logits as by probabilities', () => {
    const drawn = organImage([2.5, 2.5, 2.5], { field: 120 })
    const single = Float32Array.from(drawn.data, (label) => (label === 1 ? 1 : 0))
    const { data, ...prepared } = runChain({ grid: drawn.grid, channels: 1, data: single }, [to(4)])
    const voxels = voxelsOf(prepared.grid)
    const logits = new Float32Array(2 * voxels)
    for (let i = 0; i < voxels; i++) {
      const p = Math.min(0.999, Math.max(0.001, data[i] as number))
      logits[voxels + i] = Math.log(p / (1 - p))
    }
    const back = labelsBack({ ...prepared, channels: 2, data: logits }, ['argmax'], drawn.grid)
    expect(diceOf(back, drawn.data, 1)).toBeGreaterThanOrEqual(0.99)
  })
})
