import { axisOf, depthIn, type Ellipsoid, insideEllipse, seededNoise } from './phantom-shapes.ts'

export interface ChestPhantomOptions {
  slices?: number
  rows?: number
  columns?: number
  /** Row, column and slice spacing, mm; the body keeps its size, so that it fills the volume at the default spacing. */
  spacing?: { row: number; column: number; slice: number }
  /** Standard deviation of the noise, HU. */
  noise?: number
  /** Seed of the noise. */
  seed?: number
  /** Part of each lung's radius up to which it is emphysema; 0: none. */
  emphysema?: number
  /** The lungs touch in front of the heart. */
  joined?: boolean
  /** A phantom without lungs. */
  solid?: boolean
}

/** What the phantom truly holds. */
export interface PhantomTruth {
  /** Litres, from the ellipsoids' axes. */
  volumes: { left: number; right: number; total: number }
  /** Per cent of the lungs' volume below -950 HU, before noise, from the ellipsoids' axes. */
  laa950: number
}

/** A chest: Hounsfield units by slice, on a grid with x to the left, y to the back, z to the head. */
export interface ChestPhantom {
  slices: number
  rows: number
  columns: number
  spacing: { row: number; column: number; slice: number }
  truth: PhantomTruth
  /** HU of one slice, row by row, without holding the others; slice 0 lies lowest. */
  slice(index: number): Int16Array<ArrayBuffer>
}

/** Densities, HU. */
const hu = {
  air: -1000,
  fat: -90,
  muscle: 45,
  bone: 500,
  marrow: 150,
  lung: -860,
  emphysema: -985,
  lumen: -1000,
  table: -300,
  foam: -960,
}

/** Semi-axes and centres, mm, from the middle of the volume: x to the left, y to the back, z to the head. */
const body = { x: 165, y: 115 }
const leftLung: Ellipsoid = { centre: [78, 0, 0], radii: [52, 78, 118] }
const rightLung: Ellipsoid = { centre: [-80, 0, 0], radii: [56, 80, 122] }
const spine = { y: 72, radius: 19 }
const trachea = { y: 22, radius: 8.5, wall: 2, from: 25 }

const litres = (radii: readonly [number, number, number]): number =>
  ((4 / 3) * Math.PI * radii[0] * radii[1] * radii[2]) / 1e6

/**
 * Makes a chest phantom: an elliptic body with a layer of fat, two ellipsoid lungs with a core of emphysema each, trachea and main
 * bronchi, spine, ribs, a table under it and noise. The lungs are symmetric enough to be analytic and different enough to be told apart.
 * By default 200 slices of 512x512; with fewer or smaller slices the spacing grows so that the whole chest stays inside.
 */
export function chestPhantom(options: ChestPhantomOptions = {}): ChestPhantom {
  const { slices = 200, rows = 512, columns = 512, noise = 12, seed = 1, emphysema = 0.5 } = options
  const spacing = options.spacing ?? { row: 360 / rows, column: 360 / columns, slice: Math.min(3, 300 / slices) }
  const scene: Scene = { emphysema, joined: options.joined ?? false, solid: options.solid ?? false }
  const xs = axisOf(columns, spacing.column)
  const ys = axisOf(rows, spacing.row)
  const zs = axisOf(slices, spacing.slice)
  const left = litres(leftLung.radii)
  const right = litres(rightLung.radii)
  return {
    slices,
    rows,
    columns,
    spacing,
    truth: scene.solid
      ? { volumes: { left: 0, right: 0, total: 0 }, laa950: 0 }
      : { volumes: { left, right, total: left + right }, laa950: 100 * emphysema ** 3 },
    slice(index) {
      const random = seededNoise(seed * 65537 + index)
      const values = new Int16Array(rows * columns)
      const z = zs[index] ?? 0
      for (let row = 0, i = 0; row < rows; row++)
        for (let column = 0; column < columns; column++, i++)
          values[i] = Math.round(densityAt(xs[column] as number, ys[row] as number, z, scene) + noise * random())
      return values
    },
  }
}

interface Scene {
  emphysema: number
  joined: boolean
  solid: boolean
}

function densityAt(x: number, y: number, z: number, scene: Scene): number {
  if (!insideEllipse(x, y, body.x, body.y)) return supportAt(x, y)
  if (!insideEllipse(x, y, body.x - 10, body.y - 10)) return hu.fat
  if (!scene.solid) {
    const lung = lungAt(x, y, z, scene)
    if (lung !== null) return lung
    const airway = airwayAt(x, y, z)
    if (airway !== null) return airway
  }
  return boneAt(x, y, z) ?? hu.muscle
}

/** Table and foam under the body, air around. */
function supportAt(x: number, y: number): number {
  if (Math.abs(x) > 160) return hu.air
  if (y > 124 && y < 129) return hu.table
  if (y >= 129 && y < 150) return hu.foam
  return y >= 150 && y < 153 ? hu.table : hu.air
}

function lungAt(x: number, y: number, z: number, { emphysema, joined }: Scene): number | null {
  // The lungs lie on either side of the middle.
  const depth = depthIn(x > 0 ? leftLung : rightLung, x, y, z)
  if (depth <= 1) return depth <= emphysema * emphysema ? hu.emphysema : hu.lung
  // A membrane too thin to be seen would join them here.
  return joined && Math.abs(x) < 60 && Math.abs(y + 20) < 5 && Math.abs(z + 30) < 12 ? hu.lung : null
}

/** Trachea down to the carina, then a main bronchus to either side, which ends before the lung. */
function airwayAt(x: number, y: number, z: number): number | null {
  const { from, radius, wall } = trachea
  const depth = y - trachea.y
  if (z >= from) {
    const r = Math.sqrt(x * x + depth * depth)
    return r < radius ? hu.lumen : r < radius + wall ? hu.muscle : null
  }
  const along = Math.abs(x)
  if (along > 19) return null
  const across = z - (from - along * 0.6)
  const r = Math.sqrt(across * across + depth * depth)
  return r < radius * 0.7 ? hu.lumen : r < radius * 0.7 + wall ? hu.muscle : null
}

function boneAt(x: number, y: number, z: number): number | null {
  const toSpine = Math.sqrt(x * x + (y - spine.y) ** 2)
  if (toSpine < spine.radius) return toSpine < spine.radius - 3 ? hu.marrow : hu.bone
  // Ribs: parts of a shell, in bands that slant downwards to the front.
  const shell = !insideEllipse(x, y, body.x - 22, body.y - 22) && insideEllipse(x, y, body.x - 13, body.y - 13)
  const band = (((z + y * 0.35) % 28) + 28) % 28
  return shell && band < 11 ? hu.bone : null
}

export { type WritePhantomOptions, writePhantom } from './write-phantom.ts'
