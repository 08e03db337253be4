import { describe, expect, it } from 'vitest'
import { placeOf } from '../../../src/infer/image.ts'
import { sharedData } from '../../support/data.ts'
import { readNifti } from '../../support/nifti.ts'
import { available } from '../../support/programs.ts'
import { labelsAfter, labelValue } from '../finish/apply-step.ts'
import { doubles, hasScipy, runScipy } from '../finish/scipy.ts'
import { measure, on, segment, valueOf } from './shapes.ts'

const folder = sharedData('ct-totalsegmentator')

describe('organs of a real CT, as another program drew them', () => {
  it('have the volumes, places, densities and parts that numpy and scipy find', ({ skip }) => {
    if (!available(folder) || !hasScipy() || !folder) return skip()
    const ct = readNifti(`${folder}/example_ct.nii.gz`)
    const drawn = readNifti(`${folder}/example_seg_fast_force_split.nii.gz`)
    const map = { grid: ct.grid, labels: Uint8Array.from(drawn.data) }
    const density = Int16Array.from(ct.data)
    const result = runScipy(
      `
labels, ct = inputs['labels'], inputs['ct'].astype(float)
rows, filled = [], labels.copy()
for value, box in enumerate(nd.find_objects(labels), 1):
    if box is None: continue
    m = labels[box] == value
    v = ct[box][m]
    centre = [c + s.start for c, s in zip(nd.center_of_mass(m), box)]
    rows.append([value, m.sum(), *reversed(centre), v.mean(), v.std(), v.min(), v.max(), np.median(v),
        np.percentile(v, 5, method='inverted_cdf'), nd.label(m, np.ones((3, 3, 3)))[1], m.sum(axis=(1, 2)).max()])
    part = filled[box]
    part[(part == 0) & nd.binary_fill_holes(m)] = value
outputs['rows'] = np.array(rows)
outputs['filled'] = filled
`,
      {
        labels: { size: map.grid.size, data: map.labels },
        ct: { size: map.grid.size, data: Float32Array.from(density) },
      },
    )
    const rows = doubles(result.rows)
    expect(rows.length / 13).toBeGreaterThan(30)
    const [sx, sy, sz] = map.grid.spacing
    for (let at = 0; at < rows.length; at += 13) {
      const [label = 0, voxels = 0, x = 0, y = 0, z = 0, ...others] = rows.slice(at, at + 13)
      const subject = on(map, density, label)
      expect(valueOf('volume', subject, {}, { unit: 'mm3' }) / (voxels * sx * sy * sz)).toBeCloseTo(1, 12)
      const place = measure('centroid', subject).map(({ value }) => value)
      for (const [axis, mm] of placeOf(map.grid, [x, y, z]).entries()) expect(place[axis]).toBeCloseTo(mm, 6)
      const ours = [
        ...['mean', 'standard-deviation', 'minimum', 'maximum', 'median'].map((name) => valueOf(name, subject)),
        valueOf('percentile', subject, { percent: 5 }),
        valueOf('component-count', subject),
        valueOf('area', subject) / (sx * sy),
      ]
      for (const [n, theirs] of others.entries()) expect(ours[n], `${label} ${n}`).toBeCloseTo(theirs, 6)
      // What is longest in a plane is not longer than what is longest in space, nor than the box.
      const [long, short, feret] = ['long-axis', 'short-axis', 'feret'].map((name) =>
        valueOf(name, segment(map, label)),
      )
      expect(short).toBeLessThanOrEqual((long as number) + 1e-9)
      expect(long).toBeLessThanOrEqual((feret as number) + 1e-9)
      const box = Math.hypot(...measure('extent', subject).map(({ value }) => value))
      expect(feret).toBeLessThanOrEqual(box + 1e-9)
    }
    expect(Buffer.from(labelsAfter('fill-holes', labelValue(map))).equals(result.filled as Buffer)).toBe(true)
  })
})
