import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Grid, type Image, voxelsOf } from '../../../src/infer/image.ts'
import { gaussian } from '../../../src/infer/prepare/gaussian.ts'
import { percentiles } from '../../../src/infer/prepare/percentiles.ts'
import { type ResampleOptions, resampleOnto } from '../../../src/infer/prepare/resample.ts'
import { available, runProgram } from '../../support/programs.ts'
import { type Call, centredGrid, gridOf, noiseImage, runChain, turned } from './chain.ts'

/** Numerics against numpy and scipy. scikit-image is not everywhere: its equalisation and CLAHE are written out in numpy here. */
const ready = available('/usr/bin/python3') && runProgram('python3', ['-c', 'import scipy.ndimage']).code === 0

const script = String.raw`
import json, sys
import numpy as np
from scipy import ndimage as nd
folder = sys.argv[1]
spec = json.load(open(folder + '/spec.json'))

def read(name, grid):
    return np.fromfile(folder + '/' + name, 'f4').reshape(grid['size'][::-1])

def indices(target, source):
    k, j, i = np.meshgrid(*[np.arange(n) for n in target['size'][::-1]], indexing='ij')
    steps = np.stack([i.ravel(), j.ravel(), k.ravel()]) * np.array(target['spacing'])[:, None]
    places = np.array(target['origin'])[:, None] + np.array(target['axes']).T @ steps
    return (np.array(source['axes']) @ (places - np.array(source['origin'])[:, None])) / np.array(source['spacing'])[:, None]

def resample(v, job):
    at = indices(job['grid'], job['source'])
    last = np.array(job['source']['size'])[:, None] - 1
    inside = np.all((at >= -0.5) & (at <= last + 0.5), axis=0)
    order = dict(nearest=0, linear=1, cubic=3)[job['interpolation']]
    found = nd.map_coordinates(v.astype('f8'), np.clip(at, 0, last)[::-1], order=order, mode='mirror')
    return np.where(inside, found, job['outside'])

def tent(v, job):
    # Averaging along x by a triangle as wide as two new voxels, as Pillow does it.
    n, m = v.shape[-1], job['length']
    s = n / m
    out = np.zeros(v.shape[:-1] + (m,))
    for i in range(m):
        c = (i + 0.5) * s - 0.5
        w = np.maximum(0, 1 - np.abs(np.arange(n) - c) / s)
        out[..., i] = (v * (w / w.sum())).sum(-1)
    return out

def equalise(v, job):
    h, edges = np.histogram(v, 256, (v.min(), v.max()))
    c = h.cumsum() / h.sum()
    return np.interp(v, (edges[:-1] + edges[1:]) / 2, c)

def clahe(v, job):
    tx, ty = job['tiles']; bins = 256
    lo, hi = v.min(), v.max()
    q = np.minimum(bins - 1, ((v - lo) / (hi - lo) * bins).astype(int))
    out = np.zeros(v.shape)
    for z in range(v.shape[0]):
        h, w = v.shape[1] // ty, v.shape[2] // tx
        luts = np.zeros((ty, tx, bins))
        for b in range(ty):
            for a in range(tx):
                c = np.bincount(q[z, b*h:(b+1)*h, a*w:(a+1)*w].ravel(), minlength=bins)
                limit = max(1, int(job['limit'] * h * w / bins))
                excess = np.maximum(c - limit, 0).sum()
                c = np.minimum(c, limit) + excess // bins
                rest = excess % bins
                if rest:
                    c[np.arange(0, bins, max(1, bins // rest))[:rest]] += 1
                luts[b, a] = c.cumsum() / (h * w)
        y, x = np.indices(v.shape[1:])
        fy, fx = y / h - 0.5, x / w - 0.5
        y0, x0 = np.floor(fy).astype(int), np.floor(fx).astype(int)
        dy, dx = fy - y0, fx - x0
        Y0, Y1, X0, X1 = np.maximum(y0, 0), np.minimum(y0 + 1, ty - 1), np.maximum(x0, 0), np.minimum(x0 + 1, tx - 1)
        g = q[z]
        out[z] = (1-dy)*((1-dx)*luts[Y0,X0,g]+dx*luts[Y0,X1,g]) + dy*((1-dx)*luts[Y1,X0,g]+dx*luts[Y1,X1,g])
    return out

def bilateral(v, job):
    v = v.astype('f8'); r = job['radius']; n = v.shape
    p = np.pad(v, r, constant_values=np.nan); s = np.zeros(n); t = np.zeros(n)
    for c in range(2*r+1):
        for b in range(2*r+1):
            for a in range(2*r+1):
                u = p[c:c+n[0], b:b+n[1], a:a+n[2]]
                d = ((a-r)**2+(b-r)**2+(c-r)**2) / job['sigma']**2
                w = np.exp(-d/2 - (u-v)**2 / (2*job['value']**2))
                w = np.nan_to_num(w); s += w*np.nan_to_num(u); t += w
    return s / t

kinds = dict(
    resample=resample, tent=tent, equalise=equalise, clahe=clahe, bilateral=bilateral,
    gaussian=lambda v, job: nd.gaussian_filter(v.astype('f8'), job['sigma'][::-1]),
    median=lambda v, job: nd.median_filter(v, size=[2*r+1 for r in job['radius'][::-1]], mode='nearest'),
    percentiles=lambda v, job: np.percentile(v.astype('f8'), job['wanted']),
    zscore=lambda v, job: (v - v.astype('f8').mean()) / v.astype('f8').std(),
)
for n, job in enumerate(spec):
    kinds[job['kind']](read('in%d' % n, job['source']), job).astype('f4').tofile(folder + '/out%d' % n)
`

