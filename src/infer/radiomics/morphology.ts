import { norm, subtract, type Vector } from '../../dicom/geometry.ts'
import { spatialAutocorrelation } from './autocorrelation.ts'
import { convexHull, largestDistance } from './convex-hull.ts'
import type { Region } from './region.ts'
import { boxOf } from './region-box.ts'
import { ellipsoidArea, momentsOf, type SemiAxes } from './shape.ts'
import { measureSurface } from './surface.ts'

/**
 * Morphological features (IBSI 3.1), in the order of the catalogue. What has no value is NaN: densities of an ellipsoid that is flat, and
 * Moran's I and Geary's C above the limit.
 * @param meanIntensity of the intensity mask
 */
export function morphologicalFeatures(region: Region, meanIntensity: number, autocorrelationLimit: number): number[] {
  const { morphologicalMask, size, spacing } = region
  const { area, volume } = measureSurface(morphologicalMask, size, spacing)
  const moments = momentsOf(morphologicalMask, size, spacing)
  const hull = convexHull(morphologicalMask, size, spacing)
  const box = boxOf(morphologicalMask, size)
  const [a, b, c] = [0, 1, 2].map((axis) => {
    const voxels = (box.high[axis] as number) - (box.low[axis] as number)
    return voxels * (spacing[axis] as number)
  }) as [number, number, number]
  const axes = moments.variances.map((variance) => 2 * Math.sqrt(variance)) as unknown as SemiAxes
  const ellipsoidVolume = (4 / 3) * Math.PI * axes[0] * axes[1] * axes[2]
  const sphericity = Math.cbrt(36 * Math.PI * volume ** 2) / area
  const correlation = spatialAutocorrelation(region, autocorrelationLimit)
  return [
    volume,
    moments.voxels * spacing[0] * spacing[1] * spacing[2],
    area,
    area / volume,
    volume / (Math.sqrt(Math.PI) * area ** 1.5),
    sphericity ** 3,
    1 / sphericity,
    sphericity,
    1 / sphericity - 1,
    norm(subtract(moments.centre, centreOfMass(region))),
    hull ? largestDistance(hull.vertices) : Number.NaN,
    2 * axes[0],
    2 * axes[1],
    2 * axes[2],
    axes[1] / axes[0],
    axes[2] / axes[0],
    volume / (a * b * c),
    area / (2 * (a * b + b * c + a * c)),
    axes[2] === 0 ? Number.NaN : volume / ellipsoidVolume,
    axes[2] === 0 ? Number.NaN : area / ellipsoidArea(axes),
    volume / (hull?.volume ?? Number.NaN),
    area / (hull?.area ?? Number.NaN),
    volume * meanIntensity,
    correlation?.moran ?? Number.NaN,
    correlation?.geary ?? Number.NaN,
  ]
}

/** The mean place of the intensity mask's voxels, weighted by intensity, mm. */
function centreOfMass({ intensities, intensityMask, size, spacing }: Region): Vector {
  const sums: [number, number, number] = [0, 0, 0]
  let total = 0
  for (let z = 0, at = 0; z < size[2]; z++)
    for (let y = 0; y < size[1]; y++)
      for (let x = 0; x < size[0]; x++, at++) {
        if (intensityMask[at] === 0) continue
        const intensity = intensities[at] as number
        total += intensity
        sums[0] += intensity * x
        sums[1] += intensity * y
        sums[2] += intensity * z
      }
  return [(sums[0] / total) * spacing[0], (sums[1] / total) * spacing[1], (sums[2] / total) * spacing[2]]
}
