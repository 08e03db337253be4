/** Positions of the centres of `count` samples, mm, around 0. */
export function axisOf(count: number, spacing: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => (index - (count - 1) / 2) * spacing)
}

export function insideEllipse(x: number, y: number, radiusX: number, radiusY: number): boolean {
  return (x / radiusX) ** 2 + (y / radiusY) ** 2 <= 1
}

type Triple = readonly [number, number, number]

/** @param part of the radii */
export function insideEllipsoid(point: Triple, centre: Triple, radii: Triple, part: number): boolean {
  const x = (point[0] - centre[0]) / radii[0]
  const y = (point[1] - centre[1]) / radii[1]
  const z = (point[2] - centre[2]) / radii[2]
  return x * x + y * y + z * z <= part * part
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