interface Job {
  name: string
  image: Image
  ours: ArrayLike<number>
  /** What Python is told: the kind of work and its numbers. */
  told: object
  /** Largest difference that is accepted, in the units of the image. */
  within: number
}

function resampling(name: string, image: Image, grid: Grid, options: ResampleOptions): Job {
  const told = { kind: 'resample', grid, outside: -77, interpolation: options.interpolation ?? 'linear' }
  return { name, image, ours: resampleOnto(image, grid, { ...options, outside: -77 }).data, told, within: 2e-3 }
}

function stepped(name: string, image: Image, call: Call, told: object, within: number): Job {
  return { name, image, ours: runChain(image, [call]).data, told, within }
}

function jobs(): Job[] {
  const grid = centredGrid([23, 19, 17], [0.8, 0.9, 2], turned(17, -9, 31))
  const volume = { ...noiseImage([23, 19, 17]), grid }
  const whole = { ...noiseImage([23, 19, 17], Int16Array, 3000), grid }
  const along = centredGrid([14, 15, 16], [0.71, 1.137, 1.31], grid.axes)
  const [x, y, z] = grid.axes
  const swapped = centredGrid([14, 17, 16], [0.71, 1.137, 1.31], [
    z.map((c) => -c),
    x,
    y.map((c) => -c),
  ] as unknown as Grid['axes'])
  const oblique = centredGrid([21, 18, 24], [0.9, 1.1, 1.3], turned(-5, 20, 12))
  const flat = noiseImage([64, 48, 2], Uint8Array, 250)
  const smooth = noiseImage([30, 26, 9])
  gaussian({ data: smooth.data, from: 0 }, { data: smooth.data as Float32Array, from: 0 }, [30, 26, 9], [1, 1, 1])
  const list: Job[] = []
  for (const interpolation of ['linear', 'cubic', 'nearest'] as const)
    for (const [to, target] of Object.entries({ along, swapped, oblique }))
      for (const [from, image] of Object.entries({ float: volume, 'whole number': whole }))
        list.push(resampling(`resample ${from} ${interpolation} ${to}`, image, target, { interpolation }))
  list.push(
    stepped('resize', volume, ['resize', { size: [9, 19, 17] }], { kind: 'tent', length: 9 }, 1e-3),
    stepped('gaussian 1.5', volume, ['gaussian', { sigma: 1.5 }], { kind: 'gaussian', sigma: [1.5, 1.5, 1.5] }, 1e-3),
    stepped(
      'gaussian mm',
      whole,
      ['gaussian', { sigma: 2, unit: 'mm' }],
      { kind: 'gaussian', sigma: [2.5, 2 / 0.9, 1] },
      1e-2,
    ),
    stepped(
      'gaussian 2D',
      whole,
      ['gaussian', { sigma: 4, dimensions: 2 }],
      { kind: 'gaussian', sigma: [4, 4, 0] },
      1e-2,
    ),
    stepped('median 1', volume, ['median', {}], { kind: 'median', radius: [1, 1, 1] }, 0),
    stepped('median 2D', whole, ['median', { radius: 2, dimensions: 2 }], { kind: 'median', radius: [2, 2, 0] }, 0),
    stepped('median uneven', volume, ['median', { radius: [2, 1, 0] }], { kind: 'median', radius: [2, 1, 0] }, 0),
    stepped('z-score', volume, ['z-score'], { kind: 'zscore' }, 1e-5),
    stepped('z-score whole', whole, ['z-score'], { kind: 'zscore' }, 1e-5),
    stepped('equalise', volume, ['equalise-histogram'], { kind: 'equalise' }, 1e-3),
    stepped('equalise bytes', flat, ['equalise-histogram'], { kind: 'equalise' }, 1e-3),
    stepped(
      'clahe',
      flat,
      ['clahe', { tiles: [8, 4], clipLimit: 3 }],
      { kind: 'clahe', tiles: [8, 4], limit: 3 },
      1e-5,
    ),
    stepped(
      'clahe high',
      flat,
      ['clahe', { tiles: [2, 2], clipLimit: 1 }],
      { kind: 'clahe', tiles: [2, 2], limit: 1 },
      1e-5,
    ),
    stepped(
      'bilateral',
      smooth,
      ['bilateral', { sigma: 1.2, sigmaValue: 60, radius: 2 }],
      { kind: 'bilateral', radius: 2, sigma: 1.2, value: 60 },
      0.05,
    ),
  )
  const wanted = [0, 0.5, 12.3, 50, 99.5, 100]
  for (const [type, image] of Object.entries({ volume, whole, flat }))
    list.push({
      name: `percentiles of ${type}`,
      image,
      ours: percentiles(image.data, { from: 0, to: image.data.length }, wanted),
      told: { kind: 'percentiles', wanted },
      within: 1e-3,
    })
  return list
}

