/** Positions of the centres of `count` samples, mm, around 0. */
export function axisOf(count: number, spacing: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => (index - (count - 1) / 2) * spacing)
}

export function insideEllipse(x: number, y: number, radiusX: number, radiusY: number): boolean {
  return (x / radiusX) ** 2 + (y / radiusY) ** 2 <= 1
}

/** An ellipsoid whose axes are those of the patient, mm. */
export interface Ellipsoid {
  centre: readonly [number, number, number]
  radii: readonly [number, number, number]
}

/** Where a point lies in an ellipsoid: 0 at its centre, 1 on its surface, the square of the part of the radii between. */
export function depthIn({ centre, radii }: Ellipsoid, px: number, py: number, pz: number): number {
  const x = (px - centre[0]) / radii[0]
  const y = (py - centre[1]) / radii[1]
  const z = (pz - centre[2]) / radii[2]
  return x * x + y * y + z * z
}

/** Normally distributed numbers, once: drawing from them costs a tenth of making them. */
const normals = makeNormals(8192)

function makeNormals(count: number): Float64Array {
  const uniform = mulberry32(20250102)
  return Float64Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    return radius * Math.cos(2 * Math.PI * uniform())
  })
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Normally distributed numbers (mean 0, standard deviation 1), the same for the same seed. */
export function seededNoise(seed: number): () => number {
  const uniform = mulberry32(seed)
  return () => normals[Math.floor(uniform() * normals.length)] as number
}