describe.skipIf(!ready)('steps against numpy and scipy', () => {
  it('give the same numbers', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'prepare-'))
    try {
      const list = jobs()
      for (const [n, { image }] of list.entries())
        writeFileSync(path.join(folder, `in${n}`), new Uint8Array(new Float32Array(image.data).buffer))
      const spec = list.map(({ told, image }) => ({ ...told, source: image.grid }))
      writeFileSync(path.join(folder, 'spec.json'), JSON.stringify(spec))
      const done = runProgram('python3', ['-c', script, folder])
      expect(done.output).toBe('')
      for (const [n, { name, ours, within }] of list.entries()) {
        const bytes = readFileSync(path.join(folder, `out${n}`))
        const theirs = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
        expect(ours.length, name).toBe(theirs.length)
        let worst = 0
        for (let i = 0; i < theirs.length; i++)
          worst = Math.max(worst, Math.abs((ours[i] as number) - (theirs[i] as number)))
        expect(worst, name).toBeLessThanOrEqual(within)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('are compared on grids that overlap', () => {
    const image = { ...noiseImage([23, 19, 17]), grid: centredGrid([23, 19, 17], [0.8, 0.9, 2]) }
    const far = gridOf([4, 4, 4], [1, 1, 1], undefined, [500, 0, 0])
    expect([...resampleOnto(image, far, { outside: -77 }).data]).toEqual(Array(voxelsOf(far)).fill(-77))
  })
})
